"""The order of a graph."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.graph import Cyclic, predecessors, terminal, topological_order

Edges = list[tuple[int, int]]


@st.composite
def graphs_without_a_circle(draw: st.DrawFn) -> tuple[int, Edges]:
    size = draw(st.integers(min_value=1, max_value=12))
    names = draw(st.permutations(range(size)))
    pairs = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(
        lambda pair: pair[0] < pair[1]
    )
    edges = draw(st.lists(pairs, max_size=30)) if size > 1 else []
    return size, [(names[first], names[second]) for first, second in edges]


@given(graphs_without_a_circle())
def test_the_order_holds_every_node_once_and_respects_every_edge(graph: tuple[int, Edges]) -> None:
    size, edges = graph

    order = topological_order(size, edges)

    assert sorted(order) == list(range(size))
    assert all(order.index(first) < order.index(second) for first, second in edges)


@given(graphs_without_a_circle())
def test_an_edge_back_from_the_last_to_the_first_makes_a_circle_that_is_named(
    graph: tuple[int, Edges],
) -> None:
    size, edges = graph
    order = topological_order(size, edges)
    chain = list(itertools.pairwise(order))
    around = [*edges, *chain, (order[-1], order[0])]

    with pytest.raises(Cyclic) as caught:
        topological_order(size, around)

    cycle = caught.value.cycle
    steps = zip(cycle, [*cycle[1:], cycle[0]], strict=True)
    assert len(set(cycle)) == len(cycle)
    assert all(step in around for step in steps)


@pytest.mark.parametrize(
    ("size", "edges", "order"),
    [
        pytest.param(0, [], [], id="nothing"),
        pytest.param(3, [], [0, 1, 2], id="free nodes stay in the order of their numbers"),
        pytest.param(3, [(2, 0)], [1, 2, 0], id="a node moves only behind what it waits for"),
        pytest.param(4, [(0, 1), (0, 2), (1, 3), (2, 3)], [0, 1, 2, 3], id="diamond"),
        pytest.param(2, [(0, 1), (0, 1)], [0, 1], id="an edge said twice"),
    ],
)
def test_the_order_is_the_same_every_time(size: int, edges: Edges, order: list[int]) -> None:
    assert topological_order(size, edges) == order


def test_a_circle_is_named_from_its_smallest_node_and_without_what_hangs_on_it() -> None:
    with pytest.raises(Cyclic, match="1 -> 2 -> 1") as caught:
        topological_order(4, [(0, 1), (1, 2), (2, 1), (2, 3)])

    assert caught.value.cycle == (1, 2)


def test_a_node_before_itself_is_a_circle() -> None:
    with pytest.raises(Cyclic, match="0 -> 0"):
        topological_order(1, [(0, 0)])


def test_terminal_nodes_are_those_that_none_comes_after() -> None:
    assert terminal(4, [(0, 1), (0, 2)]) == [1, 2, 3]


def test_predecessors_are_ascending_and_each_once() -> None:
    assert predecessors(3, [(1, 2), (0, 2), (1, 2)]) == [[], [], [0, 1]]
