"""Arguments of a node: constants, and places that are filled with results when the flow runs."""

from __future__ import annotations

from schedulerd.authoring.annotations import Marked, allow_failure, flatten, mapped, quote, unmapped
from schedulerd.authoring.nodes import Node, Parameter
from schedulerd.authoring.tasks import Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Source = Node | Parameter

_SEQUENCES = (list, tuple, set)


class Container:
    """A list, tuple, set or dict with places in it. What holds none stays the constant that it is."""

    __slots__ = ("kind", "parts")

    def __init__(self, kind: type, parts: list[Any]) -> None:
        self.kind = kind
        self.parts = parts


class Each:
    """An argument that is mapped over: each task of the `.map()` is given one item of it."""

    __slots__ = ("bound",)

    def __init__(self, bound: Any) -> None:
        self.bound = bound


class Flat:
    """A place that is filled with a list of lists, made one list."""

    __slots__ = ("bound",)

    def __init__(self, bound: Any) -> None:
        self.bound = bound


class Links:
    """What the arguments of a node come from: whole, or item by item; and what of it may fail."""

    __slots__ = ("items", "take", "tolerated", "whole")

    def __init__(self, take: Callable[[Any], Source]) -> None:
        self.take = take
        self.whole: list[Source] = []
        self.items: list[Source] = []
        self.tolerated: list[Source] = []

    def sources(self) -> list[Source]:
        """All of them."""
        return self.whole + self.items


def bind_argument(value: Any, links: Links, *, is_mapped: bool) -> Any:
    """One argument with its marks read and its tasks and parameters replaced by what `links` makes of them."""
    if isinstance(value, Marked):
        return _bind_marked(value, links, is_mapped=is_mapped)
    if not is_mapped:
        return bind(value, links.take, links.whole)
    bound = bind(value, links.take, [])
    if isinstance(bound, Node | Parameter):
        links.items.append(bound)
    else:
        bind(value, links.take, links.whole)
    return Each(bound)


def _bind_marked(value: Marked, links: Links, *, is_mapped: bool) -> Any:
    kind = type(value)
    if kind is unmapped or kind is mapped:
        return bind_argument(value.value, links, is_mapped=kind is mapped)
    if kind is quote:
        return Each(value.value) if is_mapped else value.value
    if kind is flatten:
        inner = value.value
        if isinstance(inner, unmapped):
            inner, is_mapped = inner.value, False
        flat = Flat(bind(inner, links.take, links.whole))
        return Each(flat) if is_mapped else flat
    assert kind is allow_failure
    known = len(links.whole), len(links.items)
    bound = bind_argument(value.value, links, is_mapped=is_mapped)
    links.tolerated += links.whole[known[0] :] + links.items[known[1] :]
    return bound


def bind(value: Any, take: Callable[[Any], Source], sources: list[Source]) -> Any:
    """The value with its tasks and parameters replaced by what `take` makes of them; these are added to `sources`."""
    if isinstance(value, Node | Task | Parameter):
        source = take(value)
        sources.append(source)
        return source
    kind = type(value)
    if kind not in _SEQUENCES and kind is not dict:
        return value
    known = len(sources)
    parts = [bind(part, take, sources) for part in (value.items() if kind is dict else value)]
    return Container(kind, parts) if len(sources) > known else value


def fill(bound: Any, results: Mapping[Source, Any]) -> Any:
    """The bound value with every place filled."""
    kind = type(bound)
    if kind is Node or kind is Parameter:
        return results[bound]
    if kind is Container:
        return bound.kind([fill(part, results) for part in bound.parts])
    if kind is Flat:
        return [item for part in items_of(fill(bound.bound, results)) for item in items_of(part)]
    if isinstance(bound, Parameter):
        return results[bound]
    return bound


def items_of(value: Any) -> list[Any]:
    """What a value has to be mapped over; raises `TypeError` for what has nothing, a dict included."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) or not (hasattr(value, "__iter__") or hasattr(value, "__getitem__")):
        from schedulerd.authoring.previews import readable  # late: seldom needed

        hint = "map over its .items()" if isinstance(value, dict) else "put it into unmapped(...)"
        raise TypeError(f"{readable(value)} cannot be mapped over: it is no list; {hint}")
    return list(value)
