"""Where the nodes of a graph are drawn, from left to right: in layers, with few crossings, and ways that are as straight as can be.

Pure, and the same for the same edges: a node stays where it is as long as no other comes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from statistics import fmean, median
from typing import Final

from schedulerd.domain.graph import predecessors, topological_order

NODE_WIDTH: Final = 184
NODE_HEIGHT: Final = 44
STEP: Final = NODE_WIDTH + 64
"""From one layer to the next."""

_GAP: Final = 16
_BEND_HEIGHT: Final = 4
_MARGIN: Final = 8
_SWEEPS: Final = 4
_MOST_BENDS: Final = 4_000

Edges = tuple[tuple[int, int], ...]
Point = tuple[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The upper left corner of each node, and for each edge the heights at which it passes the layers between its ends."""

    width: int
    height: int
    corners: tuple[Point, ...]
    bends: Mapping[tuple[int, int], tuple[Point, ...]]


@lru_cache(maxsize=16)  # a large one takes 0.3 MB, and few are looked at at once
def layout(size: int, edges: Edges) -> Layout:
    """Lay out the nodes 0 to `size` - 1. Raises `Cyclic` where the edges lead in a circle."""
    layer_of = _layer_of(size, edges)
    rows = _Rows(layer_of, edges)
    for sweep in range(_SWEEPS):
        rows.order(is_forward=sweep % 2 == 0)
    middles = rows.heights()
    corners = tuple(
        (_MARGIN + layer_of[node] * STEP, round(middles[node]) - NODE_HEIGHT // 2) for node in range(size)
    )
    bends = {
        edge: tuple((_MARGIN + rows.layer_of[bend] * STEP, round(middles[bend])) for bend in found)
        for edge, found in rows.bends.items()
    }
    width = 2 * _MARGIN + NODE_WIDTH + max(layer_of, default=0) * STEP
    lowest = max((round(one) for one in middles), default=0)
    return Layout(width=width, height=lowest + NODE_HEIGHT // 2 + _MARGIN, corners=corners, bends=bends)


def _layer_of(size: int, edges: Edges) -> list[int]:
    """How many nodes the longest way to each has: no edge leads within a layer, or back."""
    before = predecessors(size, edges)
    layers = [0] * size
    for node in topological_order(size, edges):
        layers[node] = 1 + max((layers[one] for one in before[node]), default=-1)
    return layers


class _Rows:
    """The layers: each with its nodes from top to bottom, and with a bend for each edge that passes through it.

    Nodes have the numbers that they have, bends those after them.
    """

    def __init__(self, layer_of: Sequence[int], edges: Edges) -> None:
        self.size: Final = len(layer_of)
        self.layer_of: Final = list(layer_of)
        self.bends: Final[dict[tuple[int, int], list[int]]] = {edge: [] for edge in edges}
        is_bent = sum(layer_of[b] - layer_of[a] - 1 for a, b in edges) <= _MOST_BENDS
        links: list[tuple[int, int]] = []
        for edge in edges:
            links += pairwise(self._way(edge) if is_bent else edge)
        everything = len(self.layer_of)
        self._before: Final[list[list[int]]] = [[] for _ in range(everything)]
        self._after: Final[list[list[int]]] = [[] for _ in range(everything)]
        for first, second in links:
            self._before[second].append(first)
            self._after[first].append(second)
        self._layers: Final[list[list[int]]] = [[] for _ in range(1 + max(self.layer_of, default=-1))]
        for one, layer in enumerate(self.layer_of):
            self._layers[layer].append(one)

    def _way(self, edge: tuple[int, int]) -> list[int]:
        first, last = edge
        for layer in range(self.layer_of[first] + 1, self.layer_of[last]):
            self.bends[edge].append(len(self.layer_of))
            self.layer_of.append(layer)
        return [first, *self.bends[edge], last]

    def order(self, *, is_forward: bool) -> None:
        """Sort each layer by where that which is linked with it on one side stands on average."""
        place: dict[int, float] = {}
        for layer, beside in self._side(is_forward=is_forward):
            was = {one: number for number, one in enumerate(layer)}
            layer.sort(key=lambda one: fmean(place[two] for two in beside[one]) if beside[one] else was[one])
            place |= {one: number for number, one in enumerate(layer)}

    def heights(self) -> list[float]:
        """The height of the middle of each: near the median of what is linked with it, below what stands above it."""
        middles = [0.0] * len(self.layer_of)
        for layer in self._layers:
            for one, below in zip(layer, self._offsets(layer), strict=True):
                middles[one] = below
        for sweep in range(_SWEEPS):
            for layer, beside in self._side(is_forward=sweep % 2 == 0):
                wanted = [
                    median(middles[two] for two in beside[one]) if beside[one] else middles[one]
                    for one in layer
                ]
                for one, middle in zip(layer, _apart(wanted, self._offsets(layer)), strict=True):
                    middles[one] = middle
        top = min((middles[one] - self._height(one) / 2 for one in range(len(middles))), default=0.0)
        return [middle - top + _MARGIN for middle in middles]

    def _side(self, *, is_forward: bool) -> list[tuple[list[int], list[list[int]]]]:
        """The layers in the order in which they are looked at, and what is linked with each of them on the side before that."""
        if is_forward:
            return [(layer, self._before) for layer in self._layers]
        return [(layer, self._after) for layer in reversed(self._layers)]

    def _height(self, one: int) -> int:
        return NODE_HEIGHT if one < self.size else _BEND_HEIGHT

    def _offsets(self, layer: Sequence[int]) -> list[float]:
        """How far the middle of each of a layer is below that of the first at least."""
        steps = [_GAP + (self._height(a) + self._height(b)) / 2 for a, b in pairwise(layer)]
        return list(accumulate(steps, initial=0.0)) if layer else []


def _apart(wanted: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """The heights nearest to those that are wanted, by squares, which are as far from each other as the offsets are at least.

    Without the offsets they may not descend: that is isotonic regression, by pooling adjacent violators.
    """
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, weight = want - offset, 1
        while pools and pools[-1][0] > mean:
            before, heavy = pools.pop()
            mean, weight = (before * heavy + mean * weight) / (heavy + weight), heavy + weight
        pools.append((mean, weight))
    flat = [mean for mean, weight in pools for _ in range(weight)]
    return [one + offset for one, offset in zip(flat, offsets, strict=True)]
