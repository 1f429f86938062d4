"""Keeps the daemon up between the deeds, as a service manager does, and knows which of its ends were meant."""

import contextlib
import signal
from collections.abc import Mapping
from typing import Final

from schedulerd.clock import SystemClock
from tests.service import Service, process_state

_CLOCK: Final = SystemClock()
_START_PAUSE: Final = 0.5
_STOP_PATIENCE: Final = 40.0
_STORE_PATIENCE: Final = 5.0


class Supervisor:
    """Starts the daemon of a service when it has ended; `look` is to be called often."""

    def __init__(self, service: Service, environ: Mapping[str, str]) -> None:
        self._service = service
        self._environ = environ
        self._expected: str | None = None
        self._expected_since = 0.0
        self._away = 0.0
        self._up_at = 0.0
        self._was_up = False
        self._readies = 0
        self._store_troubled_at = float("-inf")
        self.complaints: list[str] = []

    @property
    def pid(self) -> int | None:
        """The daemon's pid while it is there."""
        process = self._service.process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def is_up(self) -> bool:
        """Is the daemon there, is it ready, and is nothing meant to end it?"""
        return self.pid is not None and self._is_ready() and self._expected is None

    def expect_end(self, why: str, *, away: float) -> None:
        """The daemon is about to end, and is to be away for so long."""
        self._expected, self._expected_since, self._away = why, _CLOCK.monotonic(), away

    def expect_no_end(self, why: str) -> None:
        """What was to end it for this reason could not be said to it."""
        if self._expected == why:
            self._expected = None

    def excuse_store(self) -> None:
        """The database is in trouble now: a daemon that cannot begin without it may end."""
        self._store_troubled_at = _CLOCK.monotonic()

    def hurry(self) -> None:
        """Have it up at once from now on."""
        self._up_at = self._away = 0.0

    def look(self) -> str | None:
        """Start what should be there; how the daemon ended, when it did so since the last look."""
        now = _CLOCK.monotonic()
        if self.pid is not None:
            self._hurry_end(now)
            return None
        ended = self._note_end(now) if self._was_up else None
        if now >= self._up_at:
            self._readies = self._service.said("ready")
            self._service.start(wait=False, environ=self._environ)
            self._expected, self._was_up = None, True
        return ended

    def _is_ready(self) -> bool:
        return self._service.said("ready") > self._readies

    def _note_end(self, now: float) -> str:
        process = self._service.process
        status = None if process is None else process.returncode
        self._was_up = False
        self._up_at = now + (self._away if self._expected is not None else _START_PAUSE)
        excused = now - self._store_troubled_at < _STORE_PATIENCE and not self._is_ready()
        if self._expected is None and not excused:
            last_words = self._service.log.read_text()[-1_500:]
            self.complaints.append(f"the daemon ended by itself with status {status}: {last_words}")
        return f"the daemon has ended: {status}, {self._expected or 'by itself'}"

    def _hurry_end(self, now: float) -> None:
        process = self._service.process
        if process is None or self._expected is None or process_state(process.pid) == "T":
            return
        if now - self._expected_since > _STOP_PATIENCE:
            self.complaints.append(f"the daemon did not end ({self._expected}) for {_STOP_PATIENCE:g} s")
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
