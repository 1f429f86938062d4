"""Tables for people: what gives way on a terminal, and that nothing does elsewhere."""

import pytest

from schedulerd.cli.tables import Cell, draw, wrapped
from tests.cli.scenes import Project


@pytest.mark.parametrize(
    ("width", "cell"), [(200, "n" * 59 + "…"), (None, "n" * 100)], ids=["terminal", "pipe"]
)
def test_a_very_long_name_is_cut_on_a_terminal_only(width: int | None, cell: str) -> None:
    rows = [[Cell("n" * 100), Cell("failed")]]

    lines = draw(["FLOW", "STATE"], rows, flexible=[False] * 2, right=[False] * 2, width=width)

    assert lines[1] == f"{cell}  failed"


def test_what_may_be_wide_has_the_whole_terminal() -> None:
    rows = [[Cell("etl"), Cell("e" * 100)]]

    lines = draw(["FLOW", "ERROR"], rows, flexible=[False, True], right=[False] * 2, width=200)

    assert lines[1].endswith("  " + "e" * 100)


def test_the_name_of_a_flow_is_whole_in_a_pipe(project: Project) -> None:
    project.add_flow("n" * 100)

    assert "n" * 100 in project.call("flows", "list").stdout


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one two three", None, ["one two three"]),
        ("한글 두 자", 7, ["한글 두", "자"]),
        ("much-too-long word", 4, ["much-too-long", "word"]),
        ("", 4, []),
    ],
)
def test_long_texts_go_on_below_between_words(text: str, width: int | None, lines: list[str]) -> None:
    assert wrapped(text, width) == lines
