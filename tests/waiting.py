"""Waiting for what happens elsewhere: in a thread, in a process, on disk."""

import time
from collections.abc import Callable
from threading import Event
from typing import Final, TypeVar

T = TypeVar("T")

SLOWER: Final = 6
"""How many times as slow as an idle machine, by which the deadlines of tests were chosen, a busy one may be."""


_SHORTEST_SECONDS: Final = 0.01
_LONGEST_SECONDS: Final = 0.05
_PART: Final = 10  # of what has been waited for already is waited until the next look


def eventually(condition: Callable[[], T], *, within: float = 5.0, every: float | None = None) -> T:
    """The first true value of `condition`; fails when there is none for `within` seconds, or many on a busy machine.

    Without `every` it is looked at often at first, and seldom where it takes long.
    """
    allowed = within * SLOWER
    pause, began = Event(), time.monotonic()
    while not (value := condition()):
        waited = time.monotonic() - began
        if waited >= allowed:
            raise AssertionError(f"not within {allowed:g} s; the last value was {value!r}")
        pause.wait(every or min(max(waited / _PART, _SHORTEST_SECONDS), _LONGEST_SECONDS))
    return value
