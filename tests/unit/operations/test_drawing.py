"""A flow's graph as text."""

from schedulerd.operations.drawing import ascii_graph, dot_graph


def test_a_task_stands_below_all_that_it_waits_for() -> None:
    drawn = ascii_graph("diamond", ["a", "b", "c", "d"], [(0, 1), (0, 2), (1, 3), (2, 3)])

    assert drawn.splitlines() == [
        "diamond",
        "└─ a",
        "   └─ b  ← a",
        "   └─ c  ← a",
        "      └─ d  ← b, c",
    ]


def test_names_are_quoted_for_graphviz() -> None:
    assert '0 [label="say \\"hi\\" \\\\"];' in dot_graph("x", ['say "hi" \\'], [])
