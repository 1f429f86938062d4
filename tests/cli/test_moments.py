"""Times, durations, sizes and tables, as people read and type them."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from schedulerd.cli.moments import duration, relative, size
from schedulerd.cli.tables import Cell, draw, shortened, visible
from schedulerd.domain.moments import coming_moment, past_moment
from schedulerd.errors import BadExpression
from schedulerd.widths import display_width
from tests.builders import NOW

KST = timezone(timedelta(hours=9), "KST")


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(), "now"),
        (timedelta(milliseconds=-400), "now"),
        (timedelta(seconds=-12), "12s ago"),
        (timedelta(seconds=90), "in 1m 30s"),
        (timedelta(minutes=-12, seconds=-30), "12m ago"),
        (timedelta(hours=15, minutes=23), "in 15h 23m"),
        (timedelta(days=-3, hours=-5), "3d 5h ago"),
        (timedelta(days=400), "in 400d"),
    ],
)
def test_a_moment_is_so_long_ago_or_ahead(ahead: timedelta, said: str) -> None:
    assert relative(NOW + ahead, now=NOW) == said


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(None, ""), (0, "0ms"), (999, "999ms"), (2_450, "2.5s"), (130_000, "2m 10s"), (7_200_000, "2h")],
)
def test_a_duration_has_two_units_at_most(milliseconds: int | None, said: str) -> None:
    assert duration(milliseconds) == said


@pytest.mark.parametrize(("count", "said"), [(None, ""), (2_048, "2 KiB"), (16 << 20, "16 MiB")])
def test_a_size_has_its_unit(count: int | None, said: str) -> None:
    assert size(count) == said


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("15m", "2026-11-22T05:45:00+00:00"),
        ("2w", "2026-11-08T06:00:00+00:00"),
        ("now", "2026-11-22T06:00:00+00:00"),
        ("today", "2026-11-21T15:00:00+00:00"),
        ("yesterday", "2026-11-20T15:00:00+00:00"),
        ("2026-11-01", "2026-10-31T15:00:00+00:00"),
        ("2026-11-01T09:00", "2026-11-01T00:00:00+00:00"),
        ("2026-11-01T09:00:00Z", "2026-11-01T09:00:00+00:00"),
        ("2026-11-01T09:00:00-05:00", "2026-11-01T14:00:00+00:00"),
    ],
)
def test_a_time_is_meant_in_the_zone_of_the_person(text: str, meant: str) -> None:
    found = past_moment(text, now=NOW, zone=KST)

    assert found == datetime.fromisoformat(meant)
    assert found.tzinfo is UTC


def test_a_duration_is_ahead_where_things_are_to_come() -> None:
    assert coming_moment("15m", now=NOW, zone=UTC) == NOW + timedelta(minutes=15)
    assert coming_moment("tomorrow", now=NOW, zone=KST).isoformat() == "2026-11-22T15:00:00+00:00"


def test_a_time_that_names_no_zone_has_the_offset_that_this_machine_has_then_and_not_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "Europe/Berlin")
        time.tzset()
        summer = coming_moment("2026-07-01T12:00", now=NOW, zone=None)
        winter = coming_moment("2026-12-01T12:00", now=NOW, zone=None)
    time.tzset()

    assert (summer.hour, winter.hour) == (10, 11)


@pytest.mark.parametrize("text", ["", "soon", "15 parsecs", "2026-13-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadExpression):
        past_moment(text, now=NOW, zone=UTC)


@pytest.mark.parametrize(
    ("text", "width"), [("etl", 3), ("보고서", 6), ("é", 1), ("e\u0301", 1), ("✓ ok", 4), ("", 0)]
)
def test_a_text_is_as_wide_as_a_terminal_shows_it(text: str, width: int) -> None:
    assert display_width(text) == width


def test_a_long_text_is_cut_by_its_width() -> None:
    assert shortened("보고서-매일", 7) == "보고서…"
    assert shortened("보고서-매일", 8) == "보고서-…"
    assert shortened("short", 5) == "short"


def test_control_characters_are_shown_and_not_obeyed() -> None:
    assert visible("a\x1b[31m\tb\r\u202e") == "a\\x1b[31m\tb\\r\\u202e"


def rows(*texts: str) -> list[list[Cell]]:
    return [[Cell("x"), Cell(text)] for text in texts]


def test_a_narrow_terminal_cuts_the_flexible_column() -> None:
    lines = draw(["A", "B"], rows("0123456789" * 3), flexible=[False, True], right=[False, False], width=20)

    assert lines[-1] == "x  0123456789012345…"
    assert all(display_width(line) <= 20 + len("\x1b[90m\x1b[0m") * 2 for line in lines)


def test_nothing_is_cut_without_a_width() -> None:
    lines = draw(["A", "B"], rows("0123456789" * 30), flexible=[True, True], right=[False, False], width=None)

    assert "0123456789" * 30 in lines[-1]


def test_a_column_that_is_empty_throughout_is_left_out() -> None:
    lines = draw(["A", "B"], rows("", ""), flexible=[False, False], right=[False, False], width=None)

    assert lines[1:] == ["x", "x"]
