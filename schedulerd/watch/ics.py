"""Calendars in ICS files (RFC 5545): the days and spans of their events. The only door to icalendar and its expansion."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from schedulerd.domain.blackout_values import FIRST_YEAR, LAST_YEAR, DaysOff
from schedulerd.domain.due_times import instant_of
from schedulerd.domain.schedules import BlackoutSpan
from schedulerd.domain.zones import zone
from schedulerd.errors import BadDefinition

if TYPE_CHECKING:
    from icalendar import Calendar, Event

MOST: Final = 10_000
MOST_RECURRING: Final = 200
"""So many events may recur: each is looked at for each stretch of time that is expanded at once."""

_A_YEAR: Final = 366
_TIMES_A_YEAR: Final = {"DAILY": 366, "WEEKLY": 53, "MONTHLY": 12, "YEARLY": 1}
_A_DAY: Final = timedelta(days=1)
_FIRST: Final = date(FIRST_YEAR, 1, 1)
_END: Final = date(LAST_YEAR + 1, 1, 1)
_LINE: Final = re.compile(r"([\w.-]+)([;:].*)", re.ASCII | re.DOTALL)
_TOO_OFTEN: Final = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})
_MOST_TIMES_A_DAY: Final = 24
_ONCE: Final = ("DTSTART", "DTEND", "DURATION", "STATUS")
_TIMES: Final = ("DTSTART", "DTEND", "RDATE", "EXDATE")

# What the library raises for an event that is not as it should be: it has no one kind of error.
_ODD: Final = (ValueError, LookupError, TypeError, AttributeError, OverflowError, AssertionError)


@lru_cache(maxsize=16)
def days_off_of_ics(text: str, *, file: str, timezone: str) -> DaysOff:
    """What the events of a calendar close in a zone, recurring ones included; `BadDefinition` for a bad calendar.

    Whole-day events are days, others spans; cancelled events and those without a length close nothing.
    """
    lines = _Lines(re.split(r"\r\n|\n|\r", text), file)
    lines.check()
    calendars = _calendars(text, lines)
    _check_events(calendars, lines)
    closed: set[date | BlackoutSpan] = set()
    for calendar in calendars:
        for one in _closed(calendar, timezone, lines):
            closed.add(one)
            if len(closed) > MOST:
                reason = f"closes more than {MOST} days and spans; for what repeats daily write `cron` and `duration`"
                raise lines.wrong(reason)
    return DaysOff(
        days=tuple(sorted(one for one in closed if isinstance(one, date))),
        spans=tuple(
            sorted((one for one in closed if isinstance(one, BlackoutSpan)), key=lambda one: one.start)
        ),
    )


class _Lines:
    """The lines of the file, for the places of what is wrong in it."""

    def __init__(self, lines: Sequence[str], file: str) -> None:
        self._lines = lines
        self._file = file

    def wrong(self, reason: str, line: int | None = None) -> BadDefinition:
        return BadDefinition(reason, file=self._file, line=line)

    def check(self) -> None:
        """Raise where a line is none of a calendar, and where what begins does not end."""
        begun: list[tuple[str, int]] = []
        for number, name, value in self._named():
            if name == "BEGIN" and not begun and value != "VCALENDAR":
                raise self.wrong(f"BEGIN:{value} stands outside of a VCALENDAR", number)
            if name == "BEGIN":
                begun.append((value, number))
            elif name == "END" and begun and begun[-1][0] == value:
                begun.pop()
            elif name == "END" and not begun:
                raise self.wrong(f"END:{value} ends nothing that has begun", number)
            elif name == "END":
                break
        if begun:
            raise self.wrong(f"BEGIN:{begun[-1][0]} has no END:{begun[-1][0]}", begun[-1][1])
        if not any(name == "BEGIN" for _, name, _ in self._named()):
            raise self.wrong("is no calendar: there is no BEGIN:VCALENDAR")

    def events(self) -> list[int]:
        """The lines on which events begin, in order."""
        return [number for number, name, value in self._named() if (name, value) == ("BEGIN", "VEVENT")]

    def within(self, event: int, key: str) -> int:
        """The line of a property of the event that begins on a line, or that line itself."""
        for number, name, value in self._named():
            if number > event and name == key:
                return number
            if number > event and (name, value) == ("END", "VEVENT"):
                break
        return event

    def _named(self) -> Iterator[tuple[int, str, str]]:
        for number, line in enumerate(self._lines, 1):
            if line[:1] in ("", " ", "\t"):  # the rest of a long line
                continue
            if (found := _LINE.fullmatch(line)) is None:
                raise self.wrong(
                    f"is no line of a calendar, as in DTSTART:20261224T120000: {line[:40]!r}", number
                )
            yield number, found[1].upper(), found[2][1:].strip().upper()


def _calendars(text: str, lines: _Lines) -> "list[Calendar]":
    from icalendar import Calendar  # slow

    try:
        read = Calendar.from_ical(text, multiple=True)
    except _ODD as error:
        raise lines.wrong(f"cannot be read as a calendar: {_first_line(error)}") from error
    return [one for one in read if isinstance(one, Calendar)]


def _check_events(calendars: "Sequence[Calendar]", lines: _Lines) -> None:
    events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    if len(events) > MOST:
        raise lines.wrong(f"has more than {MOST:,} events", lines.events()[MOST])
    recurring = [number for number, event in enumerate(events) if "RRULE" in event]
    if len(recurring) > MOST_RECURRING:
        reason = f"has more than {MOST_RECURRING} events that recur; for what repeats daily write `cron` and `duration`"
        raise lines.wrong(reason, lines.events()[recurring[MOST_RECURRING]])
    for event, line in zip(events, lines.events(), strict=False):  # a BEGIN may be folded over two lines
        _check_event(event, line, lines)


def _check_event(event: "Event | Any", line: int, lines: _Lines) -> None:
    for key, reason in event.errors:
        raise lines.wrong(f"{key}: {reason}" if key else reason, lines.within(line, key or ""))
    if "DTSTART" not in event:
        raise lines.wrong("the event has no DTSTART: it has no time", line)
    for key in _ONCE:
        if isinstance(event.get(key), list):
            raise lines.wrong(f"{key} stands twice in the event", lines.within(line, key))
    for key in _TIMES:
        if (name := _unknown_zone(event.get(key))) is not None:
            raise lines.wrong(f"{key}: there is no time zone {name!r}", lines.within(line, key))
    for rule in _several(event.get("RRULE")):
        if reason := _fault_of_rule(rule):
            raise lines.wrong(reason, lines.within(line, "RRULE"))


def _fault_of_rule(rule: Any) -> str | None:
    """Why a rule is not expanded: the library would never end with some, and others are no calendar."""
    if not rule.get("FREQ"):
        return "RRULE: FREQ is missing"
    if any(number < 1 for number in rule.get("INTERVAL", [])):
        return "RRULE: INTERVAL must be at least 1"
    times_a_day = prod(len(rule.get(key, [0])) for key in ("BYHOUR", "BYMINUTE", "BYSECOND"))
    if times_a_day > _MOST_TIMES_A_DAY or not _TOO_OFTEN.isdisjoint(map(str, rule["FREQ"])):
        return "the event repeats many times a day; write `cron` and `duration` instead"
    return None


def _unknown_zone(times: Any) -> str | None:
    """The zone that a time names and that is not known, so that the library takes it for a local time."""
    for one in _several(times):
        name = one.params.get("TZID")
        moment = getattr(one, "dt", None)
        if name and isinstance(moment, datetime) and moment.tzinfo is None:
            return str(name)
    return None


def _several(given: Any) -> list[Any]:
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


def _closed(calendar: "Calendar", timezone: str, lines: _Lines) -> Iterator[date | BlackoutSpan]:
    """What each event closes each time that it happens; some may come twice."""
    import recurring_ical_events  # slow

    try:
        query = recurring_ical_events.of(calendar)
        # piece by piece, so that too many are noticed before all of them are made
        first, length = _FIRST, _piece(calendar)
        while first < _END:
            last = min(first + length, _END)
            for event in query.between(first, last):
                if event.get("STATUS", "").upper() != "CANCELLED":
                    yield from _of_event(event.start, event.end, timezone)
            first = last
    except _ODD as error:
        raise lines.wrong(f"cannot be read as a calendar: {_first_line(error)}") from error


def _piece(calendar: "Calendar") -> timedelta:
    """How much time is expanded at once: a year, or less where it may hold very many events."""
    rules = [rule for event in calendar.walk("VEVENT") for rule in _several(event.get("RRULE"))]
    a_year = sum(_times_a_year(rule) for rule in rules)
    return max(1, min(_A_YEAR, _A_YEAR * MOST // max(1, a_year))) * _A_DAY


def _times_a_year(rule: Any) -> int:
    """About how often a rule happens in a year, by its parts that make it more often."""
    times = prod(
        len(rule.get(key, [0]))
        for key in ("BYDAY", "BYMONTHDAY", "BYMONTH", "BYYEARDAY", "BYHOUR", "BYMINUTE")
    )
    return min(_A_YEAR * _MOST_TIMES_A_DAY, times * _TIMES_A_YEAR.get(str(rule["FREQ"][0]).upper(), _A_YEAR))


def _of_event(start: Any, end: Any, timezone: str) -> Iterator[date | BlackoutSpan]:
    if not isinstance(start, datetime):
        first, last = max(start, _FIRST), min(end, _END)
        yield from (first + number * _A_DAY for number in range((last - first).days))
    elif (span := _span(start, end, zone(timezone))) is not None:
        yield span


def _span(start: datetime, end: datetime, local: ZoneInfo) -> BlackoutSpan | None:
    """In local time; None where no time lies in it, as within a gap of the clocks."""
    first, last = _local(start, local), _local(end, local)
    if last <= first < first + (end - start):  # the clocks went back meanwhile
        last = first + (end - start)
    first, last = max(first, _midnight(_FIRST)), min(last, _midnight(_END))
    if instant_of(first, local.key) >= instant_of(last, local.key):
        return None
    return BlackoutSpan(start=first, end=last)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)


def _local(moment: datetime, local: ZoneInfo) -> datetime:
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(local).replace(tzinfo=None, fold=0)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
