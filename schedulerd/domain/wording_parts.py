"""What a sentence about a schedule is made of, whatever its language: stretches, steps, times of day, plain rules."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schedulerd.domain.cron import FIRST_YEAR, LAST, CronFields
from schedulerd.domain.cron_tokens import DAY, WEEKDAY
from schedulerd.domain.durations import UNITS
from schedulerd.domain.rrule_text import Frequency, RuleText, parse_rrule
from schedulerd.domain.schedules import RRule
from schedulerd.domain.zones import zone

MOST_TIMES: Final = 6
"""Up to so many times of day are said one by one."""

_MIDNIGHT: Final = datetime(FIRST_YEAR, 1, 1)  # noqa: DTZ001 - the wall's clock
_MOST_OF_A_MONTH: Final = 5
"""No weekday comes more often in a month."""


def runs(values: Iterable[int]) -> list[tuple[int, int]]:
    """The stretches of values that follow each other by one. Sunday after Saturday does, as 7."""
    found: list[tuple[int, int]] = []
    for value in values:
        if found and found[-1][1] + 1 in (value, value + 7):
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((value, value))
    return found


def run_words(values: Iterable[int], word: Callable[[int], str], between: str) -> list[str]:
    """Words for values, three and more in a row as a range, with `between` between its ends."""
    words = []
    for first, end in runs(values):
        if end - first > 1:
            words.append(f"{word(first)}{between}{word(end)}")
        else:
            words += [word(value) for value in range(first, end + 1)]
    return words


def week_of(weekdays: Iterable[int]) -> list[int]:
    """The weekdays (0 is Sunday) from Monday on."""
    return sorted(weekdays, key=lambda weekday: weekday or 7)


def even_step(token: str) -> int | None:
    """The step of a token of the form `*/n`, None for any other and for `*/1`."""
    step = token.removeprefix("*/")
    return int(step) if step != token and step.isdecimal() and int(step) > 1 else None


def times_of_day(fields: CronFields) -> list[str]:
    """The times that an expression names, where they are few; else none."""
    if len(fields.seconds) > 1 or len(fields.hours) * len(fields.minutes) > MOST_TIMES:
        return []
    (second,) = fields.seconds
    return [clock(hour, minute, second) for hour in fields.hours for minute in fields.minutes]


def clock(hour: int, minute: int, second: int = 0) -> str:
    """`02:30`, with its seconds where there are any."""
    return f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")


def times_of_rule(text: RuleText) -> list[str]:
    """The times that a rule names; none where it is a rhythm."""
    return [
        clock(hour, minute, second)
        for hour in text.hours
        for minute in text.minutes
        for second in text.seconds
    ]


def in_month_order(counted: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Pairs of weekday and n within the month, the last ones last."""
    return sorted(counted, key=lambda pair: (pair[1] == LAST, pair[1], pair[0] or 7))


def names_month_days(fields: CronFields) -> bool:
    """Does the day of the month say which days?"""
    return fields.token(DAY) not in ("*", "?")


def names_weekdays(fields: CronFields) -> bool:
    """Does the day of the week say which days? All seven beside an open day of the month do not."""
    if fields.token(WEEKDAY) in ("*", "?"):
        return False
    return names_month_days(fields) or bool(fields.nth_weekdays) or len(fields.weekdays) < 7


def counted_in(duration: timedelta) -> tuple[int, str]:
    """The duration as a whole number of the largest unit that it has: `90, "m"`. Less than a millisecond is dropped."""
    for name, unit in UNITS.items():
        if duration >= unit and duration % unit == timedelta():
            return duration // unit, name
    return duration // UNITS["ms"], "ms"


def local_time(moment: datetime, timezone: str) -> datetime:
    """What the clock of the zone shows then; a time without a zone is what it shows."""
    return moment if moment.tzinfo is None else moment.astimezone(zone(timezone))


@dataclass(frozen=True, kw_only=True, slots=True)
class PlainRule:
    """A recurrence rule that can be said in a sentence, with what it takes from its DTSTART said outright.

    `counted` are pairs of weekday (0 is Sunday) and n within the month, -1 for the last.
    """

    text: RuleText
    start: datetime | None
    month_days: tuple[int, ...]
    last_day: bool
    weekdays: tuple[int, ...]
    counted: tuple[tuple[int, int], ...]


def plain_rule(when: RRule) -> PlainRule | None:
    """The rule, where its parts are common ones; None where its own text says it best."""
    text = parse_rrule(when.expression, timezone=when.timezone)
    start = text.start or when.anchor
    if not _is_plain(text):
        return None
    # a DTSTART that is not known yet is a midnight, on a day that is not known
    text = text.with_times_of(_MIDNIGHT) if start is None else text.with_times_of(start).with_days_of(start)
    weekdays = ((weekday + 1) % 7 for weekday, n in text.weekdays if n == 0)
    return PlainRule(
        text=text,
        start=start,
        month_days=tuple(day for day in text.month_days if day > 0),
        last_day=-1 in text.month_days,
        weekdays=tuple(week_of(weekdays)),
        counted=tuple(((weekday + 1) % 7, n) for weekday, n in text.weekdays if n),
    )


def _is_plain(text: RuleText) -> bool:
    rare = text.positions or text.year_days or text.week_numbers or any(day < -1 for day in text.month_days)
    both = text.month_days and text.weekdays
    counts = [n for _, n in text.weekdays if n]
    far = any(n < -1 or n > _MOST_OF_A_MONTH for n in counts) or 0 < len(counts) < len(text.weekdays)
    of_year = text.names_days and text.frequency is Frequency.YEARLY and not text.months
    finer = (text.frequency > Frequency.HOURLY and (text.hours or text.minutes)) or (
        text.frequency is Frequency.HOURLY and text.hours
    )
    return not (rare or both or far or of_year or finer or text.seconds not in ((), (0,)))
