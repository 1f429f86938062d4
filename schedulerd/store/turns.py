"""Turns of the threads of one process that write: whoever waits longest is next.

SQLite's lock has no queue. Who finds it taken looks again after longer and longer pauses, and among many that do, one may find
it taken each time until its time is over.
"""

from collections import deque
from threading import Lock
from typing import Final


class Turns:
    """One thread at a time."""

    def __init__(self) -> None:
        self._guard: Final = Lock()
        self._waiting: Final[deque[Lock]] = deque()
        self._is_taken = False

    def take(self, *, seconds: float) -> bool:
        """Wait for one's turn; False when it has not come in time. Who has taken it gives it on."""
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return True
            called = Lock()
            called.acquire()
            self._waiting.append(called)
        return called.acquire(timeout=seconds) or self._was_called_meanwhile(called)

    def give_on(self) -> None:
        """Let the next one go on."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False

    def _was_called_meanwhile(self, called: Lock) -> bool:
        with self._guard:
            if called not in self._waiting:
                return True
            self._waiting.remove(called)
            return False
