"""The due times of a schedule: within its bounds, delayed, out of its blackouts; the same however they are asked for."""

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedulerd.domain.due import Due
from schedulerd.domain.due_times import DueTimes, Named, first_of
from schedulerd.domain.jitter import delay
from schedulerd.domain.schedules import (
    Blackout,
    BlackoutAction,
    BlackoutSpan,
    BlackoutWindow,
    Cron,
    Interval,
    Once,
    Reboot,
    RRule,
    ScheduleDefinition,
)
from schedulerd.domain.timing import Timing, check_definition
from schedulerd.errors import BadExpression
from tests.builders import a_schedule
from tests.made_up import FIRST, definitions
from tests.work import counted

SHOWN: Final = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
BERLIN: Final = "Europe/Berlin"
SEEN: Final = datetime(2026, 1, 1, tzinfo=UTC)
LITTLE_WORK_CALLS: Final = 200_000


def timing(**definition: Any) -> Timing:
    return Timing(definition=a_schedule("etl", **definition), first_seen=SEEN)


def daily(expression: str = "30 2 * * *") -> Cron:
    return Cron(expression=expression, timezone=BERLIN)


def clock(text: str) -> datetime:
    return datetime.fromisoformat(text)


def slots(times: DueTimes, after: str, until: str) -> list[str]:
    return [due.slot for due in times.each(clock(after), clock(until))]


def test_it_is_due_from_its_start_to_its_end_both_included() -> None:
    times = timing(when=daily(), start=clock("2026-06-02T02:30"), end=clock("2026-06-04T02:30"))

    found = slots(times, "2026-05-01T00:00Z", "2026-07-01T00:00Z")

    assert found == [f"2026-06-0{day}T02:30:00+02:00" for day in (2, 3, 4)]
    assert times.count(clock("2026-05-01T00:00Z"), clock("2026-07-01T00:00Z")) == 3
    assert times.next(clock("2026-06-04T02:30+02:00")) is None
    assert times.next_at(clock("2026-06-04T02:30+02:00")) is None


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"start": clock("2026-03-29T02:30")}, ["03:00:00+02:00", "03:30:00+02:00", "04:00:00+02:00"]),
        ({"end": clock("2026-03-29T02:30")}, ["01:00:00+01:00", "01:30:00+01:00", "03:00:00+02:00"]),
    ],
    ids=["start", "end"],
)
def test_a_bound_in_a_gap_is_the_first_instant_after_it(
    bounds: dict[str, datetime], expected: list[str]
) -> None:
    times = timing(when=daily("*/30 * * * *"), **bounds)

    found = slots(times, "2026-03-29T00:59+01:00", "2026-03-29T04:00+02:00")

    assert [slot[11:] for slot in found] == expected


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"start": clock("2026-10-25T02:30")}, ["02:30+02", "02:00+01", "02:30+01", "03:00+01"]),
        ({"end": clock("2026-10-25T02:30")}, ["01:30+02", "02:00+02", "02:30+02"]),
    ],
    ids=["start", "end"],
)
def test_a_bound_in_a_fold_is_its_first_pass(bounds: dict[str, datetime], expected: list[str]) -> None:
    times = timing(when=daily("*/30 * * * *"), **bounds)

    found = slots(times, "2026-10-25T01:00+02:00", "2026-10-25T03:00+01:00")

    assert [f"{slot[11:16]}{slot[19:22]}" for slot in found] == expected


def test_what_is_moved_or_delayed_keeps_its_slot() -> None:
    dark = Blackout(days=(date(2026, 6, 2),), action=BlackoutAction.RUN_AFTER)
    times = timing(when=daily(), jitter=timedelta(minutes=5), blackout=dark)

    first, second = list(times.each(clock("2026-06-01T00:00Z"), clock("2026-06-02T23:00Z")))

    assert first.slot == "2026-06-01T02:30:00+02:00"
    assert times.named_at(first) == clock("2026-06-01T02:30+02:00")
    assert first.at == times.named_at(first) + times.delay(first)
    assert second == Due(clock("2026-06-03T00:00+02:00").astimezone(UTC), "2026-06-02T02:30:00+02:00")


def test_a_slot_in_a_gap_was_named_for_the_first_instant_after_it() -> None:
    times = timing(when=daily(), jitter=timedelta(hours=1))

    due = times.next(clock("2026-03-29T00:00Z"))

    assert due is not None
    assert due.slot == "2026-03-29T02:30:00+01:00"
    assert times.named_at(due) == clock("2026-03-29T01:00Z")


def test_where_no_due_time_is_ahead_one_looks_again_at_those_in_a_blackout() -> None:
    dark = Blackout(days=(date(2026, 6, 1),))
    times = timing(when=Once(at=clock("2026-06-01T09:00")), blackout=dark)

    assert times.next(SEEN) is None
    assert times.next_at(SEEN) == clock("2026-06-01T09:00Z")
    assert times.next_at(clock("2026-06-01T09:00Z")) is None


