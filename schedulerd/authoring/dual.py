"""Functions that answer in sync code, and are awaited in async code, as many of Prefect 2's are."""

from __future__ import annotations

from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE
from sys import _getframe
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

T = TypeVar("T")

_ASYNC = CO_COROUTINE | CO_ASYNC_GENERATOR
_WITHIN = frozenset({"<lambda>", "<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>"})


def dual(work: Callable[[], T]) -> Any:
    """What `work` gives; where the caller of our caller is async code, something to be awaited for it.

    There it is done in a thread, so that the event loop goes on.
    """
    if _is_async(_getframe(2)):
        return aside(work)
    return work()


async def aside(work: Callable[[], T]) -> T:
    """What `work` gives, while the event loop goes on."""
    from asyncio import to_thread  # late: async code has loaded it already

    return await to_thread(work)


def _is_async(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_name in _WITHIN:
        frame = frame.f_back
    return frame is not None and bool(frame.f_code.co_flags & _ASYNC)
