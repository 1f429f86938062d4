"""How much work something is, told by counting and not by the clock: a machine that is busy does not change it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from types import FrameType
from typing import Any

from schedulerd.authoring.time_limits import clear_mark


class Work:
    """What was done in a block of this thread."""

    def __init__(self) -> None:
        self.calls = 0

    def _count(self, _frame: FrameType, event: str, _argument: Any) -> None:
        self.calls += event in ("call", "c_call")


@contextmanager
def counted() -> Iterator[Work]:
    """Count the calls of functions, of Python's and of C's, and the steps of generators, that are made within."""
    work, before = Work(), sys.getprofile()
    clear_mark(get_ident())  # of a thread of another test, say, that sleeps: with it this one would spin
    sys.setprofile(work._count)
    try:
        yield work
    finally:
        sys.setprofile(before)
