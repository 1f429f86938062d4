"""Calendar files and public holidays: what they close, and what is said of a bad one."""

import os
from datetime import date, datetime
from pathlib import Path

import pytest

from schedulerd.domain.blackout_values import DaysOff
from schedulerd.domain.entries import BadEntry
from schedulerd.domain.schedules import BlackoutSpan
from schedulerd.errors import BadDefinition
from schedulerd.watch.calendars import CalendarsBeside
from schedulerd.watch.trust import Trust
from tests.work import counted

LITTLE_WORK_CALLS = 30_000_000
WHOLE_DAYS = ("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227")
NOON = ("DTSTART;TZID=Europe/Berlin:20261224T120000", "DTEND;TZID=Europe/Berlin:20261224T133000")


def event(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT", ""])


def calendar(*events: str, head: str = "") -> str:
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{head}{''.join(events)}END:VCALENDAR\r\n"


def read(folder: Path, text: str, name: str = "closed.ics", timezone: str = "Asia/Seoul") -> DaysOff:
    (folder / name).write_text(text)
    return CalendarsBeside(folder, Trust(os.geteuid())).file(name, timezone=timezone)


def days(*texts: str) -> tuple[date, ...]:
    return tuple(map(date.fromisoformat, texts))


def spans(*texts: tuple[str, str]) -> tuple[BlackoutSpan, ...]:
    return tuple(
        BlackoutSpan(start=datetime.fromisoformat(start), end=datetime.fromisoformat(end))
        for start, end in texts
    )


@pytest.mark.parametrize(
    ("lines", "closed"),
    [
        (WHOLE_DAYS, days("2026-12-24", "2026-12-25", "2026-12-26")),
        (("DTSTART;VALUE=DATE:20261224",), days("2026-12-24")),
        (("DTSTART;VALUE=DATE:20261224", "RRULE:FREQ=YEARLY;COUNT=2"), days("2026-12-24", "2027-12-24")),
        (
            ("DTSTART;VALUE=DATE:20261224", "RDATE;VALUE=DATE:20261231", "EXDATE;VALUE=DATE:20261224"),
            days("2026-12-31"),
        ),
        (("DTSTART;VALUE=DATE:20191231", "DTEND;VALUE=DATE:20200103"), days("2020-01-01", "2020-01-02")),
        ((*WHOLE_DAYS, "STATUS:CANCELLED"), ()),
        ((*WHOLE_DAYS, "TRANSP:TRANSPARENT"), days("2026-12-24", "2026-12-25", "2026-12-26")),
    ],
    ids=["several days", "one day", "each year", "listed", "before 2020", "cancelled", "shown as free"],
)
def test_whole_day_events_close_their_days(
    tmp_path: Path, lines: tuple[str, ...], closed: tuple[date, ...]
) -> None:
    assert read(tmp_path, calendar(event(*lines))) == DaysOff(days=closed)


@pytest.mark.parametrize(
    ("lines", "closed"),
    [
        (NOON, spans(("2026-12-24T20:00", "2026-12-24T21:30"))),
        (("DTSTART:20261224T120000Z", "DURATION:PT1H"), spans(("2026-12-24T21:00", "2026-12-24T22:00"))),
        (("DTSTART:20261224T120000", "DURATION:PT1H"), spans(("2026-12-24T12:00", "2026-12-24T13:00"))),
        (("DTSTART:20261224T120000",), ()),
        (
            (*NOON, "RRULE:FREQ=MONTHLY;COUNT=2"),
            spans(("2026-12-24T20:00", "2026-12-24T21:30"), ("2027-01-24T20:00", "2027-01-24T21:30")),
        ),
        (
            ("DTSTART:20191230T000000", "DTEND:20500201T000000"),
            spans(("2020-01-01T00:00", "2050-01-01T00:00")),
        ),
    ],
    ids=["in a zone", "in UTC", "wherever one is", "without a length", "recurring", "for decades"],
)
def test_timed_events_close_spans_in_the_zone_of_the_schedule(
    tmp_path: Path, lines: tuple[str, ...], closed: tuple[BlackoutSpan, ...]
) -> None:
    assert read(tmp_path, calendar(event(*lines))) == DaysOff(spans=closed)


def test_an_event_over_a_change_back_of_the_clocks_has_a_length(tmp_path: Path) -> None:
    text = calendar(event("DTSTART:20261025T004500Z", "DTEND:20261025T011500Z"))

    assert read(tmp_path, text, timezone="Europe/Berlin") == DaysOff(
        spans=spans(("2026-10-25T02:45", "2026-10-25T03:15"))
    )


def test_an_event_that_lies_in_a_gap_of_the_clocks_closes_nothing(tmp_path: Path) -> None:
    text = calendar(event("DTSTART:20260329T021500", "DURATION:PT30M"))

    assert read(tmp_path, text, timezone="Europe/Berlin") == DaysOff()


def test_an_event_in_the_zone_that_its_calendar_defines(tmp_path: Path) -> None:
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Office\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
        "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0200\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    text = calendar(event("DTSTART;TZID=Office:20261224T120000", "DURATION:PT1H"), head=zone)

    assert read(tmp_path, text, timezone="UTC").spans == spans(("2026-12-24T10:00", "2026-12-24T11:00"))


def test_what_recurs_for_ever_is_closed_until_the_end_of_2049(tmp_path: Path) -> None:
    closed = read(tmp_path, calendar(event(*WHOLE_DAYS, "RRULE:FREQ=YEARLY"))).days

    assert len(closed) == 24 * 3
    assert (closed[0], closed[-1]) == days("2026-12-24", "2049-12-26")


def daily(number: int, *, more: str = "") -> str:
    start = f"DTSTART:2026{number % 12 + 1:02}{number % 28 + 1:02}T{number % 24:02}{number % 60:02}00Z"
    recurring = event(start, f"RRULE:FREQ=DAILY{more}", "DURATION:PT1M")
    return recurring.replace("UID:1", f"UID:{number}")


def test_very_many_events_that_recur_are_refused_in_little_work(tmp_path: Path) -> None:
    with counted() as work, pytest.raises(BadDefinition, match="more than 10000 days and spans"):
        read(tmp_path, calendar(*(daily(number) for number in range(200))))

    assert work.calls < LITTLE_WORK_CALLS


def test_more_events_that_recur_than_can_be_looked_at_are_told_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(BadDefinition, match="more than 200 events that recur") as refused:
        read(tmp_path, calendar(*(daily(number, more=";COUNT=1") for number in range(201))))

    assert refused.value.line == 4 + 200 * 7


def test_events_that_could_recur_often_and_do_not_are_read_piece_by_piece(tmp_path: Path) -> None:
    found = read(tmp_path, calendar(*(daily(number, more=";COUNT=2") for number in range(60))))

    assert len(found.spans) == len({span.start for span in found.spans}) > 60


def test_two_calendars_in_a_file_close_what_either_closes(tmp_path: Path) -> None:
    text = calendar(event("DTSTART;VALUE=DATE:20261224")) + calendar(event("DTSTART;VALUE=DATE:20261231"))

    assert read(tmp_path, text).days == days("2026-12-24", "2026-12-31")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", None, "is no calendar: there is no BEGIN:VCALENDAR"),
        ("hello\r\n", 1, "is no line of a calendar, as in DTSTART:20261224T120000: 'hello'"),
        (event(*NOON), 1, "BEGIN:VEVENT stands outside of a VCALENDAR"),
        (
            calendar(event(*NOON)).replace("END:VEVENT\r\n", ""),
            4,
            "BEGIN:VEVENT has no END:VEVENT",
        ),
        (calendar(event(*NOON)) + "END:VEVENT\r\n", 11, "END:VEVENT ends nothing that has begun"),
        (calendar(event("SUMMARY:x")), 4, "the event has no DTSTART"),
        (calendar(event(*NOON), event("DTSTART:2026-12-24")), 13, "DTSTART: "),
        (
            calendar(event("DTSTART;TZID=Mars/Base:20261224T120000")),
            7,
            "DTSTART: there is no time zone 'Mars/Base'",
        ),
        (calendar(event(*NOON, "RRULE:FREQ=SOMETIMES")), 9, "RRULE: Expected frequency, got: SOMETIMES"),
        (calendar(event(*NOON, "RRULE:FREQ=HOURLY")), 9, "the event repeats many times a day"),
        (
            calendar(event(*NOON, f"RRULE:FREQ=DAILY;BYHOUR=1,2;BYMINUTE={','.join(map(str, range(60)))}")),
            9,
            "the event repeats many times a day",
        ),
        (calendar(event("DTSTART;VALUE=DATE:20200101", "RRULE:FREQ=DAILY")), None, "closes more than 10000"),
        (calendar(event(*NOON, "RRULE:FREQ=DAILY;INTERVAL=0")), 9, "RRULE: INTERVAL must be at least 1"),
        (calendar(event(*NOON, "RRULE:COUNT=3")), 9, "RRULE: FREQ is missing"),
        (calendar(event(*NOON, "DTSTART:20261225T120000")), 7, "DTSTART stands twice in the event"),
        (calendar(event("DTSTART;TZID:20261224T120000")), 4, "Content line could not be parsed"),
        (calendar(event(*NOON), head="X;Y:1\r\n"), None, "cannot be read as a calendar: "),
        (calendar(event("DTSTART:00010101T000000Z", "DTEND:99991231T000000Z")), None, "cannot be read as"),
    ],
    ids=[
        *("empty", "no calendar", "event alone", "unclosed", "closed twice", "no start", "bad date"),
        *("bad zone", "bad rule", "hourly", "every minute", "every day"),
        *("endless", "no frequency", "two starts", "bad line", "bad line outside", "all time"),
    ],
)
def test_a_bad_calendar_is_told_with_the_line(
    tmp_path: Path, text: str, line: int | None, reason: str
) -> None:
    with pytest.raises(BadDefinition) as raised:
        read(tmp_path, text)

    assert (raised.value.file, raised.value.line) == (str(tmp_path / "closed.ics"), line)
    assert raised.value.reason.startswith(reason)


