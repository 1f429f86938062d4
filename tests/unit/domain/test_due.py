"""Due times of intervals and of single times, and the questions that are asked of any schedule."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from schedulerd.domain.due import Due, check_when, count_dues, dues, last_due, next_due
from schedulerd.domain.schedules import Cron, Interval, Once, When
from schedulerd.errors import BadExpression

START = datetime(2026, 3, 27, 12, tzinfo=UTC)


def wall(text: str) -> datetime:
    """A time of the clock on the wall: naive."""
    return datetime.fromisoformat(text)


def slots(when: When, *, after: datetime, hours: float, first_seen: datetime = START) -> list[str]:
    until = after + timedelta(hours=hours)
    return [due.slot for due in dues(when, after=after, until=until, first_seen=first_seen, name="etl")]


def test_an_interval_counts_from_when_it_was_first_seen() -> None:
    when = Interval(every=timedelta(minutes=15))
    seen = datetime(2026, 3, 27, 12, 7, 3, 250_000, tzinfo=UTC)

    assert slots(when, after=seen, hours=0.5, first_seen=seen) == [
        "2026-03-27T12:22:03.250000+00:00",
        "2026-03-27T12:37:03.250000+00:00",
    ]


def test_an_anchor_is_a_phase_and_may_lie_ahead() -> None:
    when = Interval(every=timedelta(hours=6), anchor=datetime(2030, 1, 1, 1, tzinfo=UTC))

    assert slots(when, after=START, hours=12) == ["2026-03-27T13:00:00+00:00", "2026-03-27T19:00:00+00:00"]


def test_an_anchor_without_a_zone_is_a_local_time() -> None:
    when = Interval(every=timedelta(hours=12), timezone="Asia/Seoul", anchor=wall("2026-01-01T09:30"))

    assert slots(when, after=START, hours=24) == ["2026-03-27T21:30:00+09:00", "2026-03-28T09:30:00+09:00"]


def test_hours_are_elapsed_time_through_a_gap() -> None:
    when = Interval(every=timedelta(hours=12), timezone="Europe/Berlin", anchor=wall("2026-03-28T08:00"))

    after = datetime(2026, 3, 28, 12, tzinfo=UTC)

    assert slots(when, after=after, hours=31) == [
        "2026-03-28T20:00:00+01:00",
        "2026-03-29T09:00:00+02:00",
        "2026-03-29T21:00:00+02:00",
    ]


def test_whole_days_follow_the_clock_on_the_wall_through_a_gap() -> None:
    when = Interval(every=timedelta(days=1), timezone="Europe/Berlin", anchor=wall("2026-01-01T02:30"))

    assert slots(when, after=START, hours=72) == [
        "2026-03-28T02:30:00+01:00",
        "2026-03-29T02:30:00+01:00",
        "2026-03-30T02:30:00+02:00",
    ]
    found = next_due(when, after=datetime(2026, 3, 28, 12, tzinfo=UTC), first_seen=START, name="etl")
    assert found == Due(datetime(2026, 3, 29, 1, tzinfo=UTC), "2026-03-29T02:30:00+01:00")


def test_whole_days_fire_once_in_a_fold() -> None:
    when = Interval(every=timedelta(weeks=1), timezone="Europe/Berlin", anchor=wall("2026-10-18T02:30"))

    after = datetime(2026, 10, 20, tzinfo=UTC)

    assert slots(when, after=after, hours=14 * 24) == [
        "2026-10-25T02:30:00+02:00",
        "2026-11-01T02:30:00+01:00",
    ]


def test_a_day_that_never_was_has_no_due_time_of_whole_days() -> None:
    when = Interval(every=timedelta(days=1), timezone="Pacific/Apia", anchor=wall("2011-12-01T12:00"))

    after = datetime(2011, 12, 29, 12, tzinfo=UTC)

    assert slots(when, after=after, hours=48) == ["2011-12-29T12:00:00-10:00", "2011-12-31T12:00:00+14:00"]


def test_a_day_and_a_half_is_elapsed_time() -> None:
    when = Interval(every=timedelta(hours=36), timezone="Europe/Berlin", anchor=wall("2026-03-28T12:00"))

    after = datetime(2026, 3, 28, 12, tzinfo=UTC)

    assert slots(when, after=after, hours=36) == ["2026-03-30T01:00:00+02:00"]


@pytest.mark.parametrize(
    ("at", "zone", "due"),
    [
        ("2026-12-01T09:00", "Asia/Seoul", "2026-12-01T00:00:00+00:00"),
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:00:00+00:00"),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00+00:00"),
        ("2026-10-25T02:30+01:00", "Europe/Berlin", "2026-10-25T01:30:00+00:00"),
    ],
    ids=["plain", "in a gap", "in a fold", "with an offset of its own"],
)
def test_a_single_time_is_a_local_time_once(at: str, zone: str, due: str) -> None:
    when = Once(at=wall(at), timezone=zone)

    found = next_due(when, after=START, first_seen=START, name="etl")

    assert found is not None
    assert found.at == datetime.fromisoformat(due)
    assert next_due(when, after=found.at, first_seen=START, name="etl") is None


def test_a_single_time_keeps_the_offset_it_was_given() -> None:
    when = Once(at=wall("2026-10-25T02:30+01:00"), timezone="Europe/Berlin")

    assert slots(when, after=datetime(2026, 10, 25, tzinfo=UTC), hours=24) == ["2026-10-25T02:30:00+01:00"]


@pytest.mark.parametrize(
    "when",
    [
        Cron(expression="0 6 * * *", timezone="Asia/Seoul"),
        Interval(every=timedelta(minutes=15)),
        Once(at=wall("2026-12-01T09:00"), timezone="Asia/Seoul"),
    ],
)
def test_what_can_be_is_accepted(when: When) -> None:
    check_when(when)


@pytest.mark.parametrize(
    ("when", "code"),
    [
        (Cron(expression="0 6 * *"), "fields"),
        (Cron(expression="0 6 * * *", timezone="Asia/Soul"), "zone"),
        (Interval(every=timedelta(milliseconds=999)), "interval"),
        (Interval(every=timedelta()), "interval"),
        (Interval(every=timedelta(days=40_000)), "interval"),
        (Interval(every=timedelta(minutes=1), timezone="Mars/Olympus"), "zone"),
        (Once(at=wall("2011-12-30T12:00"), timezone="Pacific/Apia"), "gap"),
    ],
)
def test_what_cannot_be_is_refused(when: When, code: str) -> None:
    with pytest.raises(BadExpression) as refused:
        check_when(when)

    assert refused.value.code == code


def test_years_that_are_over_have_no_due_times() -> None:
    when = Cron(expression="0 0 6 * * * 2020-2021")

    assert next_due(when, after=START, first_seen=START, name="etl") is None
    assert last_due(when, after=START, until=START + timedelta(days=9), first_seen=START, name="etl") is None
    assert count_dues(when, after=START, until=START + timedelta(days=9), first_seen=START, name="etl") == 0


def test_no_due_time_lies_after_the_last_year_that_is_searched() -> None:
    late = datetime(2199, 12, 31, 23, 59, 30, tzinfo=UTC)

    assert next_due(Cron(expression="* * * * *"), after=late, first_seen=START, name="etl") is None
    assert next_due(Cron(expression="5 5 * * *"), after=late, first_seen=START, name="etl") is None
    assert next_due(Interval(every=timedelta(hours=1)), after=late, first_seen=START, name="etl") is None
    assert next_due(Interval(every=timedelta(days=1)), after=late, first_seen=START, name="etl") is None


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Apia"])
@pytest.mark.parametrize("expression", ["*/7 * * * *", "0,30 1-3 * * *", "*/20 59 23 * * *", "0 12 * * *"])
def test_a_count_over_years_agrees_with_the_list(expression: str, zone: str) -> None:
    when = Cron(expression=expression, timezone=zone)
    after = datetime(2011, 11, 2, 3, 4, 5, 678, tzinfo=UTC)
    until = datetime(2012, 4, 1, 1, 59, tzinfo=UTC)

    walked = sum(1 for _ in dues(when, after=after, until=until, first_seen=START, name="etl"))

    assert count_dues(when, after=after, until=until, first_seen=START, name="etl") == walked


def test_nothing_is_counted_backwards() -> None:
    when = Cron(expression="* * * * *")

    assert count_dues(when, after=START, until=START - timedelta(days=1), first_seen=START, name="etl") == 0
    assert count_dues(when, after=START, until=START, first_seen=START, name="etl") == 0


def test_a_count_of_a_single_time_and_of_days_is_exact() -> None:
    once = Once(at=wall("2026-04-01T09:00"))
    daily = Interval(every=timedelta(days=1), anchor=wall("2026-01-01T09:00"))

    until = START + timedelta(days=10)

    assert count_dues(once, after=START, until=until, first_seen=START, name="etl") == 1
    assert count_dues(daily, after=START, until=until, first_seen=START, name="etl") == 10


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    when = Cron(expression="0 * * * *", timezone="Europe/Berlin")
    elsewhere = START.astimezone(timezone(timedelta(hours=9)))

    assert next_due(when, after=elsewhere, first_seen=START, name="etl") == next_due(
        when, after=START, first_seen=START, name="etl"
    )


def test_a_yearly_rhythm_inside_a_fold_does_not_jump_over_its_second_pass() -> None:
    when = Cron(expression="*/30 2 25 10 *", timezone="Europe/Berlin")
    first_pass = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    assert slots(when, after=first_pass, hours=2) == [
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T02:30:00+01:00",
    ]


def test_a_rhythm_that_is_over_for_good_still_has_its_second_pass() -> None:
    when = Cron(expression="0 */30 2 25 10 * 2026", timezone="Europe/Berlin")
    first_pass = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    assert slots(when, after=first_pass, hours=2) == [
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T02:30:00+01:00",
    ]


def test_a_rhythm_whose_only_times_lie_in_a_gap_never_fires_then() -> None:
    when = Cron(expression="0 */30 2 29 3 * 2026", timezone="Europe/Berlin")

    assert next_due(when, after=START, first_seen=START, name="etl") is None
