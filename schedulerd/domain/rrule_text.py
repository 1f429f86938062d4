"""The text of a recurrence rule (RFC 5545), read and checked part by part: which parts there are, and what they may say.

dateutil takes much that means nothing (`BYMONTH=13`, a `BYDAY=2MO` of days, a part twice) and names no place where it
refuses; so the text is read here, and dateutil is only ever given values.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from enum import IntEnum
from functools import lru_cache
from typing import Final

from schedulerd.domain.cron import FIRST_YEAR, LAST_YEAR
from schedulerd.domain.names import near_names
from schedulerd.errors import BadExpression

LONGEST_RULE: Final = 2_000
MOST_PERIODS: Final = 1_000_000
"""No INTERVAL is larger: that many seconds are eleven days, and of anything else it is never."""

WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class Frequency(IntEnum):
    """What a rule counts in, the longest first."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3
    HOURLY = 4
    MINUTELY = 5
    SECONDLY = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleText:
    """What the text of a rule says. What it leaves open is empty.

    `weekdays` are pairs of weekday (0 is Monday) and n, 0 where any counts. `until` is a local time, unless it has a
    zone: then an instant. `start` is the DTSTART of the text.
    """

    frequency: Frequency
    interval: int = 1
    until: datetime | None = None
    week_start: int = 0
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    week_numbers: tuple[int, ...] = ()
    weekdays: tuple[tuple[int, int], ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    start: datetime | None = None

    @property
    def is_fixed(self) -> bool:
        """Does it name times of day, and not a rhythm? As in a cron expression without a `*` in its time."""
        named = (
            self.hours or self.frequency < Frequency.HOURLY,
            self.minutes or self.frequency < Frequency.MINUTELY,
            self.seconds or self.frequency < Frequency.SECONDLY,
        )
        return all(named)

    @property
    def names_days(self) -> bool:
        """Does it say itself which days, beyond the months?"""
        return bool(self.month_days or self.year_days or self.week_numbers or self.weekdays)

    def with_times_of(self, start: datetime) -> "RuleText":
        """The rule with the parts of a time that it takes from a DTSTART said outright."""
        hours, minutes, seconds = self.hours, self.minutes, self.seconds
        if self.frequency < Frequency.HOURLY:
            hours = hours or (start.hour,)
        if self.frequency < Frequency.MINUTELY:
            minutes = minutes or (start.minute,)
        if self.frequency < Frequency.SECONDLY:
            seconds = seconds or (start.second,)
        return replace(self, hours=hours, minutes=minutes, seconds=seconds)

    def with_days_of(self, start: datetime) -> "RuleText":
        """The rule with the days that it takes from a DTSTART said outright."""
        if self.names_days or self.frequency > Frequency.WEEKLY:
            return self
        if self.frequency is Frequency.WEEKLY:
            return replace(self, weekdays=((start.weekday(), 0),))
        months = self.months or ((start.month,) if self.frequency is Frequency.YEARLY else ())
        return replace(self, months=months, month_days=(start.day,))


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part `NAME=VALUE` as written, and its place in the text."""

    name: str
    value: str
    start: int
    end: int
    expression: str

    def refuse(self, reason: str, *, code: str = "value") -> BadExpression:
        """The error that says so at this part's place."""
        return BadExpression(
            f"{self.name}: {reason}", expression=self.expression, start=self.start, end=self.end, code=code
        )


@lru_cache(maxsize=1_024)
def parse_rrule(expression: str, *, timezone: str) -> RuleText:
    """What the rule says, or `BadExpression` with the place of the part at fault and what would be allowed there."""
    if len(expression) > LONGEST_RULE:
        reason = f"a rule has at most {LONGEST_RULE} characters, this one {len(expression)}"
        raise BadExpression(reason, expression=expression, start=LONGEST_RULE, code="length")
    line, start = None, None
    for word in re.finditer(r"\S+", expression):
        if _is_named(word, "DTSTART"):
            if start is not None:
                raise _refused(word, "there is one DTSTART", code="twice")
            start = _start(word, timezone)
        elif line is None:
            line = word
        else:
            raise _refused(word, "there is one rule, written without spaces", code="twice")
    if line is None:
        raise BadExpression("a rule begins with FREQ=, as in FREQ=DAILY", expression=expression, code="freq")
    parts = {part.name: part for part in _parts(line)}
    if "FREQ" not in parts:
        reason = "FREQ is missing; a rule says how often, as in FREQ=DAILY"
        raise BadExpression(reason, expression=expression, start=line.start(), end=line.end(), code="freq")
    values = {_FIELDS[name]: _VALUES[name](part) for name, part in parts.items()}
    text = RuleText(start=start, **values)  # type: ignore[arg-type]  # each by its own reader
    _check_together(text, parts)
    return text


def _is_named(word: re.Match[str], name: str) -> bool:
    return re.match(rf"{name}[:;=]", word.group(), re.IGNORECASE) is not None


def _refused(word: re.Match[str], reason: str, *, code: str) -> BadExpression:
    return BadExpression(reason, expression=word.string, start=word.start(), end=word.end(), code=code)


def _start(word: re.Match[str], timezone: str) -> datetime:
    """The DTSTART: a local time of the schedule's zone. One that names another zone contradicts the schedule."""
    named, _, value = word.group().partition(":")
    for parameter in named.split(";")[1:]:
        name, _, said = parameter.partition("=")
        if (name.upper(), said.upper()) in (("VALUE", "DATE"), ("VALUE", "DATE-TIME")):
            continue
        if name.upper() != "TZID" or said != timezone:
            reason = f"DTSTART: {parameter} is not allowed; the zone is that of the schedule, {timezone}"
            raise _refused(word, reason, code="zone")
    found = _moment(value)
    if found is None:
        reason = "DTSTART: a local time is written like DTSTART:20260105T090000"
        raise _refused(word, reason, code="time")
    if found.tzinfo is not None and timezone not in ("UTC", "Etc/UTC"):
        reason = f"DTSTART: Z means UTC, and the zone of the schedule is {timezone}; write it in local time, without Z"
        raise _refused(word, reason, code="zone")
    return found.replace(tzinfo=None)


_MOMENT: Final = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?", re.IGNORECASE | re.ASCII)


def _moment(value: str) -> datetime | None:
    """A time as the RFC writes it, with a zone where it ends in Z; a date is its midnight."""
    found = _MOMENT.fullmatch(value)
    if found is None:
        return None
    try:
        read = datetime.fromisoformat(f"{found.group(1)}T{found.group(2) or '000000'}")
    except ValueError:
        return None
    if not FIRST_YEAR <= read.year <= LAST_YEAR:
        return None
    return read.replace(tzinfo=UTC) if found.group(3) else read


def _parts(line: re.Match[str]) -> Iterator[Part]:
    """The parts of the rule, each with its place; unknown and repeated ones are refused."""
    at = line.start()
    text = line.group()
    if _is_named(line, "RRULE"):
        at, text = at + len("RRULE:"), text[len("RRULE:") :]
    seen: set[str] = set()
    for piece in text.split(";"):
        name, equals, value = piece.partition("=")
        end = at + max(1, len(piece))
        part = Part(name=name.upper(), value=value.upper(), start=at, end=end, expression=line.string)
        _check_name(part, equals=equals, seen=seen)
        seen.add(part.name)
        at += len(piece) + 1
        yield part


def _check_name(part: Part, *, equals: str, seen: set[str]) -> None:
    if part.name == "COUNT":
        raise part.refuse(
            "a rule with a COUNT would need a memory; bound it with UNTIL, or with the end of the schedule",
            code="count",
        )
    if part.name not in _VALUES:
        near = near_names(part.name, list(_VALUES))
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(_VALUES)}"
        reason = f"there is no part {part.name!r}; {hint}" if part.name else "a part is missing beside a ;"
        raise BadExpression(reason, expression=part.expression, start=part.start, end=part.end, code="part")
    if not equals or not part.value:
        raise part.refuse(f"a value is missing; it is written like {_EXAMPLES[part.name]}")
    if part.name in seen:
        raise part.refuse("it is there already", code="twice")


