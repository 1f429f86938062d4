"""Recurrence rules: what they name, told by dateutil; what the clocks do to it; which are refused, and where."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Final

import pytest
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from schedulerd.domain.due import check_when, count_dues, dues, next_due
from schedulerd.domain.schedules import Cron, RRule
from schedulerd.errors import BadExpression
from tests.made_up import moments, zones
from tests.work import counted

BERLIN: Final = "Europe/Berlin"
SEEN: Final = datetime(2026, 6, 3, 12, 34, 56, tzinfo=UTC)
LITTLE_WORK_CALLS: Final = 20_000


def clock(text: str) -> datetime:
    return datetime.fromisoformat(text)


def slots(
    text: str, after: str, until: str, *, zone: str = BERLIN, anchor: str | None = "2026-01-05T02:30"
) -> list[str]:
    when = RRule(expression=text, timezone=zone, anchor=clock(anchor) if anchor else None)
    found = dues(when, after=clock(after), until=clock(until), first_seen=SEEN, name="etl")
    return [f"{due.slot[5:16]}{due.slot[19:22]}" for due in found]


@pytest.mark.parametrize(
    ("text", "after", "until", "expected"),
    [
        ("FREQ=DAILY", "2026-06-01", "2026-06-03", ["06-01T02:30+02", "06-02T02:30+02"]),
        ("RRULE:FREQ=DAILY", "2026-06-01", "2026-06-02", ["06-01T02:30+02"]),
        ("freq=daily;byhour=9", "2026-06-01", "2026-06-02", ["06-01T09:30+02"]),
        ("FREQ=DAILY;INTERVAL=2", "2026-01-05", "2026-01-08", ["01-05T02:30+01", "01-07T02:30+01"]),
        ("FREQ=DAILY", "2026-01-01", "2026-01-06", ["01-05T02:30+01"]),
        ("FREQ=WEEKLY", "2026-06-01", "2026-06-09", ["06-01T02:30+02", "06-08T02:30+02"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-06-01", "2026-08-01", ["06-26T02:30+02", "07-31T02:30+02"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-05-01", "2026-06-01", ["05-29T02:30+02"]),
        ("FREQ=YEARLY", "2026-01-01", "2028-01-01", ["01-05T02:30+01", "01-05T02:30+01"]),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "2026-01-01", "2027-01-01", ["05-11T02:30+02"]),
        ("FREQ=YEARLY;BYYEARDAY=-1", "2026-01-01", "2027-01-01", ["12-31T02:30+01"]),
        ("FREQ=DAILY;UNTIL=20260602", "2026-06-01", "2026-06-09", ["06-01T02:30+02", "06-02T02:30+02"]),
        ("FREQ=DAILY;UNTIL=20260602T023000", "2026-06-01", "2026-06-09", ["06-01T02:30+02", "06-02T02:30+02"]),
        ("FREQ=DAILY;UNTIL=20260602T022959", "2026-06-01", "2026-06-09", ["06-01T02:30+02"]),
        ("FREQ=DAILY;UNTIL=20260602T003000Z", "2026-06-01", "2026-06-09", ["06-01T02:30+02", "06-02T02:30+02"]),
        ("FREQ=DAILY;UNTIL=20260602T002959Z", "2026-06-01", "2026-06-09", ["06-01T02:30+02"]),
        ("DTSTART:20260601T070000\nRRULE:FREQ=DAILY", "2026-05-01", "2026-06-02", ["06-01T07:00+02"]),
        ("DTSTART;TZID=Europe/Berlin:20260601T070000 FREQ=DAILY", "2026-05-01", "2026-06-02", ["06-01T07:00+02"]),
        ("DTSTART;VALUE=DATE:20260601 FREQ=DAILY", "2026-05-01", "2026-06-02", ["06-01T00:00+02", "06-02T00:00+02"]),
        # the clocks of Berlin go forward on 29 March and back on 25 October
        ("FREQ=DAILY", "2026-03-28", "2026-03-30T12:00", ["03-28T02:30+01", "03-29T02:30+01", "03-30T02:30+02"]),
        ("FREQ=DAILY", "2026-10-25", "2026-10-26", ["10-25T02:30+02"]),
        ("FREQ=HOURLY;BYHOUR=1,2,3", "2026-03-29", "2026-03-30", ["03-29T01:30+01", "03-29T02:30+01", "03-29T03:30+02"]),
        ("FREQ=HOURLY;BYHOUR=2", "2026-10-25", "2026-10-26", ["10-25T02:30+02"]),
        ("FREQ=HOURLY", "2026-03-29T00:45+01:00", "2026-03-29T04:00", ["03-29T01:30+01", "03-29T03:30+02"]),
        ("FREQ=HOURLY", "2026-10-25T01:45+02:00", "2026-10-25T04:00+01:00", ["10-25T02:30+02", "10-25T02:30+01", "10-25T03:30+01"]),
        ("FREQ=MINUTELY;INTERVAL=30;BYHOUR=2", "2026-10-25", "2026-10-26", ["10-25T02:00+02", "10-25T02:30+02", "10-25T02:00+01", "10-25T02:30+01"]),
        ("FREQ=HOURLY;INTERVAL=2", "2026-03-29", "2026-03-29T07:00", ["03-29T00:30+01", "03-29T04:30+02", "03-29T06:30+02"]),
    ],
)  # fmt: skip
def test_a_rule_names_local_times(text: str, after: str, until: str, expected: list[str]) -> None:
    bounds = [f"{bound}+02:00" if "T" in bound and "+" not in bound else bound for bound in (after, until)]
    bounds = [bound if "+" in bound else f"{bound}T00:00+02:00" for bound in bounds]

    found = slots(text, *bounds)

    assert found == expected


def test_the_times_of_a_gap_fire_right_after_it() -> None:
    when = RRule(expression="FREQ=DAILY;BYMINUTE=15,45", timezone=BERLIN, anchor=clock("2026-01-05T02:30"))

    due = list(
        dues(
            when, after=clock("2026-03-29T00:00Z"), until=clock("2026-03-29T12:00Z"), first_seen=SEEN, name=""
        )
    )

    assert [each.at for each in due] == [clock("2026-03-29T01:00Z")] * 2
    assert [each.slot for each in due] == ["2026-03-29T02:15:00+01:00", "2026-03-29T02:45:00+01:00"]


def test_a_day_that_never_was_has_no_times() -> None:
    found = slots(
        "FREQ=DAILY", "2011-12-29T00:00Z", "2011-12-31T12:00Z", zone="Pacific/Apia", anchor="2011-01-01T12:00"
    )

    assert found == ["12-29T12:00-10", "12-31T12:00+14"]


def test_without_an_anchor_it_begins_with_the_midnight_of_the_day_it_was_first_seen() -> None:
    found = slots(
        "FREQ=DAILY;INTERVAL=2", "2026-06-02T00:00Z", "2026-06-08T00:00Z", zone="Asia/Seoul", anchor=None
    )

    assert found == ["06-03T00:00+09", "06-05T00:00+09", "06-07T00:00+09"]


@pytest.mark.parametrize(
    ("text", "token", "words"),
    [
        ("", "", "FREQ=DAILY"),
        ("   ", "   ", "FREQ=DAILY"),
        ("INTERVAL=2", "INTERVAL=2", "FREQ is missing"),
        ("FREQ=DAYLY", "FREQ=DAYLY", "'DAYLY' is not one of YEARLY.*did you mean DAILY"),
        ("FREQ=DAILY;COUNT=5", "COUNT=5", "would need a memory; bound it with UNTIL"),
        ("FREQ=DAILY;BYHUOR=5", "BYHUOR=5", "no part 'BYHUOR'; did you mean BYHOUR"),
        ("FREQ=DAILY;XYZ=5", "XYZ=5", "there are FREQ, INTERVAL"),
        ("FREQ=DAILY;BYEASTER=0", "BYEASTER=0", "no part 'BYEASTER'"),
        ("FREQ=DAILY;", "", "a part is missing beside a ;"),
        ("FREQ=DAILY;BYHOUR", "BYHOUR", "a value is missing; it is written like BYHOUR=1"),
        ("FREQ=DAILY;BYHOUR=", "BYHOUR=", "a value is missing"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR=24", "'24' is not one of 0 to 23"),
        ("FREQ=DAILY;BYHOUR=1,,2", "BYHOUR=1,,2", "'nothing' is not one of 0 to 23"),
        ("FREQ=DAILY;BYMINUTE=-1", "BYMINUTE=-1", "0 to 59"),
        ("FREQ=DAILY;BYSECOND=60", "BYSECOND=60", "0 to 59"),
        ("FREQ=DAILY;BYMONTH=13", "BYMONTH=13", "1 to 12"),
        ("FREQ=DAILY;BYMONTHDAY=0", "BYMONTHDAY=0", "1 to 31, or -1 to -31 from the end"),
        ("FREQ=YEARLY;BYYEARDAY=367", "BYYEARDAY=367", "1 to 366"),
        ("FREQ=YEARLY;BYWEEKNO=54", "BYWEEKNO=54", "1 to 53"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "BYSETPOS=0", "1 to 366"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS=1", "another BY part"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0", "a number from 1 to 1000000"),
        ("FREQ=DAILY;INTERVAL=１", "INTERVAL=１", "a number from 1"),
        ("FREQ=DAILY;INTERVAL=2;INTERVAL=3", "INTERVAL=3", "it is there already"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY=XX", "'XX' is not one of MO, TU"),
        ("FREQ=WEEKLY;BYDAY=2MO", "BYDAY=2MO", "only within a month or a year"),
        ("FREQ=MONTHLY;BYDAY=6MO", "BYDAY=6MO", "no month has a weekday 6 times"),
        ("FREQ=YEARLY;BYDAY=54MO", "BYDAY=54MO", "1 to 53"),
        ("FREQ=YEARLY;BYDAY=0MO", "BYDAY=0MO", "1 to 53"),
        ("FREQ=WEEKLY;WKST=8", "WKST=8", "'8' is not one of MO"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "BYMONTHDAY=3", "only with FREQ=YEARLY, MONTHLY, DAILY"),
        ("FREQ=MONTHLY;BYWEEKNO=3", "BYWEEKNO=3", "only with FREQ=YEARLY"),
        ("FREQ=DAILY;BYYEARDAY=3", "BYYEARDAY=3", "only with FREQ=YEARLY, HOURLY"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL=tomorrow", "UNTIL=20261231T180000"),
        ("FREQ=DAILY;UNTIL=20260231", "UNTIL=20260231", "the end of a day"),
        ("FREQ=DAILY EXDATE:20260601", "EXDATE:20260601", "one rule, written without spaces"),
        ("FREQ=DAILY; INTERVAL=2", "INTERVAL=2", "one rule, written without spaces"),
        ("DTSTART:20260601T070000 DTSTART:20260601T080000 FREQ=DAILY", "DTSTART:20260601T080000", "one DTSTART"),
        ("DTSTART:soon FREQ=DAILY", "DTSTART:soon", "written like DTSTART:20260105T090000"),
        ("DTSTART:20260601T070000Z FREQ=DAILY", "DTSTART:20260601T070000Z", "Z means UTC"),
        ("DTSTART;TZID=Asia/Seoul:20260601T070000 FREQ=DAILY", "DTSTART;TZID=Asia/Seoul:20260601T070000", "TZID=Asia/Seoul is not allowed"),
        ("DTSTART:20260601T070000", "DTSTART:20260601T070000", "begins with FREQ"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "can never fire"),
        ("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "can never fire"),
        ("FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2", "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2", "can never fire"),
        ("DTSTART:20260601T000000 FREQ=DAILY;UNTIL=20260501", "DTSTART:20260601T000000 FREQ=DAILY;UNTIL=20260501", "can never fire"),
        ("DTSTART:20260601T010000 FREQ=HOURLY;INTERVAL=2;BYHOUR=2", "DTSTART:20260601T010000 FREQ=HOURLY;INTERVAL=2;BYHOUR=2", "can never fire"),
        ("F" * 2_001, "F", "at most 2000 characters"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused_with_the_part_and_its_place(
    text: str, token: str, words: str
) -> None:
    with counted() as work, pytest.raises(BadExpression, match=words) as refused:
        check_when(RRule(expression=text, timezone=BERLIN))

    error = refused.value
    assert error.expression[error.start : error.end] == token
    assert work.calls < 1_500_000


def test_a_dtstart_in_utc_is_taken_where_the_zone_is_utc() -> None:
    check_when(RRule(expression="DTSTART:20260601T070000Z\nRRULE:FREQ=DAILY", timezone="UTC"))


def test_a_rule_that_waits_for_its_phase_is_not_said_to_fire_never() -> None:
    check_when(RRule(expression="FREQ=YEARLY;INTERVAL=3;BYMONTH=2;BYMONTHDAY=29", timezone=BERLIN))


def lists(values: st.SearchStrategy[int], size: int) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=size, unique=True).map(
        lambda found: ",".join(map(str, found))
    )


def signed(high: int) -> st.SearchStrategy[int]:
    return st.integers(1, high) | st.integers(-high, -1)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Any rule that we take, and that is likely to fire now and then."""
    frequency = draw(
        st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"])
    )
    is_long, sub_daily = (
        frequency in ("YEARLY", "MONTHLY"),
        frequency[-4:] not in ("ARLY", "THLY", "EKLY", "AILY"),
    )
    week_numbers = frequency == "YEARLY" and draw(st.booleans()) and draw(st.booleans())
    counted = st.sampled_from(["", "", "1", "2", "-1", "+4"]) if is_long and not week_numbers else st.just("")
    weekdays = st.lists(
        st.tuples(counted, st.sampled_from(["MO", "TU", "WE", "FR", "SU"])), min_size=1, max_size=4
    )
    may = {
        "INTERVAL": st.sampled_from([2, 3, 4, 5, 7, 13, 90]).map(str),
        "WKST": st.sampled_from(["MO", "SU", "WE"]),
        "BYMONTH": lists(st.integers(1, 12), 5),
        "BYDAY": weekdays.map(lambda found: ",".join(f"{n}{day}" for n, day in found)),
        "BYHOUR": lists(st.integers(0, 23), 6),
        "BYMINUTE": lists(st.integers(0, 59), 6),
        "BYSECOND": lists(st.integers(0, 59), 3),
    }
    if frequency != "WEEKLY":
        may["BYMONTHDAY"] = lists(signed(31), 6)
    if frequency == "YEARLY" or sub_daily:
        may["BYYEARDAY"] = lists(signed(366), 20)
    names = draw(st.sets(st.sampled_from(sorted(may)), max_size=4))
    parts = [f"FREQ={frequency}", *(f"{name}={draw(may[name])}" for name in sorted(names))]
    if week_numbers:
        parts.append(f"BYWEEKNO={draw(lists(signed(53), 6))}")
    if any(part.startswith("BY") for part in parts) and draw(st.integers(0, 3)) == 0:
        parts.append(f"BYSETPOS={draw(lists(signed(6), 3))}")
    return ";".join(parts)


