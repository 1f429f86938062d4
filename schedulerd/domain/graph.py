"""The order of a graph. Pure: nodes are numbers from 0, edges pairs (before, after)."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

TYPE_CHECKING = False  # typing would be the most expensive import of a flow file
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Cyclic(ValueError):
    """The edges lead in a circle: `cycle` holds its nodes in order, each once."""

    def __init__(self, cycle: Sequence[int]) -> None:
        super().__init__(f"the edges lead in a circle: {' -> '.join(map(str, [*cycle, cycle[0]]))}")
        self.cycle = tuple(cycle)


def topological_order(size: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """All nodes, each after those before it; what is free to choose stays in the order of the numbers.

    Raises `Cyclic` when there is no such order.
    """
    before = predecessors(size, edges := set(edges))
    after: list[list[int]] = [[] for _ in range(size)]
    for first, second in edges:
        after[first].append(second)
    waits_for = [len(nodes) for nodes in before]
    ready = [node for node in range(size) if not waits_for[node]]
    heapify(ready)
    order: list[int] = []
    while ready:
        node = heappop(ready)
        order.append(node)
        for later in after[node]:
            waits_for[later] -= 1
            if not waits_for[later]:
                heappush(ready, later)
    if len(order) < size:
        raise Cyclic(_a_cycle(before, left=set(range(size)).difference(order)))
    return order


def predecessors(size: int, edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    """For each node those directly before it, ascending."""
    before: list[set[int]] = [set() for _ in range(size)]
    for first, second in edges:
        before[second].add(first)
    return [sorted(nodes) for nodes in before]


def terminal(size: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """The nodes that none comes after, ascending."""
    followed = {first for first, _ in edges}
    return [node for node in range(size) if node not in followed]


def _a_cycle(before: list[list[int]], *, left: set[int]) -> list[int]:
    """One of the cycles, for a message: every node that is left has one before it that is left too."""
    path: list[int] = []
    node = min(left)
    while node not in path:
        path.append(node)
        node = next(earlier for earlier in before[node] if earlier in left)
    cycle = path[path.index(node) :]
    cycle.reverse()  # it was walked against the edges
    start = cycle.index(min(cycle))
    return cycle[start:] + cycle[:start]
