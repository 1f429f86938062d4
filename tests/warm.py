"""Calls of the program without the half second that Python takes to load it: each is forked from a process that has.

The process is one of its own, with its own arguments, environment, folder and streams, and with all that the program does
itself from its first line on. For what cannot be told it after Python has begun, such as what the loader is to load before
it, there is a process for each such environment: `can_be_forked` says whether it is worth that. `/proc` shows the command
line and the first environment of the process that it was forked from.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Final

_ROOT: Final = Path(__file__).parent.parent
_READ_AT_THE_START: Final = ("LD_", "LC_", "LANG", "CLOCKSHIFT_", "FAILSYNC_", "PYTHON")
_TAKEN_UP_LATER: Final = "PYTHONPATH"

Start = frozenset[tuple[str, str]]
"""The variables that are read when a process starts, and by nobody later."""


class Forked:
    """A process as `subprocess.Popen` has it."""

    def __init__(self, args: Sequence[str], pid: int, told: int) -> None:
        self.args = list(args)
        self.pid = pid
        self.returncode: int | None = None
        self._told = told

    def poll(self) -> int | None:
        """Its exit status, None while it goes on: who has ended and was not waited for a moment ago does not."""
        status = self._status(0)
        return self._status(None) if status is None and self._has_ended() else status

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status when it has ended. Raises `subprocess.TimeoutExpired`."""
        status = self._status(timeout)
        if status is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)
        return status

    def _has_ended(self) -> bool:
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
        except OSError:
            return True

    def _status(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            poll = select.poll()
            poll.register(self._told, select.POLLIN)
            if not poll.poll(None if timeout is None else timeout * 1_000):
                return None
            told = os.read(self._told, 16)
            os.close(self._told)
            assert told, "the process that has loaded the program has gone"
            self.returncode = int(told)
        return self.returncode

    def send_signal(self, sign: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sign)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.send_signal(signal.SIGKILL)


def can_be_forked(environ: Mapping[str, str]) -> bool:
    """Is this an environment like ours in all that a process reads at its start, or one that was asked about before?"""
    wanted = _of_the_start(environ)
    is_known = wanted in _asked_about
    _asked_about.add(wanted)
    return is_known or wanted == _of_the_start(os.environ)


_asked_about: Final[set[Start]] = set()


def _of_the_start(environ: Mapping[str, str]) -> Start:
    return frozenset(
        (name, value)
        for name, value in environ.items()
        if name.startswith(_READ_AT_THE_START) and name != _TAKEN_UP_LATER
    )


def start(
    words: Sequence[str],
    *,
    directory: Path,
    environ: Mapping[str, str],
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes],
    stderr: IO[bytes],
) -> Forked:
    """Call the program; `can_be_forked` with this environment."""
    told, tell = os.pipe()
    asked = {
        "words": list(words),
        "directory": str(directory),
        "environ": dict(environ),
        "umask": _umask(),
    }
    with open(os.devnull, "rb") as null:
        streams = [one.fileno() for one in (stdin or null, stdout, stderr)]
        line = _line(_of_the_start(environ))
        socket.send_fds(line, [json.dumps(asked).encode()], [*streams, tell])
        os.close(tell)
        return Forked(words, int(line.recv(16)), told)


def run(
    words: Sequence[str], *, directory: Path, environ: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Call the program, and wait until it has ended; what it said is text. Raises `subprocess.TimeoutExpired`."""
    with (
        open(os.memfd_create("stdout"), "w+b") as out,
        open(os.memfd_create("stderr"), "w+b") as err,
    ):
        called = start(words, directory=directory, environ=environ, stdout=out, stderr=err)
        try:
            status = called.wait(timeout)
        except subprocess.TimeoutExpired:
            called.kill()
            called.wait()
            raise
        return subprocess.CompletedProcess(called.args, status, _text(out), _text(err))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _umask() -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("Umask:")), 8)


@cache
def _line(start: Start) -> socket.socket:
    """The line to the process that has loaded the program in this environment; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    others = {name: value for name, value in os.environ.items() if not name.startswith(_READ_AT_THE_START)}
    with theirs:
        loaded = subprocess.Popen(
            [sys.executable, "-m", "tests.warm_program"],
            cwd=_ROOT,
            env={**others, **dict(start)},
            stdin=theirs.fileno(),
        )
    atexit.register(_end, ours, loaded)
    return ours


def _end(line: socket.socket, loaded: "subprocess.Popen[bytes]") -> None:
    line.close()
    loaded.wait()
