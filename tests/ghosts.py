"""A ghost: a process of which nothing tells who started it, neither parent, session, environment nor open files."""

import sys
from pathlib import Path

_BORN = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 1024)
        os.execve(sys.executable, [sys.executable, "-c", {code!r}], {{}})
    os._exit(0)
os.wait()
"""
_LIVES = "import os, time; open({pid!r}, 'w').write(str(os.getpid()) + chr(10)); time.sleep(600)"
_DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "


def ghost(pid: Path, *, python: str = sys.executable) -> str:
    """A shell command that leaves a ghost, and ends when that has written its pid into a file."""
    return _command(_LIVES, pid, python)


def deaf_ghost(pid: Path, *, python: str = sys.executable) -> str:
    """The same, of one that does not listen to SIGTERM."""
    return _command(_DEAF + _LIVES, pid, python)


def _command(code: str, pid: Path, python: str) -> str:
    born = _BORN.format(code=code.format(pid=str(pid)))
    return f"{python} - <<'END'\n{born}END\nwhile [ ! -s {pid} ]; do sleep 0.05; done\n"
