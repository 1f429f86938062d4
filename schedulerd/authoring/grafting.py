"""One drawn flow within another: its tasks, edges and parameters taken over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schedulerd.authoring.bindings import Container, Each, Flat
from schedulerd.authoring.nodes import Node, Parameter

if TYPE_CHECKING:
    from typing import Any

    from schedulerd.authoring.drawing import Drawing


def graft(source: Drawing, into: Drawing, *, merge_parameters: bool) -> None:
    """Draw all that stands in `source` once more in `into`.

    Raises `ValueError` for a parameter whose name is taken there, unless such are to be made one.
    """
    if source is into:
        raise ValueError(f"flow {into.name!r} cannot be added to itself")
    places: dict[Node | Parameter, Node | Parameter] = {}
    for name, parameter in source.inputs.items():
        taken = into.inputs.get(name)
        places[parameter] = taken if taken is not None and merge_parameters else into.take(parameter)
    for node in source.nodes:
        places[node] = into.graft(node)
    for node in source.nodes:
        made = places[node]
        assert isinstance(made, Node)
        made.args = tuple([_moved(value, places) for value in node.args])
        made.kwargs = {key: _moved(value, places) for key, value in node.kwargs.items()}
        if node.is_mapped:
            made.is_mapped = True
        made.items_of = _numbers(node.items_of, source, places)
        made.tolerates = _numbers(node.tolerates, source, places)
    for first, second in source.edges:
        into.edges[_number(source.nodes[first], places), _number(source.nodes[second], places)] = None


def _moved(bound: Any, places: dict[Node | Parameter, Node | Parameter]) -> Any:
    if isinstance(bound, Node | Parameter):
        return places[bound]
    if isinstance(bound, Container):
        return Container(bound.kind, [_moved(part, places) for part in bound.parts])
    if isinstance(bound, Each | Flat):
        return type(bound)(_moved(bound.bound, places))
    return bound


def _number(node: Node, places: dict[Node | Parameter, Node | Parameter]) -> int:
    made = places[node]
    assert isinstance(made, Node)
    return made.number


def _numbers(
    numbers: frozenset[int], source: Drawing, places: dict[Node | Parameter, Node | Parameter]
) -> frozenset[int]:
    return frozenset(_number(source.nodes[number], places) for number in numbers)
