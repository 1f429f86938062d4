"""What a flow returns while its file is being loaded: it tolerates what people do with a result."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Any, Final, NoReturn, Self

# `if state.is_failed(): sys.exit(1)` and `while state.is_running(): ...` must not be entered.
_UNTRUE: Final = frozenset(
    {"is_failed", "is_crashed", "is_cancelled", "is_cancelling", "is_running", "is_pending", "is_scheduled"}
    | {"is_paused", "is_skipped", "is_retrying"}
)
_TEXT: Final = "(not run while its file is loaded)"


class Placeholder:
    """Stands for the result of a run that did not take place.

    Attributes, calls, items, arithmetic and awaiting give a placeholder; it is true, equal to everything, and empty
    when iterated over, so that neither `assert` nor a loop stops the loading of a file.
    """

    def __init__(self, *, truth: bool = True) -> None:
        self._truth = truth

    def __getattr__(self, name: str) -> Placeholder:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # protocols (copy, pickle, numpy) must see that they are not supported
        return Placeholder(truth=name not in _UNTRUE)

    def _same(self, *args: object, **kwargs: object) -> Self:
        return self

    def _true(self, other: object) -> bool:
        return True

    def _untrue(self, other: object) -> bool:
        return False

    def _zero(self) -> int:
        return 0

    def _text(self, spec: str = "") -> str:
        return _TEXT

    def __float__(self) -> float:
        return 0.0

    def __bool__(self) -> bool:
        return self._truth

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __setitem__(self, key: object, value: object) -> None:
        """Forget it."""

    def __delitem__(self, key: object) -> None:
        """Forget it."""

    def __exit__(self, *about: object) -> None:
        """Let what was raised in the block pass."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *about: object) -> None:
        """Let what was raised in the block pass."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> NoReturn:
        raise StopAsyncIteration

    def __await__(self) -> Generator[Any, Any, Self]:
        yield from ()
        return self

    __hash__ = object.__hash__
    __call__ = __getitem__ = __enter__ = _same
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = _true
    __ne__ = __contains__ = _untrue
    __len__ = __int__ = __index__ = _zero
    __str__ = __repr__ = __format__ = _text
    __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __matmul__ = _same
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = _same
    __rmatmul__ = __and__ = __or__ = __xor__ = __rand__ = __ror__ = __rxor__ = _same
    __lshift__ = __rshift__ = __rlshift__ = __rrshift__ = __divmod__ = __rdivmod__ = _same
    __neg__ = __pos__ = __abs__ = __invert__ = __round__ = _same


class PlaceholderCoroutine(Placeholder):
    """What an async flow's call returns while loading: `asyncio.run()` takes it, and it may stay unawaited."""

    def send(self, value: object) -> NoReturn:
        """End at once, with a placeholder."""
        raise StopIteration(Placeholder())

    def throw(self, kind: Any, value: Any = None, traceback: Any = None) -> NoReturn:
        """Raise what was thrown in."""
        raise kind if value is None else value

    def close(self) -> None:
        """Nothing is open."""