_MOST: Final = 40
_A_WEEK: Final = timedelta(days=7)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(
    text=rules(),
    start=st.datetimes(datetime(2000, 1, 1), datetime(2020, 1, 1)),  # noqa: DTZ001 - the wall's clock
    skipped=st.integers(0, 20),
)
def test_the_search_by_periods_names_what_dateutil_names_from_the_start(
    text: str, start: datetime, skipped: int
) -> None:
    """From the DTSTART on, and again from within, where the search has left out all the periods before.

    One difference is meant: BYSETPOS of a weekly rule counts in the whole week in which it starts, not in its rest.
    """
    start = start.replace(microsecond=0)
    when = RRule(expression=text, timezone="UTC", anchor=start)
    assume(is_taken(when))
    wanted = by_dateutil(text, start)
    after = start - timedelta(seconds=1)
    if "WEEKLY" in text and "BYSETPOS" in text:
        after = start + _A_WEEK
        wanted = [each for each in wanted if each > after]

    assert ours(when, after, len(wanted)) == wanted
    middle = wanted[skipped : skipped + 1]
    for moment in middle:
        assert ours(when, moment, len(wanted) - skipped - 1) == wanted[skipped + 1 :]
        assert (
            count_dues(
                when,
                after=after.replace(tzinfo=UTC),
                until=moment.replace(tzinfo=UTC),
                first_seen=SEEN,
                name="",
            )
            == skipped + 1
        )


