"""What an argument of a task may be marked as, in both styles."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Marked:
    """A value with a mark."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def unwrap(self) -> Any:
        """The value without its mark."""
        return self.value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.value == other.value

    __hash__ = None  # type: ignore[assignment]


class unmapped(Marked):  # noqa: N801  Prefect's name, as of the others
    """Given whole to every task of a `.map()`."""

    __slots__ = ()


class mapped(Marked):  # noqa: N801
    """Of the graph style: in a plain call of a task, this argument is mapped over."""

    __slots__ = ()


class flatten(Marked):  # noqa: N801
    """Of the graph style: a list of lists is taken as one list."""

    __slots__ = ()


class allow_failure(Marked):  # noqa: N801
    """The task runs though what comes before it failed; it is given the exception."""

    __slots__ = ()


class quote(Marked):  # noqa: N801
    """Not searched for futures, which is dear for a large value; given as it is."""

    __slots__ = ()
