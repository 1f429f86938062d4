"""The `blackout` of a schedule, from what people write: windows, spans, dates, calendar files, public holidays. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Protocol, TypeVar

from schedulerd.domain.cron import parse_cron
from schedulerd.domain.entries import BadEntry, Entry
from schedulerd.domain.schedules import Blackout, BlackoutAction, BlackoutSpan, BlackoutWindow

T = TypeVar("T")

FIRST_YEAR: Final = 2020
LAST_YEAR: Final = 2049
"""The years that calendars are read for."""

_A_DAY: Final = timedelta(days=1)
_SHAPES: Final[Mapping[str, tuple[str, ...]]] = {
    "cron": ("cron", "duration"),
    "from": ("from", "to"),
    "dates": ("dates",),
    "calendar": ("calendar",),
    "holidays": ("holidays",),
}
"""The keys that an entry may consist of, by the first of them."""

_SHAPE_OF: Final = {key: shape for shape, keys in _SHAPES.items() for key in keys}
_EXAMPLE: Final = 'such as [{ holidays = "DE-BY" }, { dates = ["2026-12-31"] }]'


@dataclass(frozen=True, kw_only=True, slots=True)
class DaysOff:
    """What a calendar closes from `FIRST_YEAR` to `LAST_YEAR`: whole days, and spans of local time."""

    days: tuple[date, ...] = ()
    spans: tuple[BlackoutSpan, ...] = ()


class Calendars(Protocol):
    """Where days off come from. Each raises `BadEntry` for a name that it does not know."""

    def file(self, name: str, *, timezone: str) -> DaysOff:
        """What the calendar file of this name closes in a zone; `BadDefinition` for what is wrong in it."""

    def holidays(self, code: str) -> tuple[date, ...]:
        """The public holidays of a country or a part of one, ascending."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Context:
    """What the entries of a blackout are read with."""

    schedule: str
    timezone: str
    calendars: Calendars


def blackout_of(entry: Entry, *, schedule: str, timezone: str, calendars: Calendars) -> Blackout | None:
    """What the keys `blackout` and `blackout_action` say; None without them. Raises `BadEntry`."""
    action = entry.choice("blackout_action", BlackoutAction.SKIP)
    if not entry.has("blackout"):
        if entry.has("blackout_action"):
            raise entry.wrong("blackout_action", "`blackout_action` without `blackout` means nothing")
        return None
    context = _Context(schedule=schedule, timezone=timezone, calendars=calendars)
    parts = [_part(one, context) for one in _entries(entry)]
    return Blackout(
        windows=tuple(window for part in parts for window in part.windows),
        days=tuple(sorted({day for part in parts for day in part.days})),
        spans=tuple(sorted({span for part in parts for span in part.spans}, key=lambda span: span.start)),
        action=action,
        calendars=tuple(calendar for part in parts for calendar in part.calendars),
    )


def _entries(entry: Entry) -> list[Entry]:
    listed = entry.values["blackout"]
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise entry.wrong("blackout", f"`blackout` must be a list of tables, {_EXAMPLE}")
    if not listed:
        raise entry.wrong("blackout", "`blackout` is empty; leave it out, or name times in it")
    return [
        Entry(one, path=("blackout", number), place=f"`blackout`, entry {number + 1}: ")
        for number, one in enumerate(listed)
    ]


def _part(entry: Entry, context: _Context) -> Blackout:
    """What one entry of the list closes."""
    entry.refuse_unknown(_SHAPE_OF)
    if not entry.values:
        raise entry.wrong(None, "it is empty; name times in it")
    first, *more = entry.values
    shape = _SHAPE_OF[first]
    for key in more:
        if _SHAPE_OF[key] != shape:
            raise entry.wrong(key, f"`{key}` does not go with `{first}`; make an entry of each")
    for key in _SHAPES[shape]:
        if not entry.has(key):
            raise entry.wrong(None, f"`{first}` needs `{key}` beside it")
    return _READERS[shape](entry, context)


def _window(entry: Entry, context: _Context) -> Blackout:
    entry.expression("cron", lambda text: parse_cron(text, name=context.schedule))
    window = BlackoutWindow(expression=entry.text("cron"), duration=entry.positive_duration("duration"))
    return Blackout(windows=(window,))


def _span(entry: Entry, context: _Context) -> Blackout:
    start, end = _from_midnight(entry.local_moment("from")), _through(entry.local_moment("to"))
    if start >= end:
        raise entry.wrong("to", "`to` does not lie after `from`")
    return Blackout(spans=(BlackoutSpan(start=start, end=end),))


def _dates(entry: Entry, context: _Context) -> Blackout:
    listed = entry.values["dates"]
    if not isinstance(listed, list):
        raise entry.wrong("dates", '`dates` must be a list of dates, such as ["2026-12-31"]')
    return Blackout(days=tuple(_day(entry, one) for one in listed))


def _day(entry: Entry, value: Any) -> date:
    try:
        day = date.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        day = None
    if not isinstance(day, date) or isinstance(day, datetime):
        raise entry.wrong("dates", f"`dates`: {str(value)!r} is no date; write it like 2026-12-31")
    entry.check_year("dates", day)
    return day


def _calendar(entry: Entry, context: _Context) -> Blackout:
    name = entry.text("calendar")
    found = _looked_up(entry, "calendar", lambda: context.calendars.file(name, timezone=context.timezone))
    return Blackout(days=found.days, spans=found.spans, calendars=(name,))


def _holidays(entry: Entry, context: _Context) -> Blackout:
    code = entry.text("holidays").strip()
    days = _looked_up(entry, "holidays", lambda: context.calendars.holidays(code))
    return Blackout(days=days, calendars=(f"holidays {code}",))


def _looked_up(entry: Entry, key: str, find: Callable[[], T]) -> T:
    try:
        return find()
    except BadEntry as error:
        raise entry.wrong(key, f"`{key}`: {error.reason}", mend=error.mend) from error


_READERS: Final[Mapping[str, Callable[[Entry, _Context], Blackout]]] = {
    "cron": _window,
    "from": _span,
    "dates": _dates,
    "calendar": _calendar,
    "holidays": _holidays,
}


def _from_midnight(value: date) -> datetime:
    """A date alone begins with its midnight."""
    return value if isinstance(value, datetime) else datetime.combine(value, time.min)


def _through(value: date) -> datetime:
    """A date alone is closed to its end."""
    return value if isinstance(value, datetime) else datetime.combine(value + _A_DAY, time.min)
