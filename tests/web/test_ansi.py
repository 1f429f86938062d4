"""Lines of a log as a page shows them: looks, signs, and nothing that is obeyed."""

import unicodedata
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.logs import LogLine, NumberedLine, Stream
from schedulerd.web.ansi import Piece, Style, is_plain, pieces, visible
from schedulerd.web.log_lines import LONGEST, LineMaker
from schedulerd.web.preferences import Preferences

AT = datetime(2026, 11, 27, 3, 4, 5, 678_000, tzinfo=UTC)


def a_line(message: str, number: int = 7, level: int = 20) -> NumberedLine:
    return NumberedLine(
        number=number, line=LogLine(at=AT, level=level, message=message, stream=Stream.STDOUT)
    )


def made(message: str, needle: str = "", *, whole: bool = False) -> str:
    preferences = Preferences(language="en", zone=ZoneInfo("Asia/Seoul"))
    maker = LineMaker(preferences=preferences, needle=needle, whole=whole)
    return str(maker.lines([a_line(message)]))


def said(html: str) -> str:
    return html.partition('<span class="said">')[2].rpartition("</span></li>")[0]


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("Traceback:\n  File x\nKeyError", "Traceback:\n  File x\nKeyError"),
        ("one\r\ntwo", "one\ntwo"),
        ("head\n10%\r90%\ntail", "head\n90%\ntail ×1"),
    ],
)
def test_line_ends_within_what_was_said_stay(line: str, seen: str) -> None:
    assert visible(pieces(line)) == seen


@pytest.mark.parametrize(
    ("line", "classes"),
    [
        ("\x1b[31mx", "c1"),
        ("\x1b[1;31mx", "a1 c1"),
        ("\x1b[91mx", "c1"),
        ("\x1b[44mx", "b4"),
        ("\x1b[38;5;196mx", "c1"),
        ("\x1b[38;5;46mx", "c2"),
        ("\x1b[38;2;30;110;200mx", "c4"),
        ("\x1b[48:5:21mx", "b4"),
        ("\x1b[31m\x1b[39mx", ""),
        ("\x1b[1;31m\x1b[mx", ""),
        ("\x1b[1;3m\x1b[22mx", "a3"),
        ("\x1b[38;5mx", ""),
        ("\x1b[38;5;999mx", ""),
    ],
)
def test_colours_and_marks_become_classes(line: str, classes: str) -> None:
    (piece,) = pieces(line)
    assert piece.text == "x"
    assert piece.style.classes == classes


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a\x1b[2J\x1b[H\x1b[?25lb", "ab"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]8;;file:///etc/passwd\x1b\\b", "ab"),
        ("a\x1bPq#0\x1b\\b", "ab"),
        ("a\x00b\x07c\x7f", "a\u2400b\u2407c\u2421"),
        ("10%\r50%\r100%", "100% ×2"),
        ("done\r", "done"),
        ("tab\there", "tab\there"),
        ("\x1b", ""),
        ("", ""),
    ],
)
def test_what_moves_the_cursor_is_left_out_and_other_control_characters_are_signs(
    line: str, shown: str
) -> None:
    assert visible(pieces(line)) == shown


def test_a_link_is_one_to_http_only() -> None:
    found = pieces("\x1b]8;;https://example.com/a\x1b\\here\x1b]8;;\x1b\\ \x1b]8;;javascript:x\x1b\\there")

    assert found == [
        Piece(text="here", style=Style(href="https://example.com/a")),
        Piece(text=" ", style=Style()),
        Piece(text="there", style=Style()),
    ]


def test_markup_in_a_line_is_text() -> None:
    html = made('<script>alert("x")</script> & \x1b[31m<b>')

    assert said(html) == (
        "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; " + '<span class="c1">&lt;b&gt;</span>'
    )


def test_a_line_has_its_number_as_a_link_and_its_time_in_the_readers_zone() -> None:
    html = made("hello")

    assert html.startswith('<li id="L7" data-l="i"><a class="n" href="?line=7#L7">7</a>')
    assert '<span class="at">12:04:05.678</span>' in html


def test_what_is_looked_for_is_marked_whatever_its_case_and_its_colours() -> None:
    html = said(made("one \x1b[31mTW\x1b[32mO\x1b[0m three two", needle="two"))

    assert html == (
        'one <span class="c1"><mark>TW</mark></span><span class="c2"><mark>O</mark></span> three <mark>two</mark>'
    )


def test_of_a_very_long_line_a_part_is_shown_with_a_way_to_the_rest() -> None:
    html = made("x" * (LONGEST + 1))

    assert html.count("x") < LONGEST + 100
    assert 'href="?line=7&whole=1#L7"' in html
    assert "whole=1" not in made("x" * (LONGEST + 1), whole=True)


@given(
    st.text(alphabet=st.sampled_from(list("ab\x1b[]8;0123456789mHJ\r\x07\\P:h<>&\x9b\u202e")), max_size=60)
)
def test_whatever_a_line_is_nothing_of_it_is_markup_or_control(line: str) -> None:
    html = said(made(line, needle="a"))
    text = visible(pieces(line))

    assert not any(ord(one) < 32 and one != "\t" for one in text)
    assert "\x1b" not in html
    for tag in ("<script", "<b>", "<h"):
        assert tag not in html


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_a_line_that_is_plain_is_shown_as_it_stands(line: str) -> None:
    if is_plain(line):
        assert visible(pieces(line)) == line
        assert all(one.style == Style() for one in pieces(line))
    else:
        assert any(unicodedata.category(character) == "Cc" for character in line)
