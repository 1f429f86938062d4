"""The tables of expected firings: one row a case, as Debian's cron had them under simulated time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from schedulerd.domain.due import dues
from schedulerd.domain.schedules import Cron
from schedulerd.domain.zones import zone


@dataclass(frozen=True, kw_only=True)
class Row:
    """An expression in a zone, a window of local time ([start, end)), and the local times it fires at."""

    id: str
    zone: str = "UTC"
    cron: str
    start: str
    end: str
    expected: str


ROWS = [
    Row(
        id="1 a fixed time in the gap fires after it",
        zone="Europe/Berlin",
        cron="30 2 * * *",
        start="2026-03-28T00:00",
        end="2026-03-31T00:00",
        expected="2026-03-28T02:30+01:00 2026-03-29T03:00+02:00 2026-03-30T02:30+02:00",
    ),
    Row(
        id="1b a rhythm has no times in the gap",
        zone="Europe/Berlin",
        cron="*/30 * * * *",
        start="2026-03-29T00:45",
        end="2026-03-29T04:15",
        expected="2026-03-29T01:00+01:00 2026-03-29T01:30+01:00 2026-03-29T03:00+02:00 2026-03-29T03:30+02:00"
        " 2026-03-29T04:00+02:00",
    ),
    Row(
        id="1c a rhythm of hours leaves out the hour that does not exist",
        zone="Europe/Berlin",
        cron="0 */2 * * *",
        start="2026-03-29T00:15",
        end="2026-03-29T07:00",
        expected="2026-03-29T04:00+02:00 2026-03-29T06:00+02:00",
    ),
    Row(
        id="1d one time in the gap and one after it",
        zone="Europe/Berlin",
        cron="15 2,3 * * *",
        start="2026-03-29T00:00",
        end="2026-03-30T00:00",
        expected="2026-03-29T03:00+02:00 2026-03-29T03:15+02:00",
    ),
    Row(
        id="1e two nominal times in the gap are two runs",
        zone="Europe/Berlin",
        cron="48,33 2 * * *",
        start="2026-03-29T00:00",
        end="2026-03-30T00:00",
        expected="2026-03-29T03:00+02:00 2026-03-29T03:00+02:00",
    ),
    Row(
        id="2 a fixed time in the fold fires at its first pass",
        zone="Europe/Berlin",
        cron="30 2 * * *",
        start="2026-10-24T00:00",
        end="2026-10-27T00:00",
        expected="2026-10-24T02:30+02:00 2026-10-25T02:30+02:00 2026-10-26T02:30+01:00",
    ),
    Row(
        id="2b a rhythm fires in both passes",
        zone="Europe/Berlin",
        cron="*/30 * * * *",
        start="2026-10-25T01:15",
        end="2026-10-25T04:15",
        expected="2026-10-25T01:30+02:00 2026-10-25T02:00+02:00 2026-10-25T02:30+02:00 2026-10-25T02:00+01:00"
        " 2026-10-25T02:30+01:00 2026-10-25T03:00+01:00 2026-10-25T03:30+01:00 2026-10-25T04:00+01:00",
    ),
    Row(
        id="2c a range of hours is fixed",
        zone="Europe/Berlin",
        cron="0 2-3 * * *",
        start="2026-10-25T00:00",
        end="2026-10-26T00:00",
        expected="2026-10-25T02:00+02:00 2026-10-25T03:00+01:00",
    ),
    Row(
        id="3 New York, gap",
        zone="America/New_York",
        cron="30 2 * * *",
        start="2026-03-07T00:00",
        end="2026-03-10T00:00",
        expected="2026-03-07T02:30-05:00 2026-03-08T03:00-04:00 2026-03-09T02:30-04:00",
    ),
    Row(
        id="3b New York, fold",
        zone="America/New_York",
        cron="30 1 * * *",
        start="2026-10-31T00:00",
        end="2026-11-03T00:00",
        expected="2026-10-31T01:30-04:00 2026-11-01T01:30-04:00 2026-11-02T01:30-05:00",
    ),
    Row(
        id="3c New York, every hour through the fold",
        zone="America/New_York",
        cron="5 * * * *",
        start="2026-11-01T00:15",
        end="2026-11-01T04:00",
        expected="2026-11-01T01:05-04:00 2026-11-01T01:05-05:00 2026-11-01T02:05-05:00 2026-11-01T03:05-05:00",
    ),
    Row(
        id="4 Lord Howe, a gap of half an hour",
        zone="Australia/Lord_Howe",
        cron="15 2 * * *",
        start="2026-10-03T00:00",
        end="2026-10-06T00:00",
        expected="2026-10-03T02:15+10:30 2026-10-04T02:30+11:00 2026-10-05T02:15+11:00",
    ),
    Row(
        id="4b Lord Howe, a fold of half an hour",
        zone="Australia/Lord_Howe",
        cron="45 1 * * *",
        start="2026-04-04T00:00",
        end="2026-04-07T00:00",
        expected="2026-04-04T01:45+11:00 2026-04-05T01:45+11:00 2026-04-06T01:45+10:30",
    ),
    Row(
        id="4c Lord Howe, a rhythm through the fold",
        zone="Australia/Lord_Howe",
        cron="*/15 * * * *",
        start="2026-04-05T01:10",
        end="2026-04-05T02:50",
        expected="2026-04-05T01:15+11:00 2026-04-05T01:30+11:00 2026-04-05T01:45+11:00 2026-04-05T01:30+10:30"
        " 2026-04-05T01:45+10:30 2026-04-05T02:00+10:30 2026-04-05T02:15+10:30 2026-04-05T02:30+10:30"
        " 2026-04-05T02:45+10:30",
    ),
    Row(
        id="5 Seoul, the gap of 1988",
        zone="Asia/Seoul",
        cron="30 2 * * *",
        start="1988-05-07T00:00",
        end="1988-05-10T00:00",
        expected="1988-05-07T02:30+09:00 1988-05-08T03:00+10:00 1988-05-09T02:30+10:00",
    ),
    Row(
        id="5b Seoul, the fold of 1988",
        zone="Asia/Seoul",
        cron="30 2 * * *",
        start="1988-10-08T00:00",
        end="1988-10-11T00:00",
        expected="1988-10-08T02:30+10:00 1988-10-09T02:30+10:00 1988-10-10T02:30+09:00",
    ),
    Row(
        id="6 leap days",
        cron="0 0 29 2 *",
        start="2026-01-01T00:00",
        end="2034-01-01T00:00",
        expected="2028-02-29T00:00+00:00 2032-02-29T00:00+00:00",
    ),
    Row(
        id="6b 2100 is no leap year",
        cron="0 0 29 2 *",
        start="2095-01-01T00:00",
        end="2106-01-01T00:00",
        expected="2096-02-29T00:00+00:00 2104-02-29T00:00+00:00",
    ),
    Row(
        id="7 months with a 31st",
        cron="0 0 31 * *",
        start="2026-01-01T00:00",
        end="2027-01-01T00:00",
        expected="2026-01-31T00:00+00:00 2026-03-31T00:00+00:00 2026-05-31T00:00+00:00 2026-07-31T00:00+00:00"
        " 2026-08-31T00:00+00:00 2026-10-31T00:00+00:00 2026-12-31T00:00+00:00",
    ),
    Row(
        id="8 either day field is enough",
        cron="0 0 13 * 5",
        start="2026-03-01T00:00",
        end="2026-04-01T00:00",
        expected="2026-03-06T00:00+00:00 2026-03-13T00:00+00:00 2026-03-20T00:00+00:00 2026-03-27T00:00+00:00",
    ),
    Row(
        id="8b a day field that begins with a star does not restrict",
        cron="0 0 */2 * 1",
        start="2026-03-01T00:00",
        end="2026-04-01T00:00",
        expected="2026-03-09T00:00+00:00 2026-03-23T00:00+00:00",
    ),
    Row(
        id="8c nor does a weekday that begins with one",
        cron="0 0 1,15 * */2",
        start="2026-03-02T00:00",
        end="2026-04-01T00:00",
        expected="2026-03-15T00:00+00:00",
    ),
    Row(
        id="9 a step that does not divide the hour",
        cron="*/7 * * * *",
        start="2026-03-01T00:01",
        end="2026-03-01T01:01",
        expected=" ".join(f"2026-03-01T00:{minute:02}+00:00" for minute in range(7, 57, 7))
        + " 2026-03-01T01:00+00:00",
    ),
    Row(
        id="9b a step of days begins anew each month",
        cron="0 0 */10 * *",
        start="2026-01-30T00:00",
        end="2026-04-03T00:00",
        expected="2026-01-31T00:00+00:00 2026-02-01T00:00+00:00 2026-02-11T00:00+00:00 2026-02-21T00:00+00:00"
        " 2026-03-01T00:00+00:00 2026-03-11T00:00+00:00 2026-03-21T00:00+00:00 2026-03-31T00:00+00:00"
        " 2026-04-01T00:00+00:00",
    ),
    Row(
        id="10 the last minute of a year",
        cron="59 23 31 12 *",
        start="2026-12-31T00:00",
        end="2027-01-02T00:00",
        expected="2026-12-31T23:59+00:00",
    ),
    Row(
        id="10b the first minute of a year",
        cron="0 0 1 1 *",
        start="2026-12-31T00:00",
        end="2027-01-02T00:00",
        expected="2027-01-01T00:00+00:00",
    ),
    Row(
        id="11 weekday 7 is Sunday",
        cron="0 0 * * 7",
        start="2026-03-02T00:00",
        end="2026-03-20T00:00",
        expected="2026-03-08T00:00+00:00 2026-03-15T00:00+00:00",
    ),
    Row(
        id="11b weekdays 5-7",
        cron="0 0 * * 5-7",
        start="2026-03-02T00:00",
        end="2026-03-14T00:00",
        expected="2026-03-06T00:00+00:00 2026-03-07T00:00+00:00 2026-03-08T00:00+00:00 2026-03-13T00:00+00:00",
    ),
    Row(
        id="11c weekday 1 is Monday",
        cron="0 0 * * 1",
        start="2026-03-01T00:00",
        end="2026-03-20T00:00",
        expected="2026-03-02T00:00+00:00 2026-03-09T00:00+00:00 2026-03-16T00:00+00:00",
    ),
    Row(
        id="12 Cairo, a gap at midnight",
        zone="Africa/Cairo",
        cron="0 0 * * *",
        start="2026-04-23T00:01",
        end="2026-04-27T00:00",
        expected="2026-04-24T01:00+03:00 2026-04-25T00:00+03:00 2026-04-26T00:00+03:00",
    ),
    Row(
        id="12b Cairo, a fold at midnight",
        zone="Africa/Cairo",
        cron="30 23 * * *",
        start="2026-10-28T00:00",
        end="2026-11-01T00:00",
        expected="2026-10-28T23:30+03:00 2026-10-29T23:30+03:00 2026-10-30T23:30+02:00 2026-10-31T23:30+02:00",
    ),
    Row(
        id="13 Apia, a day that never was",
        zone="Pacific/Apia",
        cron="0 12 * * *",
        start="2011-12-28T00:00",
        end="2012-01-02T00:00",
        expected="2011-12-28T12:00-10:00 2011-12-29T12:00-10:00 2011-12-31T12:00+14:00 2012-01-01T12:00+14:00",
    ),
    Row(
        id="13b Apia, a rhythm has no such day either",
        zone="Pacific/Apia",
        cron="0 */12 * * *",
        start="2011-12-29T00:00",
        end="2012-01-01T00:00",
        expected="2011-12-29T00:00-10:00 2011-12-29T12:00-10:00 2011-12-31T00:00+14:00 2011-12-31T12:00+14:00",
    ),
    Row(
        id="14 Casablanca, a fold for Ramadan",
        zone="Africa/Casablanca",
        cron="30 2 * * *",
        start="2026-02-14T00:00",
        end="2026-02-17T00:00",
        expected="2026-02-14T02:30+01:00 2026-02-15T02:30+01:00 2026-02-16T02:30+00:00",
    ),
]


def window(row: Row) -> tuple[datetime, datetime]:
    local = zone(row.zone)
    start, end = (
        datetime.fromisoformat(text).replace(tzinfo=local).astimezone(UTC) for text in (row.start, row.end)
    )
    return start - timedelta(microseconds=1), end - timedelta(microseconds=1)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_an_expression_fires_as_the_table_says(row: Row) -> None:
    after, until = window(row)
    when = Cron(expression=row.cron, timezone=row.zone)

    fired = [due.at for due in dues(when, after=after, until=until, first_seen=after, name="row")]

    assert fired == [datetime.fromisoformat(text).astimezone(UTC) for text in row.expected.split()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_rows_of_the_table_have_slots_of_their_own(row: Row) -> None:
    after, until = window(row)
    when = Cron(expression=row.cron, timezone=row.zone)

    slots = [due.slot for due in dues(when, after=after, until=until, first_seen=after, name="row")]

    assert len(set(slots)) == len(slots) == len(row.expected.split())


@pytest.mark.parametrize(
    ("cron", "slots"),
    [
        pytest.param("30 2 * * *", ["2026-03-29T02:30:00+01:00"], id="1"),
        pytest.param("15 2,3 * * *", ["2026-03-29T02:15:00+01:00", "2026-03-29T03:15:00+02:00"], id="1d"),
        pytest.param("48,33 2 * * *", ["2026-03-29T02:33:00+01:00", "2026-03-29T02:48:00+01:00"], id="1e"),
    ],
)
def test_the_slot_of_a_time_in_the_gap_is_the_time_that_was_meant(cron: str, slots: list[str]) -> None:
    when = Cron(expression=cron, timezone="Europe/Berlin")
    midnight = datetime(2026, 3, 28, 23, tzinfo=UTC)

    found = dues(when, after=midnight, until=midnight + timedelta(hours=22), first_seen=midnight, name="row")

    assert [due.slot for due in found] == slots


def test_the_two_passes_of_a_fold_have_slots_with_their_own_offsets() -> None:
    when = Cron(expression="30 * * * *", timezone="Europe/Berlin")
    after = datetime(2026, 10, 25, 0, tzinfo=UTC)

    slots = [
        due.slot
        for due in dues(when, after=after, until=after + timedelta(hours=2), first_seen=after, name="row")
    ]

    assert slots == ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"]