def test_a_schedule_that_is_always_in_its_blackout_is_looked_at_again_with_little_work() -> None:
    nights = Blackout(windows=(BlackoutWindow(expression="0 0 * * *", duration=timedelta(hours=3)),))
    times = timing(when=daily(), blackout=nights)

    with counted() as work:
        found = times.next_at(clock("2026-06-01T12:00Z"))

    assert found == clock("2026-06-02T00:30Z")
    assert work.calls < LITTLE_WORK_CALLS


def test_a_schedule_whose_times_all_lie_in_its_blackout_is_refused() -> None:
    nights = Blackout(windows=(BlackoutWindow(expression="0 0 * * *", duration=timedelta(hours=3)),))

    with pytest.raises(BadExpression, match="every due time lies in it") as caught:
        check_definition(a_schedule(when=daily("30 2 * * *"), blackout=nights))

    assert (caught.value.expression, caught.value.code) == ("0 0 * * *", "blackout")


def test_a_blackout_of_most_nights_of_the_year_is_fine() -> None:
    winter = Blackout(windows=(BlackoutWindow(expression="0 0 * 1-11 *", duration=timedelta(hours=3)),))

    check_definition(a_schedule(when=daily("30 2 * * *"), blackout=winter))


def test_a_blackout_is_told_with_its_end() -> None:
    times = timing(when=daily(), blackout=Blackout(days=(date(2026, 6, 2), date(2026, 6, 3))))

    found = times.blackout(clock("2026-06-02T10:00+02:00"))

    assert found is not None
    assert (found.start, found.end) == (clock("2026-06-01T22:00Z"), clock("2026-06-03T22:00Z"))
    assert times.blackout(found.end) is None
    assert timing(when=daily()).blackout(SEEN) is None


