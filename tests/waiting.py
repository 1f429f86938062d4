"""Waiting for what happens elsewhere: in a thread, in a process, on disk."""

import time
from collections.abc import Callable
from threading import Event
from typing import Final, TypeVar

T = TypeVar("T")

SLOWER: Final = 6
"""How many times as slow as an idle machine, by which the deadlines of tests were chosen, a busy one may be."""


def eventually(condition: Callable[[], T], *, within: float = 5.0, every: float = 0.02) -> T:
    """The first true value of `condition`; fails when there is none for `within` seconds, or many on a busy machine."""
    allowed = within * SLOWER
    pause, deadline = Event(), time.monotonic() + allowed
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {allowed:g} s; the last value was {value!r}")
        pause.wait(every)
    return value
