"""Waiting for what happens elsewhere: in a thread, in a process, on disk."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

T = TypeVar("T")


def eventually(condition: Callable[[], T], *, within: float = 5.0, every: float = 0.02) -> T:
    """The first true value of `condition`; fails when there is none for `within` seconds."""
    pause, deadline = Event(), time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {within:g} s; the last value was {value!r}")
        pause.wait(every)
    return value
