"""The core's side of a spawner: starts the program, asks it, and hears from it."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from schedulerd.engine import wire

_QUEUE_BYTES = 1 << 20  # room for thousands of requests, so that asking does not wait for a busy spawner


class SpawnerLink:
    """One spawner process and the connection to it."""

    def __init__(
        self, state_dir: Path, *, environ: Mapping[str, str], preload: Sequence[str] = (), spares: int = 0
    ) -> None:
        self._state_dir = state_dir
        self._preload = preload
        self._spares = spares
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self._socket, self._other = wire.pair()

    @property
    def pid(self) -> int | None:
        """The spawner's pid, None before `start`."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the program, if not yet. It is `exec`ed, so that it holds nothing of the daemon's (lock, port) when that dies."""
        if self._process is not None:
            return
        for end in (self._socket, self._other):
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                end.setsockopt(socket.SOL_SOCKET, option, _QUEUE_BYTES)
        descriptor = self._other.fileno()
        command = [sys.executable, "-P", "-m", "schedulerd.engine.spawner_program"]
        command += ["--state-dir", str(self._state_dir), "--socket", str(descriptor)]
        command += ["--spares", str(self._spares)]
        for module in self._preload:
            command += ["--preload", module]
        self._process = subprocess.Popen(
            command,
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
            env=dict(self._environ),
            cwd="/",
        )
        self._other.close()
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """For a poll."""
        return self._socket.fileno()

    def ask(self, message: wire.Message) -> bool:
        """Send a request; False when it could not be sent (the spawner is too busy, or gone): ask again later."""
        try:
            self._socket.send(wire.encode(message))
        except OSError:
            return False
        return True

    def heard(self) -> Iterator[wire.Message | None]:
        """The messages that have come; None, once and last, when the spawner has gone."""
        while True:
            try:
                message = wire.receive(self._socket)
            except BlockingIOError:
                return
            except OSError:
                message = None
            yield message
            if message is None:
                return

    def hang_up(self) -> None:
        """Let the spawner go: it ends when its runs have ended."""
        self._socket.close()
        self._other.close()  # still open where it could not be started

    def wait(self, seconds: float) -> bool:
        """Wait for the program's end; False when it goes on after that many seconds."""
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None

    def kill(self) -> None:
        """End the program at once: it does not answer. Its runs go on."""
        assert self._process is not None
        self._process.kill()

    def let_go(self) -> None:
        """Forget the process without waiting, when runs outlive this daemon."""
        if self._process is not None:
            self._process.returncode = (
                self._process.returncode or 0
            )  # no ResourceWarning: it goes on on purpose
