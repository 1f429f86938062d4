"""An object in place of a function: what it takes over from it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_CO_COROUTINE = 0x80  # inspect.CO_COROUTINE, without the import of inspect


def wrap(wrapper: Any, fn: Callable[..., Any]) -> None:
    """Let `inspect.signature()`, `help()` and pickle see the function; what functools.wraps does, without its import."""
    wrapper.__wrapped__ = fn
    wrapper.__name__ = name_of(fn)
    wrapper.__qualname__ = getattr(fn, "__qualname__", wrapper.__name__)
    wrapper.__module__ = getattr(fn, "__module__", __name__)
    wrapper.__doc__ = getattr(fn, "__doc__", None)


def name_of(fn: Callable[..., Any]) -> str:
    """The name of a function, or of the class of a callable that has none."""
    return str(getattr(fn, "__name__", type(fn).__name__))


def doc_of(fn: Callable[..., Any]) -> str:
    """The docstring of a function, or an empty text."""
    return getattr(fn, "__doc__", None) or ""


def is_async_function(fn: Callable[..., Any]) -> bool:
    """Was it written with `async def`?"""
    code = getattr(fn, "__code__", None)
    return bool(getattr(code, "co_flags", 0) & _CO_COROUTINE)
