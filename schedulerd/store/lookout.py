"""Looking again and again for something that mostly is not there: not while nobody has written to the database since."""

from collections.abc import Callable
from typing import Final


class Lookout:
    """Knows the mark of the database (`Database.mark`) from before a look that found nothing."""

    def __init__(self, mark: Callable[[], object]) -> None:
        self._mark: Final = mark
        self._before: object = None
        self._nothing_at: object = None

    def begin(self) -> bool:
        """To be asked before each look; False when there can be nothing that the last one has not found missing."""
        self._before = self._mark()
        return self._before != self._nothing_at

    def end(self, *, found: bool) -> None:
        """The look that was begun last has `found` something, or nothing."""
        self._nothing_at = None if found else self._before