def is_taken(when: RRule) -> bool:
    """Rules that never fire are refused; so are weekdays that no month has so often."""
    try:
        check_when(when)
    except BadExpression as error:
        return error.code not in ("never", "together")
    return True


def by_dateutil(text: str, start: datetime) -> list[datetime]:
    """The first times by dateutil's own walk; of a few years, since it is slow."""
    walk = takewhile(lambda each: each.year < start.year + 9, rrulestr(text, dtstart=start))
    return list(islice(walk, _MOST))


def ours(when: RRule, after: datetime, number: int) -> Sequence[datetime]:
    found = dues(
        when,
        after=after.replace(tzinfo=UTC),
        until=datetime(2060, 1, 1, tzinfo=UTC),
        first_seen=SEEN,
        name="",
    )
    return [each.at.replace(tzinfo=None) for each in islice(found, number)]


SAME: Final = {
    "FREQ=DAILY;BYHOUR=2;BYMINUTE=30": "30 2 * * *",
    "FREQ=HOURLY;BYHOUR=1,2,3;BYMINUTE=15,45": "15,45 1-3 * * *",
    "FREQ=HOURLY;BYMINUTE=30": "30 * * * *",
    "FREQ=MINUTELY;INTERVAL=20": "*/20 * * * *",
    "FREQ=MINUTELY;BYHOUR=0,2,23;BYMINUTE=0,20,40": "0,20,40 0,2,23 * * *",
    "FREQ=MINUTELY;INTERVAL=15;BYHOUR=2": "*/15 2 * * *",
    "FREQ=HOURLY;INTERVAL=2": "0 */2 * * *",
    "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2": "0 2 * * 0",
    "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3,10;BYHOUR=2,3": "0 2,3 * 3,10 L0",
    "FREQ=MONTHLY;BYMONTHDAY=-1": "0 0 L * *",
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), name=zones, text=st.sampled_from(sorted(SAME)), hours=st.integers(0, 99))
def test_a_rule_means_what_the_same_cron_expression_means_in_every_zone(
    data: st.DataObject, name: str, text: str, hours: int
) -> None:
    after = data.draw(moments(name)) + timedelta(days=2)
    until = after + timedelta(hours=hours)
    rule = RRule(expression=text, timezone=name, anchor=clock("2000-01-01T00:00"))
    cron = Cron(expression=SAME[text], timezone=name)

    wanted = list(dues(cron, after=after, until=until, first_seen=SEEN, name=""))

    assert list(dues(rule, after=after, until=until, first_seen=SEEN, name="")) == wanted
    assert count_dues(rule, after=after, until=until, first_seen=SEEN, name="") == len(wanted)


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=MINUTELY",
        "FREQ=SECONDLY;INTERVAL=7",
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=WEEKLY;INTERVAL=5;BYDAY=MO",
        "FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=1",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=3;BYMINUTE=0;BYSECOND=0",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
    ],
)
def test_a_rule_that_began_long_ago_is_as_fast_as_a_new_one(text: str) -> None:
    old = RRule(expression=text, timezone=BERLIN, anchor=clock("1970-01-01T00:00"))

    with counted() as work:
        due = next_due(old, after=clock("2039-06-01T00:00Z"), first_seen=SEEN, name="")

    assert due is not None
    assert work.calls < LITTLE_WORK_CALLS


def test_a_rule_that_is_out_of_phase_for_ever_ends_its_search() -> None:
    when = RRule(
        expression="FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29",
        timezone=BERLIN,
        anchor=clock("2025-01-01T00:00"),
    )

    with counted() as work:
        due = next_due(when, after=SEEN, first_seen=SEEN, name="")

    assert due is None
    assert work.calls < LITTLE_WORK_CALLS
    with pytest.raises(BadExpression, match="never fire"):
        check_when(when)