def test_a_list_of_dates_has_one_on_each_line_and_comments(tmp_path: Path) -> None:
    text = "# closing days\n\n2026-12-31   # stocktaking\r\n 2026-12-24\n2026-12-31\n"

    assert read(tmp_path, text, name="days.txt") == DaysOff(days=days("2026-12-24", "2026-12-31"))


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("2026-12-24\n24.12.2026\n", 2, "'24.12.2026' is no date; write one on each line, like 2026-12-31"),
        ("2026-02-30", 1, "'2026-02-30' is no date"),
        ("\n2062-01-01", 2, "the year 2062 is not one of 2020 to 2049"),
        ("2026-12-24\n# \udcff", 2, "not UTF-8 text"),
        ("#" * (1 << 20) + "#", None, "is larger than 1048576 bytes"),
    ],
    ids=["another form", "no such day", "too late", "not text", "too large"],
)
def test_a_bad_list_of_dates_is_told_with_the_line(
    tmp_path: Path, text: str, line: int | None, reason: str
) -> None:
    (tmp_path / "days.txt").write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(BadDefinition) as raised:
        CalendarsBeside(tmp_path, Trust(os.geteuid())).file("days.txt", timezone="UTC")

    assert raised.value.line == line
    assert raised.value.reason.startswith(reason)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "../closed.ics",
            "'../closed.ics' is not the name of an .ics or .txt file in the folder of this file",
        ),
        ("/etc/hosts.txt", "'/etc/hosts.txt' is not the name"),
        ("closed.pdf", "'closed.pdf' is not the name"),
        ("close.ics", "there is no close.ics in {folder}; did you mean closed.ics?"),
        ("other\0.ics", "there is no other"),
        ("linked.ics", "linked.ics is a symlink that leads out of {folder}; put the file itself there"),
    ],
    ids=["above", "absolute", "another kind", "missing", "a NUL", "a link out"],
)
def test_a_calendar_lies_beside_the_file_that_names_it(tmp_path: Path, name: str, reason: str) -> None:
    folder = tmp_path / "schedules"
    folder.mkdir()
    (tmp_path / "closed.ics").write_text(calendar(event(*NOON)))
    (folder / "closed.ics").write_text(calendar(event(*NOON)))
    (folder / "linked.ics").symlink_to(tmp_path / "closed.ics")

    with pytest.raises(BadEntry) as raised:
        CalendarsBeside(folder, Trust(os.geteuid())).file(name, timezone="UTC")

    assert raised.value.reason.startswith(reason.format(folder=folder))


