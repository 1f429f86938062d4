"""What a thread sees to again and again: a bug in one keeps no other from its work, and fills no log."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from schedulerd.errors import StoreUnavailable

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS: Final = 600.0


class Chore:
    """`trouble` says that it does not work, and is empty while it does."""

    def __init__(self, name: str, look: Callable[[datetime, float], None]) -> None:
        self._name: Final = name
        self._look: Final = look
        self._pause = 1.0
        self._again_at = float("-inf")
        self.trouble = ""

    def look(self, now: datetime, monotonic: float) -> None:
        """See to it, when it is time. Never raises."""
        if monotonic < self._again_at:
            return
        try:
            self._look(now, monotonic)
        except StoreUnavailable:
            return  # the core says so; nothing is lost by it
        except Exception as error:  # border: around one look
            self._again_at = monotonic + self._pause
            log.exception("herald_failed", extra={"part": self._name, "again_in": f"{self._pause:g}s"})
            self.trouble = f"{self._name}: {type(error).__name__}, see the daemon's log (herald_failed)"
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        else:
            self._pause, self.trouble = 1.0, ""
