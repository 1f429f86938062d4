"""What holds for every schedule in every zone, shown with made-up ones around the changes of the clocks."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from schedulerd.domain.cron import parse_cron
from schedulerd.domain.due import Due, count_dues, dues, last_due, next_due
from schedulerd.domain.rrule_text import parse_rrule
from schedulerd.domain.schedules import Cron, Interval, RRule, When
from schedulerd.domain.zones import LONGEST_MENDED_GAP, TICK, changes, gap_around, zone
from tests.made_up import FIRST, crons, intervals, moments, rrules, whens, zones

SHOWN: Final = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def found(when: When, after: datetime, until: datetime) -> list[Due]:
    return list(dues(when, after=after, until=until, first_seen=FIRST, name="made up"))


@SHOWN
@given(data=st.data(), when=whens, hours_long=st.integers(1, 72))
def test_due_times_ascend_strictly_within_their_bounds(
    data: st.DataObject, when: When, hours_long: int
) -> None:
    after = data.draw(moments(when.timezone))
    until = after + timedelta(hours=hours_long)

    due = found(when, after, until)

    assert all(one < other for one, other in pairwise(due))
    assert all(after < each.at <= until for each in due)


@SHOWN
@given(data=st.data(), when=whens)
def test_no_slot_comes_twice(data: st.DataObject, when: When) -> None:
    after = data.draw(moments(when.timezone))

    slots = [each.slot for each in found(when, after, after + timedelta(days=3))]

    assert len(set(slots)) == len(slots)


@SHOWN
@given(data=st.data(), when=whens, first=st.integers(0, 2 * 86_400), second=st.integers(0, 2 * 86_400))
def test_two_parts_of_a_stretch_have_the_due_times_of_the_whole(
    data: st.DataObject, when: When, first: int, second: int
) -> None:
    start = data.draw(moments(when.timezone))
    middle = start + timedelta(seconds=first)
    end = middle + timedelta(seconds=second)

    assert found(when, start, middle) + found(when, middle, end) == found(when, start, end)


@SHOWN
@given(data=st.data(), when=whens, seconds=st.integers(0, 4 * 86_400))
def test_the_count_the_first_and_the_last_agree_with_the_list(
    data: st.DataObject, when: When, seconds: int
) -> None:
    after = data.draw(moments(when.timezone))
    until = after + timedelta(seconds=seconds)

    due = found(when, after, until)

    assert count_dues(when, after=after, until=until, first_seen=FIRST, name="made up") == len(due)
    last = last_due(when, after=after, until=until, first_seen=FIRST, name="made up")
    assert last == (due[-1] if due else None)
    first = next_due(when, after=after, first_seen=FIRST, name="made up")
    assert not due or first == due[0]
    assert first is None or due or first.at > until


@SHOWN
@given(data=st.data(), when=crons())
def test_due_times_match_the_expression_in_local_time_except_after_a_gap(
    data: st.DataObject, when: Cron
) -> None:
    after = data.draw(moments(when.timezone))
    local = zone(when.timezone)
    fields = parse_cron(when.expression, name="made up")

    for due in found(when, after, after + timedelta(days=2)):
        meant = datetime.fromisoformat(due.slot)
        assert meant.minute in fields.minutes
        assert meant.hour in fields.hours
        assert meant.day in fields.days_of(meant.year, meant.month)
        shown = due.at.astimezone(local)
        if shown.isoformat() != due.slot:
            gap = gap_around(meant.replace(tzinfo=local))
            assert fields.is_fixed
            assert gap is not None
            assert gap.at == due.at
            assert gap.length <= LONGEST_MENDED_GAP


@SHOWN
@given(data=st.data(), when=crons())
def test_a_rhythm_fires_whenever_the_clock_shows_it(data: st.DataObject, when: Cron) -> None:
    fields = parse_cron(when.expression, name="made up")
    assume(not fields.is_fixed)
    after = data.draw(moments(when.timezone)).replace(second=0)
    local = zone(when.timezone)
    walked = (after + timedelta(minutes=n) for n in range(1, 27 * 60))

    shown = [
        moment
        for moment, clock in ((moment, moment.astimezone(local)) for moment in walked)
        if clock.minute in fields.minutes
        and clock.hour in fields.hours
        and clock.second == 0
        and clock.month in fields.months
        and clock.day in fields.days_of(clock.year, clock.month)
    ]

    assume(after.astimezone(local).second == 0)
    assert [due.at for due in found(when, after, after + timedelta(minutes=27 * 60 - 1))] == shown


@SHOWN
@given(data=st.data(), when=rrules())
def test_times_of_a_rule_are_shown_by_the_clock_except_after_a_gap(data: st.DataObject, when: RRule) -> None:
    after = data.draw(moments(when.timezone))
    local = zone(when.timezone)
    is_fixed = parse_rrule(when.expression, timezone=when.timezone).is_fixed

    for due in found(when, after, after + timedelta(days=9)):
        shown = due.at.astimezone(local)
        if shown.isoformat() != due.slot:
            gap = gap_around(datetime.fromisoformat(due.slot).replace(tzinfo=local))
            assert is_fixed
            assert gap is not None
            assert gap.at == due.at
            assert gap.length <= LONGEST_MENDED_GAP


FIXED: Final[dict[str, Callable[[int, int, str], When]]] = {
    "cron": lambda hour, minute, name: Cron(expression=f"{minute} {hour} * * *", timezone=name),
    "rule": lambda hour, minute, name: RRule(
        expression=f"FREQ=DAILY;BYHOUR={hour};BYMINUTE={minute}",
        timezone=name,
        anchor=FIRST.replace(tzinfo=None),
    ),
    "interval": lambda hour, minute, name: Interval(
        every=timedelta(days=1),
        timezone=name,
        anchor=datetime(2000, 1, 1, hour, minute),  # noqa: DTZ001 - the wall's clock
    ),
}


@pytest.mark.parametrize("kind", FIXED)
@SHOWN
@given(data=st.data(), minute=st.integers(0, 59), hour=st.integers(0, 23), name=zones)
def test_a_fixed_time_happens_once_on_each_day_that_there_is(
    kind: str, data: st.DataObject, minute: int, hour: int, name: str
) -> None:
    middle = data.draw(moments(name)) + timedelta(days=9)
    local = zone(name)
    when = FIXED[kind](hour, minute, name)
    start = middle - timedelta(days=3)

    fired = [datetime.fromisoformat(due.slot).date() for due in found(when, start, start + timedelta(days=6))]

    one_by_one = [fired[0] + timedelta(days=n) for n in range((fired[-1] - fired[0]).days + 1)]
    noons = {
        day: gap_around(datetime(day.year, day.month, day.day, hour, minute, tzinfo=local))
        for day in one_by_one
    }
    there = [day for day, gap in noons.items() if gap is None or gap.length <= LONGEST_MENDED_GAP]
    assert fired == there


@SHOWN
@given(data=st.data(), when=intervals())
def test_an_interval_never_drifts(data: st.DataObject, when: Interval) -> None:
    after = data.draw(moments(when.timezone))
    local = zone(when.timezone)
    assert when.anchor is not None

    for due in found(when, after, after + timedelta(days=5)):
        if when.every >= timedelta(days=1) and when.every % timedelta(days=1) == timedelta():
            since = datetime.fromisoformat(due.slot).replace(tzinfo=None) - when.anchor.astimezone(
                local
            ).replace(tzinfo=None)
        else:
            since = due.at - when.anchor
        assert since % when.every == timedelta()


@SHOWN
@given(data=st.data(), name=zones)
def test_what_is_told_of_a_change_is_what_the_zone_does(data: st.DataObject, name: str) -> None:
    start = data.draw(moments(name)) - timedelta(days=1)
    local = zone(name)

    for change in changes(local, start=start, end=start + timedelta(days=3)):
        assert (change.at - TICK).astimezone(local).utcoffset() == change.before
        assert change.at.astimezone(local).utcoffset() == change.after