@pytest.mark.parametrize(
    ("definition", "code", "words"),
    [
        ({"when": daily("99 2 * * *")}, "value", "0-59"),
        (
            {"start": clock("2026-06-02T00:00"), "end": clock("2026-06-01T00:00")},
            "bounds",
            "before the start",
        ),
        (
            {"when": daily(), "start": clock("2026-06-01T03:00"), "end": clock("2026-06-02T02:00")},
            "never",
            "never due",
        ),
        (
            {"when": Once(at=clock("2026-06-01T09:00")), "end": clock("2026-05-01T00:00")},
            "never",
            "never due",
        ),
        ({"start": clock("0001-01-01T00:00")}, "year", "the year 1 is not one of 1970 to 2199"),
        ({"end": clock("9999-12-31T00:00")}, "year", "1970 to 2199"),
        ({"when": Once(at=clock("3000-01-01T00:00"))}, "year", "1970 to 2199"),
        (
            {"when": Interval(every=timedelta(days=1), anchor=clock("0001-01-01T00:00+14:00"))},
            "year",
            "1970 to 2199",
        ),
        ({"when": RRule(expression="FREQ=DAILY", anchor=clock("9999-01-01T00:00"))}, "year", "1970 to 2199"),
        ({"blackout": Blackout(days=(date(2500, 1, 1),))}, "year", "1970 to 2199"),
        ({"jitter": timedelta(seconds=-1)}, "jitter", "from 2s to 1d"),
        ({"jitter": timedelta(seconds=1)}, "jitter", "from 2s to 1d"),
        ({"jitter": timedelta(days=1, seconds=1)}, "jitter", "from 2s to 1d"),
        ({"jitter": timedelta(milliseconds=2_500)}, "jitter", "whole seconds"),
        (
            {"when": daily("*/20 * * * * *"), "jitter": timedelta(hours=12)},
            "jitter",
            "more than 1440 due times",
        ),
        ({"when": Reboot(), "jitter": timedelta(minutes=1)}, "reboot", "no jitter"),
        (
            {"when": Reboot(), "start": SEEN, "blackout": Blackout(days=(date(2026, 1, 1),))},
            "reboot",
            "start or",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_definition_that_cannot_be_is_refused(definition: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(BadExpression, match=words) as refused:
        check_definition(a_schedule("etl", **definition))

    assert refused.value.code == code


@pytest.mark.parametrize(
    "definition",
    [
        {"start": clock("2026-06-01T02:30"), "end": clock("2026-06-01T02:30"), "when": daily()},
        {
            "when": Interval(every=timedelta(days=2)),
            "start": clock("2026-06-01T02:30"),
            "end": clock("2026-06-01T03:00"),
        },
        {"when": RRule(expression="FREQ=DAILY;INTERVAL=9"), "end": clock("2026-06-01T03:00")},
        {"when": daily("* * * * *"), "jitter": timedelta(days=1)},
        {"when": daily("* * * * * *"), "jitter": timedelta(minutes=24)},
        {"when": Reboot()},
        {"jitter": timedelta(seconds=2), "blackout": Blackout(days=(date(2026, 1, 1),))},
    ],
    ids=["one time", "interval", "rule", "minutes in a day", "seconds in minutes", "reboot", "all"],
)
def test_a_definition_that_can_be_is_not(definition: dict[str, Any]) -> None:
    check_definition(a_schedule("etl", **definition))


def kinds(definition: ScheduleDefinition) -> tuple[DueTimes, DueTimes]:
    times = Timing(definition=definition, first_seen=FIRST)
    return times, times.left_out


@SHOWN
@given(made=definitions(), seconds=st.integers(0, 3 * 86_400))
def test_due_times_ascend_strictly_within_their_bounds(
    made: tuple[ScheduleDefinition, datetime], seconds: int
) -> None:
    definition, after = made
    until = after + timedelta(seconds=seconds)

    for times in kinds(definition):
        due = list(times.each(after, until))
        assert all(one < other for one, other in pairwise(due))
        assert all(after < each.at <= until for each in due)


@SHOWN
@given(made=definitions(), first=st.integers(0, 2 * 86_400), second=st.integers(0, 2 * 86_400))
def test_two_parts_of_a_stretch_have_the_due_times_of_the_whole(
    made: tuple[ScheduleDefinition, datetime], first: int, second: int
) -> None:
    definition, start = made
    middle = start + timedelta(seconds=first)
    end = middle + timedelta(seconds=second)

    for times in kinds(definition):
        assert [*times.each(start, middle), *times.each(middle, end)] == list(times.each(start, end))


@SHOWN
@given(made=definitions(), seconds=st.integers(0, 3 * 86_400))
def test_the_count_the_first_and_the_last_agree_with_the_list(
    made: tuple[ScheduleDefinition, datetime], seconds: int
) -> None:
    definition, after = made
    until = after + timedelta(seconds=seconds)

    for times in kinds(definition):
        due = list(times.each(after, until))
        assert times.count(after, until) == len(due)
        assert times.last(after, until) == (due[-1] if due else None)
        assert first_of(times, after, until) == (due[0] if due else None)


@SHOWN
@given(made=definitions())
def test_every_time_that_is_named_is_due_once_or_left_out_once(
    made: tuple[ScheduleDefinition, datetime],
) -> None:
    """Against the definition: delays one by one, and of each stretch the newest moved where nothing else is due then."""
    definition, start = made
    end = start + timedelta(days=3)
    named = Named(definition=definition, first_seen=FIRST).each(
        start - timedelta(days=9), end + timedelta(days=9)
    )
    delayed = sorted(
        Due(
            due.at
            + (delay("made up", due.slot, jitter=definition.jitter) if definition.jitter else timedelta()),
            due.slot,
        )
        for due in named
    )
    times = Timing(definition=definition, first_seen=FIRST)
    action = definition.blackout.action if definition.blackout else BlackoutAction.SKIP
    live, black = [], []
    instants = [due.at for due in delayed]
    for due in delayed:
        stretch = times.blackout(due.at)
        if stretch is None:
            live.append(due)
            continue
        over = bisect_left(instants, stretch.end)
        free = instants[over : over + 1] != [stretch.end]
        if action is BlackoutAction.RUN_AFTER and free and due == delayed[over - 1]:
            live.append(Due(stretch.end, due.slot))
        else:
            black.append(due)

    assert list(times.each(start, end)) == sorted(due for due in live if start < due.at <= end)
    assert list(times.left_out.each(start, end)) == sorted(due for due in black if start < due.at <= end)


@pytest.mark.parametrize(
    "definition",
    [
        {"jitter": timedelta(seconds=30)},
        {
            "blackout": Blackout(
                windows=(BlackoutWindow(expression="0 2 * * *", duration=timedelta(hours=2)),)
            )
        },
        {
            "jitter": timedelta(seconds=30),
            "blackout": Blackout(
                windows=(BlackoutWindow(expression="0 2 * * *", duration=timedelta(hours=2)),),
                action=BlackoutAction.RUN_AFTER,
            ),
        },
        {
            "blackout": Blackout(
                spans=(BlackoutSpan(start=clock("1980-01-01T00:00"), end=clock("2190-01-01T00:00")),),
                windows=(BlackoutWindow(expression="* * * * *", duration=timedelta(seconds=5)),),
            )
        },
        {"when": RRule(expression="FREQ=MINUTELY")},
    ],
    ids=["jitter", "window", "both", "a century", "rule"],
)
def test_a_year_of_minutes_is_counted_in_little_work(definition: dict[str, Any]) -> None:
    times = timing(**definition)
    until = SEEN + timedelta(days=365)

    with counted() as work:
        found = times.count(SEEN, until) + times.left_out.count(SEEN, until)
        last = times.last(SEEN, until), times.left_out.last(SEEN, until)

    assert abs(found - 365 * 1_440) <= 1
    assert any(due is not None and due.at > until - timedelta(days=2) for due in last)
    assert work.calls < 6_000_000  # walked time by time it would be several times as many
