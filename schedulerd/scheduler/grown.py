"""Which attempts have something to be read, and which of them can wait for it a little. No I/O here.

Most runs end soon after they have begun. That one has begun is no reason to read it: it is read once then, with all that
it came to, and not twice.
"""

import math
from typing import Final

BEGUN_SECONDS: Final = 0.1
"""So soon after it began an attempt is read, whatever it does."""


class Grown:
    """The folders of attempts that have something to be read, those first that were noted first."""

    def __init__(self) -> None:
        self._now: Final[dict[str, None]] = {}
        self._begun: Final[dict[str, float]] = {}

    def note(self, folder: str) -> None:
        """Read this one at once."""
        self._now[folder] = None

    def note_beginning(self, folder: str, now: float) -> bool:
        """This one seems to have begun just now: read it soon. False when it did so before, and is read at once instead."""
        if folder in self._begun:
            self.note(folder)
        if folder in self._now:
            return False
        self._begun[folder] = now + BEGUN_SECONDS
        return True

    def forget(self, folder: str) -> None:
        """All of this one has been read."""
        self._now.pop(folder, None)
        self._begun.pop(folder, None)

    def folders(self, now: float) -> list[str]:
        """Those to be read now, those among them that have waited for as long as they can."""
        for folder in [folder for folder, until in self._begun.items() if until <= now]:
            self.note(folder)
        return list(self._now)

    def patience(self, now: float) -> float:
        """Seconds until something is to be read; infinite when nothing is."""
        if self._now:
            return 0.0
        return max(0.0, min(self._begun.values(), default=math.inf) - now)
