"""Whether a spawner still answers: one that hangs or was stopped would keep all runs waiting for ever. No I/O here."""

from collections.abc import Callable
from typing import Final

ASK_SECONDS: Final = 5.0
"""How often it is asked."""

PATIENCE_SECONDS: Final = 30.0
"""How long it may take to answer: it answers between two things, each of which takes milliseconds."""

_LONGEST_LOOK_SECONDS: Final = 2.0  # between two looks; what is beyond, we were stopped ourselves, or asleep


class Pulse:
    """The pulse of one spawner; `ask` sends the question, False when that was not possible."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._is_waiting = False
        self._looked_at: float | None = None
        self._waited = 0.0

    def answered(self) -> None:
        """It has answered; a question that comes twice does no harm."""
        self._is_waiting = False
        self._waited = 0.0

    def has_stopped(self, now: float) -> bool:
        """Ask when it is time; True when the answer is long overdue. To be called at least each second.

        Only time in which we looked ourselves counts: after a suspend its answer may lie unread.
        """
        passed = 0.0 if self._looked_at is None else now - self._looked_at
        self._looked_at = now
        self._waited += min(passed, _LONGEST_LOOK_SECONDS)
        if not self._is_waiting and self._waited >= ASK_SECONDS:
            self._is_waiting = (
                True  # also where it could not be asked, for its socket is full: it does not read
            )
            self._waited = 0.0
            self._ask()
        return self._is_waiting and self._waited >= PATIENCE_SECONDS
