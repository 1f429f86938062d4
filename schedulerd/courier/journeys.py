"""Has a courier run errands: a process with a time limit, looked after without waiting for it."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Final

from schedulerd.courier.errands import Answer, Errand, errands_line, read_answers

LIMIT_SECONDS: Final = 45.0
"""How long a courier may take; then it is killed, and what it has not answered has failed."""

_COMMAND: Final = (sys.executable, "-m", "schedulerd.courier")


class Journey:
    """One courier on its way with errands. To be looked at again and again, until it gives the answers."""

    def __init__(self, errands: Sequence[Errand], environ: Mapping[str, str], *, now: float) -> None:
        """Send it off; raises `OSError` where no process can be started. `now` is monotonic."""
        self.errands: Final = errands
        self._deadline: Final = now + LIMIT_SECONDS
        # files rather than pipes: nobody need read or write for the other to get on; in memory, for a disk may be full
        self._output: Final = _memory()
        with _memory() as given:
            given.write(errands_line(errands))
            given.seek(0)
            self._process: Final = subprocess.Popen(
                _COMMAND,
                stdin=given,
                stdout=self._output,
                stderr=subprocess.DEVNULL,
                env=dict(environ),
                cwd="/",
                process_group=0,
            )

    def look(self, now: float) -> list[Answer] | None:
        """The answers, once it is back or its time is over; None while it is on its way."""
        if self._process.poll() is not None:
            return self._answers(f"the courier ended with status {self._process.returncode}")
        if now < self._deadline:
            return None
        self.kill()
        return self._answers(f"no answer within {LIMIT_SECONDS:.0f} s")

    def kill(self) -> None:
        """End it, now."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> list[Answer]:
        """The answers that there are; it goes no further."""
        self.kill()
        return self._answers("it was broken off, because the daemon stops")

    def _answers(self, otherwise: str) -> list[Answer]:
        with self._output:
            self._output.seek(0)
            return read_answers(self._output.read(), self.errands, otherwise=otherwise)


def _memory() -> IO[bytes]:
    return os.fdopen(os.memfd_create("courier", os.MFD_CLOEXEC), "w+b")