def _frequency(part: Part) -> Frequency:
    if part.value not in Frequency.__members__:
        near = near_names(part.value, list(Frequency.__members__))
        hint = f"; did you mean {near[0]}?" if near else ""
        raise part.refuse(f"{part.value!r} is not one of {', '.join(Frequency.__members__)}{hint}")
    return Frequency[part.value]


def _interval(part: Part) -> int:
    if re.fullmatch(r"[0-9]{1,7}", part.value, re.ASCII) is None or not 1 <= int(part.value) <= MOST_PERIODS:
        raise part.refuse(f"a number from 1 to {MOST_PERIODS}")
    return int(part.value)


def _until(part: Part) -> datetime:
    """A local time, or an instant; a date is the end of its day."""
    found = _moment(part.value)
    if found is None:
        raise part.refuse(
            "a local time is written like UNTIL=20261231T180000, one in UTC with a Z after it, the end of a day"
            " like UNTIL=20261231"
        )
    return found if "T" in part.value else datetime.combine(found, time(23, 59, 59))


def _week_start(part: Part) -> int:
    if part.value not in WEEKDAYS:
        raise part.refuse(f"{part.value!r} is not one of {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(part.value)


_WEEKDAY: Final = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)


def _weekdays(part: Part) -> tuple[tuple[int, int], ...]:
    found = []
    for item in part.value.split(","):
        read = _WEEKDAY.fullmatch(item)
        n = int(read.group(1) or 0) if read else 0
        if read is None or (read.group(1) and not 1 <= abs(n) <= 53):
            raise part.refuse(
                f"{item!r} is not one of {', '.join(WEEKDAYS)}, alone or counted like 2MO and -1FR (1 to 53)"
            )
        found.append((WEEKDAYS.index(read.group(2)), n))
    return tuple(sorted(set(found)))