def test_a_calendar_that_others_may_write_to_is_refused_with_the_mend(tmp_path: Path) -> None:
    path = tmp_path / "closed.ics"
    path.write_text(calendar(event(*NOON)))
    path.chmod(0o666)

    with pytest.raises(BadDefinition) as raised:
        CalendarsBeside(tmp_path, Trust(os.geteuid())).file("closed.ics", timezone="UTC")

    assert (raised.value.reason, raised.value.mend) == (
        "refused: anybody may write to it",
        f"chmod o-w {path}",
    )


def holidays(code: str) -> tuple[date, ...]:
    return CalendarsBeside(Path("/"), Trust(0)).holidays(code)


def test_public_holidays_are_those_of_a_country_from_2020_to_2049() -> None:
    found = holidays("KR")

    assert set(days("2026-01-01", "2026-02-17", "2026-08-15", "2026-12-25")) <= set(found)
    assert list(found) == sorted(set(found))
    assert (found[0].year, found[-1].year) == (2020, 2049)


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    epiphany, reformation = days("2026-01-06", "2026-10-31")

    assert epiphany in holidays("DE-BY")
    assert epiphany not in holidays("DE")
    assert reformation in holidays("DE-SN")


def test_where_later_years_are_not_known_those_that_are_count() -> None:
    found = holidays("IN")

    assert sum(day.year == 2030 for day in found) > sum(day.year == 2049 for day in found)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("de", "no holidays are known of a country 'de'; did you mean DE?"),
        ("Germany", "no holidays are known of a country 'Germany'; did you mean DE"),
        ("XX", "no holidays are known of a country 'XX'; a country is named by its code, as in KR"),
        ("", "no holidays are known of a country ''"),
        ("HolidayBase", "no holidays are known of a country 'HolidayBase'"),
        ("DE-Augsburk", "DE has no part 'Augsburk'; did you mean DE-Augsburg? it has BB, BE, BW, BY,"),
        ("KR-11", "KR has no parts with holidays of their own; write KR"),
    ],
)
def test_a_place_that_is_not_known_is_told_with_what_is(code: str, reason: str) -> None:
    with pytest.raises(BadEntry) as raised:
        holidays(code)

    assert raised.value.reason.startswith(reason)
