"""How much is measured: what takes minutes and is exact, or what takes seconds and finds what has gone badly wrong."""

from enum import Enum
from typing import TypeVar

T = TypeVar("T")


class Size(Enum):
    """`leeway` is how many times as easy a target is before a figure that misses it fails a check."""

    FULL = 1.0
    SMALL = 2.0

    @property
    def leeway(self) -> float:
        """By how much the machine may be to blame."""
        return self.value

    def pick(self, *, full: T, small: T) -> T:
        """The one for this size."""
        return full if self is Size.FULL else small
