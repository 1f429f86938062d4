"""A graph as a template draws it: boxes, ways between them, and how many of a box's tasks are in which state. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from schedulerd.domain.graph import topological_order
from schedulerd.domain.run_graphs import RunGraph, RunNode
from schedulerd.operations.graphs import FlowGraph, UsualTask
from schedulerd.web.graph_layout import NODE_HEIGHT, NODE_WIDTH, Layout, Point, layout
from schedulerd.widths import display_width

BAR_WIDTH: Final = NODE_WIDTH - 16
_MOST_CELLS: Final = 19  # of 12 px type, beside the icon
NOT_BEGUN: Final = "none"
"""The state of what has not begun, of a run that is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """The task runs of a box that are in one state: so many, and so wide from `x` on in its bar."""

    state: str
    count: int
    x: int
    width: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A node at a place; `label` is its name, shortened where it is long. `after` are the keys of those that come after it."""

    node: RunNode
    label: str
    state: str
    x: int
    y: int
    parts: tuple[Part, ...]
    after: tuple[str, ...]
    usual: UsualTask | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """An edge between the boxes with these keys, as a path."""

    before: str
    after: str
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphView:
    """The boxes in an order in which they can run, and the ways between them."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    ways: tuple[Way, ...]
    left_out: int
    edges_left_out: int


def view_of_run(graph: RunGraph, *, is_over: bool) -> GraphView:
    """What has not begun is pending, unless the run is over."""
    return _view(graph, unbegun=NOT_BEGUN if is_over else "pending", usual={})


def view_of_flow(found: FlowGraph) -> GraphView:
    """The tasks are in no state; how they usually do is said instead."""
    return _view(found.graph, unbegun="", usual=found.usual)


def _view(graph: RunGraph, *, unbegun: str, usual: Mapping[str, UsualTask]) -> GraphView:
    places = layout(len(graph.nodes), graph.edges)
    after: dict[int, list[int]] = {}
    for first, second in graph.edges:
        after.setdefault(first, []).append(second)
    boxes = [
        _box(graph, number, places.corners[number], after.get(number, ()), unbegun, usual)
        for number in topological_order(len(graph.nodes), graph.edges)
    ]
    keys = [node.key for node in graph.nodes]
    ways = [Way(before=keys[a], after=keys[b], path=_path(places, a, b)) for a, b in graph.edges]
    return GraphView(
        width=places.width,
        height=places.height,
        boxes=tuple(boxes),
        ways=tuple(ways),
        left_out=graph.left_out,
        edges_left_out=graph.edges_left_out,
    )


def _box(
    graph: RunGraph,
    number: int,
    corner: Point,
    after: Iterable[int],
    unbegun: str,
    usual: Mapping[str, UsualTask],
) -> Box:
    node = graph.nodes[number]
    return Box(
        node=node,
        label=_short(node.name),
        state=node.state.value if node.state and unbegun else unbegun,
        x=corner[0],
        y=corner[1],
        parts=_parts(node) if node.is_group and unbegun else (),
        after=tuple(graph.nodes[one].key for one in after),
        usual=usual.get(node.name),
    )


def _parts(node: RunNode) -> tuple[Part, ...]:
    """The bar of a group, whole: each state has its share, and what there is at all can be seen."""
    counts = list(node.counts.items())
    widths = [max(3, BAR_WIDTH * count // node.total) for _, count in counts]
    if widths:
        widest = widths.index(max(widths))
        widths[widest] += BAR_WIDTH - sum(widths)
    starts = accumulate(widths, initial=0)
    return tuple(
        Part(state=state.value, count=count, x=x, width=width)
        for (state, count), width, x in zip(counts, widths, starts, strict=False)
    )


def _short(name: str) -> str:
    if display_width(name) <= _MOST_CELLS:
        return name
    shown = name
    while display_width(shown) >= _MOST_CELLS:
        shown = shown[:-1]
    return shown + "…"


def _path(places: Layout, first: int, last: int) -> str:
    """From the right side of the one to the left side of the other, and past what stands between them."""
    x, y = places.corners[first][0] + NODE_WIDTH, places.corners[first][1] + NODE_HEIGHT // 2
    parts = [f"M{x} {y}"]
    for bend_x, bend_y in places.bends[first, last]:
        parts.append(f"{_curve(x, y, bend_x, bend_y)}h{NODE_WIDTH}")
        x, y = bend_x + NODE_WIDTH, bend_y
    end = places.corners[last]
    return "".join([*parts, _curve(x, y, end[0], end[1] + NODE_HEIGHT // 2)])


def _curve(x: int, y: int, to_x: int, to_y: int) -> str:
    if y == to_y:
        return f"H{to_x}"
    middle = (x + to_x) // 2
    return f"C{middle} {y} {middle} {to_y} {to_x} {to_y}"
