"""`with tags("nightly"):` the runs of flows and tasks that begin inside bear these tags too."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from schedulerd.authoring.options import tags_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

present_tags: Final[ContextVar[tuple[str, ...]]] = ContextVar("present_tags", default=())


@contextmanager
def tags(*names: str) -> Iterator[set[str]]:
    """Add tags to the runs that begin inside; gives all that hold there."""
    held = tuple(dict.fromkeys((*present_tags.get(), *tags_of(names))))
    token = present_tags.set(held)
    try:
        yield set(held)
    finally:
        present_tags.reset(token)
