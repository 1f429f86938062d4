"""What an author of a schedule should know about it, for `explain`: days, steps, and where the clocks change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from schedulerd.domain.cron import CronFields, parse_cron
from schedulerd.domain.cron_tokens import DAY, FIELDS, HOUR, MINUTE, MONTH, SECOND, WEEKDAY, YEAR, Field
from schedulerd.domain.intervals import is_calendar
from schedulerd.domain.nominal import count_between
from schedulerd.domain.rrule_text import parse_rrule
from schedulerd.domain.schedules import Cron, DayMatch, Interval, RRule, ScheduleDefinition, When
from schedulerd.domain.timing import Timing
from schedulerd.domain.zones import TICK, Change, changes, zone

LOOK_AHEAD: Final = timedelta(days=731)
"""How far ahead changes of the clocks are looked at."""

_MOST_NAMED: Final = 4


class CautionCode(StrEnum):
    """What kind of surprise it is."""

    EITHER_DAY = "either-day"
    UNEVEN_STEP = "uneven-step"
    SHORT_MONTH = "short-month"
    EVERY_MINUTE = "every-minute"
    DST_GAP = "dst-gap"
    DST_FOLD = "dst-fold"


@dataclass(frozen=True, kw_only=True, slots=True)
class Caution:
    """Something that a schedule does and that its author may not expect."""

    code: CautionCode
    text: str


def cautions(when: When, *, first_seen: datetime, name: str = "", now: datetime) -> tuple[Caution, ...]:
    """What may surprise: of the expression itself, and of the next change of the clocks of each kind."""
    found: list[Caution] = []
    if isinstance(when, Cron):
        fields = _fields(when, name)
        found += [*_about_days(fields), *_about_steps(fields), *_about_minutes(fields)]
    if not _is_rhythm(when):
        found += _about_clocks(when, first_seen=first_seen, name=name, now=now)
    return tuple(found)


def _is_rhythm(when: When) -> bool:
    """Does it go on whatever the clocks do, all day long? (Of a cron expression it depends on the hours.)"""
    match when:
        case Interval():
            return not is_calendar(when)
        case RRule():
            return not parse_rrule(when.expression, timezone=when.timezone).is_fixed
        case _:
            return False


def _about_days(fields: CronFields) -> Iterator[Caution]:
    day, weekday = fields.token(DAY), fields.token(WEEKDAY)
    if day not in ("*", "?") and weekday not in ("*", "?"):
        if fields.day_match is DayMatch.EITHER:
            text = f"both day fields are restricted, so either is enough: it fires on {day} and also on weekday {weekday}"
        else:
            text = f"both day fields must fit: it fires only where {day} and weekday {weekday} fall on the same day"
        yield Caution(code=CautionCode.EITHER_DAY, text=text)
    if not fields.last_day and fields.nearest_weekday is None and day not in ("*", "?"):
        yield from _about_short_months(fields)


def _about_short_months(fields: CronFields) -> Iterator[Caution]:
    """Months that are skipped altogether for want of such a day."""
    if fields.day_match is DayMatch.EITHER and fields.token(WEEKDAY) not in ("*", "?"):
        return
    first = min(fields.days)
    longest = {month: 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31 for month in fields.months}
    if first > min(28 if month == 2 else length for month, length in longest.items()):
        text = f"months without a day {first} are skipped; L is the last day of every month"
        yield Caution(code=CautionCode.SHORT_MONTH, text=text)


def _about_steps(fields: CronFields) -> Iterator[Caution]:
    for field in FIELDS:
        for step in _steps(fields.token(field)):
            if field is not YEAR and _is_uneven(field, step):
                again = "each month" if field is DAY else f"each {_LARGER[field.name]}"
                text = f"the step {step} of the {field.name} begins anew {again}, so the last gap is shorter"
                yield Caution(code=CautionCode.UNEVEN_STEP, text=text)


_LARGER: Final = {
    SECOND.name: "minute",
    MINUTE.name: "hour",
    HOUR.name: "day",
    MONTH.name: "year",
    WEEKDAY.name: "week",
}


def _steps(token: str) -> list[int]:
    """The steps of a token that go through the whole field."""
    return [int(item[2:]) for item in token.split(",") if item.startswith("*/") and item[2:].isdecimal()]


def _is_uneven(field: Field, step: int) -> bool:
    return step > 1 and (field is DAY or field.size % step != 0)


def _about_minutes(fields: CronFields) -> Iterator[Caution]:
    if len(fields.minutes) == MINUTE.size and len(fields.seconds) == 1:
        hours = "" if len(fields.hours) == HOUR.size else f" of hour {fields.token(HOUR)}"
        once = "" if not hours else f"; for once an hour write 0 for the minute: 0 {fields.token(HOUR)}"
        text = f"it fires every minute{hours}{once}"
        yield Caution(code=CautionCode.EVERY_MINUTE, text=text)


def _about_clocks(when: When, *, first_seen: datetime, name: str, now: datetime) -> Iterator[Caution]:
    """The first gap and the first fold ahead that the schedule meets."""
    local = zone(when.timezone)
    met: set[CautionCode] = set()
    for change in changes(local, start=now, end=now + LOOK_AHEAD):
        if isinstance(when, Cron) and not _fields(when, name).is_fixed:
            told = _of_rhythm(_fields(when, name), change, local)
        else:
            told = _of_fixed(when, change, local, first_seen=first_seen, name=name)
        code = CautionCode.DST_GAP if change.is_gap else CautionCode.DST_FOLD
        if told and code not in met:
            met.add(code)
            yield Caution(code=code, text=f"{_clocks(change, local)}; {told}")


def _fields(when: Cron, name: str) -> CronFields:
    return parse_cron(when.expression, name=name, day_match=when.day_match)


def _clocks(change: Change, local: ZoneInfo) -> str:
    low, high = change.edges(local)
    verb = "leave out" if change.is_gap else "repeat"
    return f"on {low:%Y-%m-%d} the clocks of {local.key} {verb} {low:%H:%M}-{high:%H:%M}"


def _of_rhythm(fields: CronFields, change: Change, local: ZoneInfo) -> str:
    """What becomes of the times of an expression that follows the clock; nothing to tell where it fires all day."""
    if len(fields.hours) == HOUR.size or not count_between(fields, *change.edges(local)):
        return ""
    if change.is_gap:
        return "its times in between do not exist on that day and are not made up for"
    return "its times in between fire in both passes"


def _of_fixed(when: When, change: Change, local: ZoneInfo, *, first_seen: datetime, name: str) -> str:
    """What becomes of the fixed times inside the change."""
    after, until = (
        (change.at - TICK, change.at) if change.is_gap else (change.at - change.length - TICK, change.at)
    )
    definition = ScheduleDefinition(name=name, when=when)
    found = Timing(definition=definition, first_seen=first_seen).each(after, until)
    low, high = (edge.replace(tzinfo=None) for edge in change.edges(local))
    meant = (datetime.fromisoformat(due.slot).replace(tzinfo=None) for due in found)
    inside = list(islice((f"{each:%H:%M}" for each in meant if low <= each < high), _MOST_NAMED + 1))
    if not inside:
        return ""
    times = ", ".join(inside[:_MOST_NAMED]) + (", ..." if len(inside) > _MOST_NAMED else "")
    fires = "fires" if len(inside) == 1 else "fire"
    if change.is_gap:
        return f"{times} {fires} at {high:%H:%M}, right after"
    return f"{times} {fires} at the first pass only"
