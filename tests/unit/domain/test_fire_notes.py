"""What is noted beside one due time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schedulerd.domain.fire_notes import fire_notes
from schedulerd.domain.schedules import (
    Blackout,
    BlackoutAction,
    BlackoutWindow,
    Cron,
    Interval,
    ScheduleDefinition,
)
from schedulerd.domain.timing import Timing
from schedulerd.domain.wording import Language

NIGHTLY = BlackoutWindow(expression="0 22 * * *", duration=timedelta(hours=8))


def noted(
    expression: str, after: str, language: Language = "en", *, zone: str = "Europe/Berlin", **more: Any
) -> list[str]:
    """The notes of the first due time after a moment."""
    when = Cron(expression=expression, timezone=zone)
    start = datetime.fromisoformat(after)
    timing = Timing(definition=ScheduleDefinition(name="etl", when=when, **more), first_seen=start)
    due = timing.next(start)
    assert due is not None
    return list(fire_notes(due, timing, language))


@pytest.mark.parametrize(
    ("expression", "after", "english", "korean"),
    [
        ("0 6 * * *", "2026-11-22T00:00Z", [], []),
        (
            "30 2 * * *",
            "2026-03-28T12:00Z",
            ["dst-gap: 02:30 does not exist on this day"],
            ["dst-gap: 이날 없는 시각 02:30"],
        ),
        (
            "30 2 * * *",
            "2026-10-24T12:00Z",
            ["dst-fold: 02:30 happens twice; this is the first time"],
            ["dst-fold: 두 번 있는 02:30 중 첫 번째"],
        ),
        (
            "*/30 2 * * *",
            "2026-10-25T00:59Z",
            ["dst-fold: 02:00 happens twice; this is the second time"],
            ["dst-fold: 두 번 있는 02:00 중 두 번째"],
        ),
    ],
)
def test_what_the_clocks_do_is_noted(
    expression: str, after: str, english: list[str], korean: list[str]
) -> None:
    assert noted(expression, after) == english
    assert noted(expression, after, "ko") == korean


def test_a_delay_is_noted_with_the_time_that_was_named() -> None:
    (english,) = noted("0 6 * * *", "2026-11-22T12:00Z", jitter=timedelta(minutes=10))
    (korean,) = noted("0 6 * * *", "2026-11-22T12:00Z", "ko", jitter=timedelta(minutes=10))

    delay = english.removeprefix("jitter: ").removesuffix(" after 06:00")
    assert korean == f"jitter: 06:00보다 {delay} 늦게"


@pytest.mark.parametrize(
    ("language", "note"),
    [
        ("en", "blackout: 2026-11-22 23:30:15, run after it"),
        ("ko", "blackout: 2026-11-22 23:30:15 예정, 끝난 뒤 실행"),
    ],
)
def test_a_time_that_a_blackout_moved_is_noted_with_its_day(language: Language, note: str) -> None:
    closed = Blackout(windows=(NIGHTLY,), action=BlackoutAction.RUN_AFTER)

    notes = noted("15 30 23 * * *", "2026-11-22T12:00Z", language, zone="UTC", blackout=closed)

    assert notes == [note]


def test_an_interval_of_elapsed_time_knows_no_clocks() -> None:
    when = Interval(every=timedelta(minutes=15), timezone="Europe/Berlin")
    start = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    timing = Timing(definition=ScheduleDefinition(name="etl", when=when), first_seen=start)
    due = timing.next(start)

    assert due is not None
    assert list(fire_notes(due, timing, "en")) == []
