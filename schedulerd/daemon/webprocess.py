"""The web process: started with a socket that the daemon bound, watched, and started again when it dies.

What it is told beside that comes in a file in memory: the URL of the database may hold a password, and arguments and
variables of a process can be seen.
"""

import contextlib
import json
import logging
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from schedulerd.config import Settings

log = logging.getLogger(__name__)

_PATIENCE_SECONDS: Final = 3.0
_LONGEST_PAUSE_SECONDS: Final = 60.0
_NICER_BY: Final = 5
_NICEST: Final = 19
_STEADY_SECONDS: Final = 10.0  # one that lived so long works again


def told_to_web(settings: Settings) -> Mapping[str, Any]:
    """What the web process goes by."""
    return {
        "database": settings.store.url,
        "state_dir": str(settings.state_dir),
        "hosts": list(settings.web.hosts),
        "proxies": list(settings.web.proxies),
        "timezone": settings.timezone,
        "schedules": [str(folder) for folder in settings.schedules],
        "flows": [str(folder) for folder in settings.flows],
        "pools": list(settings.pools),
        "allow_upload": settings.may_upload,
        "inspect_seconds": settings.inspect_timeout.total_seconds(),
        "rest_after": settings.web.rest_after.total_seconds(),
    }


class WebProcess:
    """Keeps the web process alive. `look` is called now and then; it never waits.

    One that nobody asks anything ends by itself, with 0, and is started again for who comes next: `await_visitor` is given the
    socket's descriptor then, and sees to it that `look` is called as soon as there is something to be read.

    `told` is JSON that it goes by. `trouble` says what is wrong with it, and is empty when nothing is.
    """

    def __init__(
        self,
        listener: socket.socket,
        environ: Mapping[str, str],
        told: Mapping[str, Any],
        *,
        await_visitor: Callable[[int], None],
    ) -> None:
        self._listener = listener
        self._await_visitor = await_visitor
        self._rests = False
        self._told = json.dumps(told).encode()
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None
        self._pause = 1.0
        self._start_at = 0.0
        self.trouble = ""

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        host, port = self._listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def pid(self) -> int | None:
        """Its pid while it lives."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    def look(self, now: float) -> None:
        """Start it when it does not run, less and less often when it dies again and again; `now` is monotonic."""
        if self._rests and not _has_visitor(self._listener):
            return
        self._rests = False
        if self._process is not None and self._process.poll() == 0:
            self._rest()
            return
        if self._process is not None and self._process.returncode is not None:
            log.error("web_died", extra={"status": self._process.returncode, "again_in": f"{self._pause:g}s"})
            self._forget()
            self._start_at = now + self._pause
            self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
            self.trouble = "the web process has died"
        if self._process is None and now >= self._start_at:
            self._try_to_start(now)
        elif self._process is not None and now - self._start_at >= _STEADY_SECONDS:
            self.trouble, self._pause = "", 1.0

    def _rest(self) -> None:
        log.info("web_rests")
        self._forget()
        self._rests, self.trouble, self._pause = True, "", 1.0
        self._await_visitor(self._listener.fileno())

    def _try_to_start(self, now: float) -> None:
        self._start_at = now
        try:
            self._start()
        except OSError as error:  # no process to be had, say
            self._forget()
            self.trouble = f"the web process cannot be started: {error.strerror}"
            self._start_at = now + self._pause
            self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)

    def _start(self) -> None:
        reading, self._lifeline = os.pipe2(os.O_CLOEXEC)
        given = [self._listener.fileno(), reading]
        try:
            given.append(_in_memory(self._told))
            words = zip(("--socket", "--lifeline", "--told"), map(str, given), strict=True)
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "schedulerd.daemon.web_program"),
                    *(part for pair in words for part in pair),
                ],
                pass_fds=given,
                stdin=subprocess.DEVNULL,
                env=dict(self._environ),
                cwd="/",
            )
            _make_nicer(self._process.pid)
        finally:
            for descriptor in given[1:]:
                os.close(descriptor)

    def _forget(self) -> None:
        self._process = None
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def stop(self) -> None:
        """Let it end, and make it when it does not; may be called twice."""
        self._listener.close()
        process = self._process
        self._forget()
        if process is None:
            return
        process.terminate()  # its lifeline is cut too, but while it still loads it does not look at that
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE_SECONDS)
        if process.returncode is None:
            process.kill()
            process.wait()


def _has_visitor(listener: socket.socket) -> bool:
    return bool(select.select([listener], [], [], 0)[0])


def _make_nicer(pid: int) -> None:
    """Have it give way: pages can wait a moment, and due times cannot. What it starts later gives way, too."""
    with contextlib.suppress(OSError):  # it has ended already
        own = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, pid, min(_NICEST, own + _NICER_BY))


def _in_memory(content: bytes) -> int:
    """A file that is in no folder, open at its beginning."""
    descriptor = os.memfd_create("told", os.MFD_CLOEXEC)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
