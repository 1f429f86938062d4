"""Errors point at what is wrong, and the caret stands right in a terminal."""

import pytest

from schedulerd.errors import MOST_SHOWN, BadExpression
from schedulerd.widths import display_width


def pointed(expression: str, start: int, end: int | None = None) -> list[str]:
    return BadExpression("wrong", expression=expression, start=start, end=end).caret().split("\n")


@pytest.mark.parametrize(
    ("expression", "token", "carets"),
    [
        ("*/5 25 * * *", "25", "    ^^"),
        ("월 25 * * *", "25", "   ^^"),
        ("0 0 * * 월요일", "월요일", "        ^^^^^^"),
        ("*/5\t25 * * *", "25", "   \t^^"),
        ("e\u0301 25", "25", "  ^^"),
        ("a\x1b[1m 25", "25", "      ^^"),
    ],
    ids=["plain", "after Hangul", "Hangul", "after a tab", "after a combining mark", "after an escape"],
)
def test_carets_stand_under_the_token(expression: str, token: str, carets: str) -> None:
    start = expression.index(token)

    _, marked = pointed(expression, start, start + len(token))

    assert marked == carets


def test_the_tab_before_a_caret_is_the_one_of_the_expression() -> None:
    shown, marked = pointed("1\t\t99", 3)

    assert shown.expandtabs().index("99") == marked.expandtabs().index("^^")


def test_what_a_terminal_would_obey_is_shown_as_a_sign() -> None:
    shown, _ = pointed("\x1b[31m \n \u202e", 0)

    assert shown == "\ufffd[31m \ufffd \ufffd"


def test_the_end_of_an_expression_can_be_pointed_at() -> None:
    assert pointed("1,", 2, 2) == ["1,", "  ^"]


@pytest.mark.parametrize("start", [0, 50, 150, 293])
def test_of_a_long_expression_the_place_is_shown(start: int) -> None:
    expression = f"{'1,' * (start // 2)}{'x' if start % 2 else ''}61,{'2,' * ((297 - start) // 2)}"

    shown, marked = pointed(expression, start, start + 2)

    assert shown[marked.index("^") :].startswith("61")
    assert marked.count("^") == 2
    assert display_width(shown) <= MOST_SHOWN + 2


def test_a_long_token_is_cut_with_its_carets() -> None:
    shown, marked = pointed("x" * 300, 0)

    assert len(marked) < len(shown) <= MOST_SHOWN + 1
