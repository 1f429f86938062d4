"""Blackouts: where their stretches begin and end, what becomes of due times in them, and which are refused."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedulerd.domain.blackouts import Blackouts, Stretch, check_blackout
from schedulerd.domain.due import dues
from schedulerd.domain.due_times import instant_of
from schedulerd.domain.schedules import (
    Blackout,
    BlackoutAction,
    BlackoutSpan,
    BlackoutWindow,
    Cron,
)
from schedulerd.domain.timing import Timing
from schedulerd.errors import BadExpression
from tests.builders import a_schedule
from tests.made_up import blackouts, moments, zones
from tests.work import counted

BERLIN: Final = "Europe/Berlin"
HOUR: Final = timedelta(hours=1)


def clock(text: str) -> datetime:
    return datetime.fromisoformat(text)


def window(expression: str, duration: timedelta) -> BlackoutWindow:
    return BlackoutWindow(expression=expression, duration=duration)


def span(start: str, end: str) -> BlackoutSpan:
    return BlackoutSpan(start=clock(start), end=clock(end))


def around(blackout: Blackout, moment: str, timezone: str = BERLIN) -> Stretch | None:
    return Blackouts(blackout=blackout, timezone=timezone, name="etl").around(clock(moment))


def stretch(start: str, end: str) -> Stretch:
    return Stretch(clock(start), clock(end))


NIGHT: Final = Blackout(windows=(window("0 22 * * *", 4 * HOUR),))
CHRISTMAS: Final = Blackout(days=(date(2026, 12, 25), date(2026, 12, 26)))


@pytest.mark.parametrize(
    ("blackout", "moment", "expected"),
    [
        (NIGHT, "2026-06-01T21:59:59+02:00", None),
        (NIGHT, "2026-06-01T22:00+02:00", ("2026-06-01T22:00+02:00", "2026-06-02T02:00+02:00")),
        (NIGHT, "2026-06-02T01:59:59+02:00", ("2026-06-01T22:00+02:00", "2026-06-02T02:00+02:00")),
        (NIGHT, "2026-06-02T02:00+02:00", None),
        (NIGHT, "2026-03-28T23:00+01:00", ("2026-03-28T22:00+01:00", "2026-03-29T03:00+02:00")),
        (NIGHT, "2026-10-24T23:00+02:00", ("2026-10-24T22:00+02:00", "2026-10-25T02:00+02:00")),
        (CHRISTMAS, "2026-12-26T12:00+01:00", ("2026-12-25T00:00+01:00", "2026-12-27T00:00+01:00")),
        (CHRISTMAS, "2026-12-27T00:00+01:00", None),
        (
            Blackout(days=(date(2026, 3, 29),)),
            "2026-03-29T12:00+02:00",
            ("2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"),
        ),
        (
            Blackout(spans=(span("2026-06-01T12:00", "2026-06-01T13:00"),)),
            "2026-06-01T12:30+02:00",
            ("2026-06-01T12:00+02:00", "2026-06-01T13:00+02:00"),
        ),
        (
            Blackout(
                windows=(window("0 22 * * *", 2 * HOUR),),
                days=(date(2026, 6, 2),),
                spans=(span("2026-06-02T23:30", "2026-06-03T05:00"),),
            ),
            "2026-06-02T12:00+02:00",
            ("2026-06-01T22:00+02:00", "2026-06-03T05:00+02:00"),
        ),
        (
            Blackout(windows=(window("*/30 8-17 * * *", HOUR / 2),)),
            "2026-06-01T12:00+02:00",
            ("2026-06-01T08:00+02:00", "2026-06-01T18:00+02:00"),
        ),
        (
            Blackout(windows=(window("0 * * * *", HOUR / 4), window("15 3 * * *", HOUR / 4))),
            "2026-06-01T03:20+02:00",
            ("2026-06-01T03:00+02:00", "2026-06-01T03:30+02:00"),
        ),
        (
            Blackout(windows=(window("*/5 * * * *", timedelta(minutes=4)),)),
            "2026-06-01T03:06+02:00",
            ("2026-06-01T03:05+02:00", "2026-06-01T03:09+02:00"),
        ),
    ],
    ids=[
        "before a window", "its first moment", "its last", "its end is free", "hours that pass in a gap", "in a fold",
        "two days are one stretch", "after them", "a day of 23 hours", "a span", "all that touches", "windows that touch",
        "two kinds of windows that touch", "windows that do not",
    ],
)  # fmt: skip
def test_a_stretch_is_what_is_uninterrupted(
    blackout: Blackout, moment: str, expected: tuple[str, str] | None
) -> None:
    assert around(blackout, moment) == (stretch(*expected) if expected else None)


def test_a_day_that_the_clocks_leave_out_is_no_blackout() -> None:
    lost = Blackout(days=(date(2011, 12, 30),))

    assert around(lost, "2011-12-29T23:59:59-10:00", "Pacific/Apia") is None
    assert around(lost, "2011-12-31T00:00:00+14:00", "Pacific/Apia") is None


def due(definition_when: str, blackout: Blackout, after: str, until: str) -> tuple[list[str], list[str]]:
    """What starts and what is left out, as times of June 2026 in Berlin."""
    when = Cron(expression=definition_when, timezone=BERLIN)
    times = Timing(definition=a_schedule("etl", when=when, blackout=blackout), first_seen=clock(after))
    return tuple(  # type: ignore[return-value]
        [
            f"{each.slot[8:16]}>{(each.at + 2 * HOUR):%dT%H:%M}"
            for each in kind.each(clock(after), clock(until))
        ]
        for kind in (times, times.left_out)
    )


@pytest.mark.parametrize(
    ("expression", "action", "starts", "left_out"),
    [
        ("0 23,1 * * *", BlackoutAction.SKIP, [], ["01T23:00>01T23:00", "02T01:00>02T01:00"]),
        ("0 23,1 * * *", BlackoutAction.RUN_AFTER, ["02T01:00>02T02:00"], ["01T23:00>01T23:00"]),
        (
            "0 23,2 * * *",
            BlackoutAction.RUN_AFTER,
            ["02T02:00>02T02:00"],
            ["01T23:00>01T23:00"],
        ),
        ("0 2 * * *", BlackoutAction.SKIP, ["02T02:00>02T02:00"], []),
        ("0 22 * * *", BlackoutAction.SKIP, [], ["01T22:00>01T22:00"]),
        ("0 12 * * *", BlackoutAction.RUN_AFTER, ["01T12:00>01T12:00"], []),
    ],
    ids=[
        "skip",
        "the newest runs after",
        "due at the end anyway",
        "the end is free",
        "the start is not",
        "outside",
    ],
)
def test_what_becomes_of_times_in_a_blackout(
    expression: str, action: BlackoutAction, starts: list[str], left_out: list[str]
) -> None:
    night = Blackout(windows=NIGHT.windows, action=action)

    assert due(expression, night, "2026-06-01T10:00+02:00", "2026-06-02T10:00+02:00") == (starts, left_out)


def test_the_newest_of_one_uninterrupted_blackout_runs_once_after_it() -> None:
    days = Blackout(days=(date(2026, 6, 1), date(2026, 6, 2)), action=BlackoutAction.RUN_AFTER)

    starts, left_out = due("0 9 * * *", days, "2026-05-31T10:00+02:00", "2026-06-03T10:00+02:00")

    assert starts == ["02T09:00>03T00:00", "03T09:00>03T09:00"]
    assert left_out == ["01T09:00>01T09:00"]


def test_what_is_to_run_after_is_known_within_the_blackout_too() -> None:
    night = Blackout(windows=NIGHT.windows, action=BlackoutAction.RUN_AFTER)

    starts, left_out = due("0 23 * * *", night, "2026-06-02T01:00+02:00", "2026-06-02T10:00+02:00")

    assert (starts, left_out) == (["01T23:00>02T02:00"], [])


@pytest.mark.parametrize(
    ("blackout", "token", "words"),
    [
        (Blackout(windows=(window("0 25 * * *", HOUR),)), "25", "hour: '25' is not one of 0-23"),
        (Blackout(windows=(window("0 0 30 2 *", HOUR),)), "30 2", "never fire"),
        (Blackout(windows=(window("0 2 * * *", timedelta()),)), "0s", "at least 1ms and at most 366 days"),
        (Blackout(windows=(window("0 2 * * *", timedelta(days=367)),)), "52w3d", "at most 366 days"),
        (
            Blackout(spans=(span("2026-06-01T13:00", "2026-06-01T12:00"),)),
            "2026-06-01T13:00:00 to 2026-06-01T12:00:00",
            "ends after it starts",
        ),
        (Blackout(windows=(window("* * * * *", timedelta(minutes=1)),)), "* * * * *", "no time free"),
        (Blackout(windows=(window("* * * * * *", timedelta(days=366)),)), "* * * * * *", "no time free"),
        (
            Blackout(windows=(window("0 0 * * *", 12 * HOUR), window("30 11 * * *", 13 * HOUR))),
            "0 0 * * *, 30 11 * * *",
            "no time free",
        ),
        (Blackout(windows=(window("0 0 1 1 *", timedelta(days=366)),)), "0 0 1 1 *", "no time free"),
    ],
    ids=[
        "token",
        "never",
        "no length",
        "too long",
        "backwards",
        "minutes",
        "seconds for a year",
        "two",
        "years",
    ],
)
def test_a_blackout_that_cannot_be_is_refused_with_its_token(
    blackout: Blackout, token: str, words: str
) -> None:
    with pytest.raises(BadExpression, match=words) as refused:
        check_blackout(blackout, timezone="UTC", name="etl")

    error = refused.value
    assert error.code == "blackout"
    assert error.reason.startswith("blackout: ")
    assert error.expression[error.start : error.end] == token


@pytest.mark.parametrize(
    "blackout",
    [
        NIGHT,
        CHRISTMAS,
        Blackout(windows=(window("* 8-17 * * 1-5", timedelta(minutes=1)),)),
        Blackout(windows=(window("* * 1-7 * *", timedelta(minutes=1)),)),
        Blackout(spans=(span("1970-01-01T00:00", "2199-12-31T00:00"),)),
    ],
    ids=["night", "days", "office hours by the minute", "a week by the minute", "a span of all time"],
)
def test_a_blackout_that_can_be_is_not(blackout: Blackout) -> None:
    check_blackout(blackout, timezone=BERLIN, name="etl")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), name=zones, minutes=st.integers(-4_000, 4_000))
def test_stretches_are_those_of_all_windows_days_and_spans_laid_over_each_other(
    data: st.DataObject, name: str, minutes: int
) -> None:
    near = data.draw(moments(name))
    blackout = data.draw(blackouts(near, name))
    moment = near + timedelta(minutes=minutes)

    laid = overlaid(blackout, name, near - timedelta(days=12), near + timedelta(days=12))

    found = Blackouts(blackout=blackout, timezone=name, name="etl")
    at = [one for one in laid if one.start <= moment < one.end]
    assert found.around(moment) == (at[0] if at else None)
    if not at and laid:
        assert found.ahead(moment) == next(
            (one.start for one in laid if one.start > moment), found.ahead(moment)
        )


def overlaid(blackout: Blackout, name: str, after: datetime, until: datetime) -> list[Stretch]:
    """Every window, day and span near by, minute for minute what touches made one."""
    parts = [
        (each.at, each.at + one.duration)
        for one in blackout.windows
        for each in dues(
            Cron(expression=one.expression, timezone=name),
            after=after,
            until=until,
            first_seen=after,
            name="etl",
        )
    ]
    for day in blackout.days:
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the wall's clock
        parts.append((instant_of(midnight, name), instant_of(midnight + timedelta(days=1), name)))
    parts += [(instant_of(one.start, name), instant_of(one.end, name)) for one in blackout.spans]
    merged: list[Stretch] = []
    for start, end in sorted(part for part in parts if part[0] < part[1]):
        if merged and start <= merged[-1].end:
            start, end = merged[-1].start, max(end, merged.pop().end)  # noqa: PLW2901
        merged.append(Stretch(start, end))
    return merged


def test_a_blackout_of_years_is_passed_over_in_little_work() -> None:
    dark = Blackout(
        windows=(window("0 2 * * *", HOUR),), spans=(span("2026-01-01T00:00", "2190-01-01T00:00"),)
    )
    when = Cron(expression="* * * * *", timezone=BERLIN)
    times = Timing(
        definition=a_schedule("etl", when=when, blackout=dark), first_seen=datetime(2026, 1, 1, tzinfo=UTC)
    )

    with counted() as work:
        found = times.next(datetime(2026, 1, 1, tzinfo=UTC))

    assert found is not None
    assert found.slot == "2190-01-01T00:00:00+01:00"
    assert work.calls < 100_000
