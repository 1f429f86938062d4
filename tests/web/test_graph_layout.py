"""Where the nodes of a graph are drawn."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.graph import Cyclic
from schedulerd.web.graph_layout import NODE_HEIGHT, NODE_WIDTH, Edges, layout


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, Edges]:
    size = draw(st.integers(1, 25))
    names = draw(st.permutations(range(size)))
    pairs = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(
        lambda pair: pair[0] < pair[1]
    )
    edges = draw(st.sets(pairs, max_size=60)) if size > 1 else set[tuple[int, int]]()
    return size, tuple(sorted((names[a], names[b]) for a, b in edges))


@given(graphs())
def test_no_two_nodes_overlap_and_all_are_within_the_drawing(graph: tuple[int, Edges]) -> None:
    found = layout(*graph)

    for (x1, y1), (x2, y2) in combinations(found.corners, 2):
        assert abs(x1 - x2) >= NODE_WIDTH or abs(y1 - y2) >= NODE_HEIGHT
    for x, y in found.corners:
        assert 0 <= x <= found.width - NODE_WIDTH
        assert 0 <= y <= found.height - NODE_HEIGHT


@given(graphs())
def test_edges_lead_forward_and_pass_no_node(graph: tuple[int, Edges]) -> None:
    size, edges = graph
    found = layout(size, edges)

    for before, after in edges:
        way = [found.corners[before], *found.bends[before, after], found.corners[after]]
        assert all(a[0] + NODE_WIDTH < b[0] for a, b in pairwise(way))
        for x, height in found.bends[before, after]:
            beside = [y for column, y in found.corners if column == x]
            assert not any(y <= height <= y + NODE_HEIGHT for y in beside)


@given(graphs())
def test_the_same_graph_is_drawn_the_same_way(graph: tuple[int, Edges]) -> None:
    first = layout(*graph)

    layout.cache_clear()

    assert layout(*graph) == first


def test_a_circle_is_refused() -> None:
    with pytest.raises(Cyclic):
        layout(3, ((0, 1), (1, 2), (2, 0)))


def test_a_chain_is_a_straight_line_and_lines_do_not_cross_without_need() -> None:
    chain = layout(4, ((0, 1), (1, 2), (2, 3)))
    pairs = layout(4, ((0, 3), (1, 2)))

    assert len({y for _, y in chain.corners}) == 1
    assert (pairs.corners[0][1] < pairs.corners[1][1]) is (pairs.corners[3][1] < pairs.corners[2][1])


def test_nothing_is_drawn_of_nothing() -> None:
    assert layout(0, ()).corners == ()
