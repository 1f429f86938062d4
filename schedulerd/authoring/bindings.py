"""Arguments of a node: constants, and places that are filled with results when the flow runs."""

from __future__ import annotations

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
    return bound