def _numbers(low: int, high: int) -> Callable[[Part], tuple[int, ...]]:
    """Reads a list of numbers in a range."""
    return lambda part: _read_numbers(part, low, high, r"[0-9]{1,3}", f"{low} to {high}")


def _counted(high: int) -> Callable[[Part], tuple[int, ...]]:
    """Reads a list of numbers that count from the front or, negative, from the end."""
    return lambda part: _read_numbers(
        part, 1, high, r"[+-]?[0-9]{1,3}", f"1 to {high}, or -1 to -{high} from the end"
    )


def _read_numbers(part: Part, low: int, high: int, shape: str, allowed: str) -> tuple[int, ...]:
    found = set()
    for item in part.value.split(","):
        if re.fullmatch(shape, item, re.ASCII) is None or not low <= abs(int(item)) <= high:
            raise part.refuse(f"{item or 'nothing'!r} is not one of {allowed}")
        found.add(int(item))
    return tuple(sorted(found))


_VALUES: Final[Mapping[str, Callable[[Part], object]]] = {
    "FREQ": _frequency,
    "INTERVAL": _interval,
    "UNTIL": _until,
    "WKST": _week_start,
    "BYMONTH": _numbers(1, 12),
    "BYMONTHDAY": _counted(31),
    "BYYEARDAY": _counted(366),
    "BYWEEKNO": _counted(53),
    "BYDAY": _weekdays,
    "BYHOUR": _numbers(0, 23),
    "BYMINUTE": _numbers(0, 59),
    "BYSECOND": _numbers(0, 59),
    "BYSETPOS": _counted(366),
}
_FIELDS: Final = {
    "FREQ": "frequency",
    "INTERVAL": "interval",
    "UNTIL": "until",
    "WKST": "week_start",
    "BYMONTH": "months",
    "BYMONTHDAY": "month_days",
    "BYYEARDAY": "year_days",
    "BYWEEKNO": "week_numbers",
    "BYDAY": "weekdays",
    "BYHOUR": "hours",
    "BYMINUTE": "minutes",
    "BYSECOND": "seconds",
    "BYSETPOS": "positions",
}
_EXAMPLES: Final = {name: f"{name}=1" for name in _VALUES} | {
    "FREQ": "FREQ=DAILY",
    "UNTIL": "UNTIL=20261231",
    "WKST": "WKST=MO",
    "BYDAY": "BYDAY=MO,WE",
}


def _check_together(text: RuleText, parts: Mapping[str, Part]) -> None:
    """Refuse what the RFC gives no meaning to."""
    for name, allowed in _ONLY_WITH.items():
        if name in parts and text.frequency not in allowed:
            names = ", ".join(frequency.name for frequency in allowed)
            raise parts[name].refuse(f"it has a meaning only with FREQ={names}", code="together")
    if any(n for _, n in text.weekdays):
        _check_counted(text, parts["BYDAY"])
    if text.positions and not any(
        name in parts for name in _VALUES if name.startswith("BY") and name != "BYSETPOS"
    ):
        raise parts["BYSETPOS"].refuse(
            "it picks from what another BY part names, and there is none", code="together"
        )


def _check_counted(text: RuleText, part: Part) -> None:
    if text.frequency > Frequency.MONTHLY or text.week_numbers:
        raise part.refuse(
            "weekdays can be counted (2MO, -1FR) only within a month or a year, without BYWEEKNO",
            code="together",
        )
    far = [abs(n) for _, n in text.weekdays if abs(n) > 5]
    if far and (text.frequency is Frequency.MONTHLY or text.months):
        raise part.refuse(f"no month has a weekday {far[0]} times", code="together")


_ONLY_WITH: Final[Mapping[str, tuple[Frequency, ...]]] = {
    "BYWEEKNO": (Frequency.YEARLY,),
    "BYYEARDAY": (Frequency.YEARLY, Frequency.HOURLY, Frequency.MINUTELY, Frequency.SECONDLY),
    "BYMONTHDAY": tuple(frequency for frequency in Frequency if frequency is not Frequency.WEEKLY),
}
