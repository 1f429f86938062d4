"""Has loaded what the program `schedulerd` loads, and forks from itself a process for each call of it that is asked for.

Until then it does nothing: it has no thread, no connection and no file open, so that what is forked from it is as a
process that has just loaded all that.
"""

import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Final

_LONGEST: Final = 1 << 20
_FDS: Final = 4  # stdin, stdout, stderr, and the pipe that takes the exit status


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call of the program, as it was asked for."""

    words: list[str]
    directory: str
    environ: dict[str, str]
    umask: int
    streams: list[int]


class Ground:
    """The process that forks; its caller's end of the line being closed ends it."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._told_of: dict[int, int] = {}
        self._wakeup, self._woken = os.pipe()
        for end in (self._wakeup, self._woken):
            os.set_blocking(end, False)

    def serve(self) -> Call | None:
        """None at the end; in each process that is forked, the call that it is for."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._woken)
        poll = select.poll()
        poll.register(self._wakeup, select.POLLIN)
        poll.register(self._line, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if self._wakeup in ready:
                self._reap()
            if self._line.fileno() in ready:
                asked = _asked(self._line)
                if asked is None:
                    return None
                words, (*streams, tell) = asked
                if self._forked(streams, tell):
                    return Call(**words, streams=streams)

    def _forked(self, streams: list[int], tell: int) -> bool:
        """Is this the process that was forked, which has the streams? Its exit status is to be told by `tell`."""
        pid = os.fork()
        if pid == 0:
            self._let_go(tell)
            return True
        for stream in streams:
            os.close(stream)
        self._told_of[pid] = tell
        self._line.send(str(pid).encode())
        return False

    def _let_go(self, tell: int) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in (*self._told_of.values(), tell, self._wakeup, self._woken):
            os.close(descriptor)
        self._line.close()

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._wakeup, 4096)
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                tell = self._told_of.pop(pid)
                with suppress(BrokenPipeError):  # nobody waits for it
                    os.write(tell, str(os.waitstatus_to_exitcode(status)).encode())
                os.close(tell)


def _asked(line: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    text, descriptors, _, _ = socket.recv_fds(line, _LONGEST, _FDS)
    return (json.loads(text), list(descriptors)) if text else None


def _carry_out(call: Call) -> None:
    """Be what Python is when it has begun with `-m schedulerd`, and go on from there."""
    for number, descriptor in enumerate(call.streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(call.directory)
    os.umask(call.umask)
    os.environ.clear()
    os.environ.update(call.environ)
    time.tzset()
    sys.path[0] = call.directory
    _take_up_python_path(call.environ.get("PYTHONPATH", ""))
    sys.argv[1:] = call.words
    runpy.run_module("schedulerd", run_name="__main__", alter_sys=True)


def _take_up_python_path(folders: str) -> None:
    added = [folder for folder in folders.split(os.pathsep) if folder and folder not in sys.path]
    sys.path[1:1] = added
    if any(Path(folder, "sitecustomize.py").exists() for folder in added):
        sys.modules.pop("sitecustomize", None)
        import_module("sitecustomize")


def _load() -> None:
    """What the daemon has loaded when it is ready, and what commands load when they are carried out."""
    cli = import_module("schedulerd.cli")
    for module in iter_modules(cli.__path__, "schedulerd.cli."):
        import_module(module.name)
    for name in _LOADED_LATE:
        import_module(name)
    import_module("schedulerd.store.transaction").Transaction.load()


_LOADED_LATE: Final = (
    "schedulerd.daemon.life",
    "schedulerd.operations.runs",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
)


def main() -> None:
    """Serve whoever holds the other end of stdin."""
    gc.disable()
    _load()
    gc.freeze()
    gc.enable()
    line = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    assert len(os.listdir("/proc/self/task")) == 1
    call = Ground(line).serve()
    if call is not None:
        _carry_out(call)


if __name__ == "__main__":
    main()
