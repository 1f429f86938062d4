"""What a schedule says, in English words."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final, assert_never

from schedulerd.domain.cron import LAST, CronFields, parse_cron
from schedulerd.domain.cron_tokens import DAY, HOUR, MINUTE, MONTH, SECOND, WEEKDAY
from schedulerd.domain.durations import UNITS, duration_text
from schedulerd.domain.intervals import is_calendar
from schedulerd.domain.schedules import Cron, DayMatch, Interval, Once, Reboot, RRule, When

MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_NTH: Final = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", LAST: "last"}
_UNIT_NAMES: Final = {
    "w": "week",
    "d": "day",
    "h": "hour",
    "m": "minute",
    "s": "second",
    "ms": "millisecond",
}
_MOST_TIMES: Final = 6
"""Up to so many times of day are listed one by one."""


def in_words(when: When, *, name: str = "") -> str:
    """The schedule as a sentence without its full stop: `at 02:30 every day, Europe/Berlin time`."""
    match when:
        case Cron():
            said = cron_in_words(parse_cron(when.expression, name=name, day_match=when.day_match))
        case Interval():
            said = _interval(when)
        case Once():
            said = f"once, on {when.at.day} {MONTHS[when.at.month - 1]} {when.at.year} at {when.at:%H:%M}"
            said += f":{when.at:%S}" if when.at.second else ""
        case RRule():
            said = f"by the rule {when.expression}"
        case Reboot():
            return "once after each start of the machine"
        case _:  # pragma: no cover - every kind is above
            assert_never(when)
    return f"{said}, {when.timezone} time" if when.timezone != "UTC" else f"{said}, UTC"


def cron_in_words(fields: CronFields) -> str:
    """The expression as a phrase, without its zone."""
    time, is_time_of_day = _time(fields)
    days = _days(fields)
    months = "" if len(fields.months) == MONTH.size else f"in {_listed(fields.months, _month, 'to')}"
    years = "" if fields.years is None else f"in {_listed(fields.years, str, 'to')}"
    if is_time_of_day and not days:
        days = "every day"
    return " ".join(part for part in (time, days, months, years) if part)


def _interval(when: Interval) -> str:
    parts = duration_text(when.every)
    for unit, name in _UNIT_NAMES.items():
        if when.every == UNITS[unit]:
            return f"every {name}"
        if when.every % UNITS[unit] == timedelta() and (unit != "w" or is_calendar(when)):
            return f"every {when.every // UNITS[unit]} {name}s"
    return f"every {parts}"


def _time(fields: CronFields) -> tuple[str, bool]:
    """The time as words, and whether it names times of day."""
    times = len(fields.hours) * len(fields.minutes)
    if len(fields.seconds) == 1 and times <= _MOST_TIMES:
        return f"at {_joined(_times_of_day(fields))}", True
    if fields.seconds == fields.minutes == (0,) and (hours := _whole_hours(fields)):
        return hours, False
    parts = (_seconds(fields), _minutes(fields), _hours(fields))
    return " ".join(part for part in parts if part), False


def _whole_hours(fields: CronFields) -> str:
    """Hours on the hour, where they have an order that is shorter than their list."""
    if len(fields.hours) == HOUR.size:
        return "every hour on the hour"
    if step := _even_step(fields.token(HOUR)):
        return f"every {step} hours on the hour"
    if len(_runs(fields.hours)) == 1:
        return f"every hour from {fields.hours[0]:02}:00 to {fields.hours[-1]:02}:00"
    return ""


def _times_of_day(fields: CronFields) -> list[str]:
    second = f":{fields.seconds[0]:02}" if fields.seconds[0] else ""
    return [f"{hour:02}:{minute:02}{second}" for hour in fields.hours for minute in fields.minutes]


def _seconds(fields: CronFields) -> str:
    if fields.seconds == (0,):
        return ""
    if len(fields.seconds) == SECOND.size:
        return "every second"
    if step := _even_step(fields.token(SECOND)):
        return f"every {step} seconds"
    return f"at second{_s(fields.seconds)} {_listed(fields.seconds, str, 'to')}"


def _minutes(fields: CronFields) -> str:
    every_second = len(fields.seconds) > 1
    if len(fields.minutes) == MINUTE.size:
        return "" if every_second and len(fields.hours) == HOUR.size else _of("every minute", fields)
    if step := _even_step(fields.token(MINUTE)):
        return _of(f"every {step} minutes", fields)
    return _of(f"at minute{_s(fields.minutes)} {_listed(fields.minutes, str, 'to')}", fields)


def _of(minutes: str, fields: CronFields) -> str:
    """Tie the minutes to seconds that were said before them."""
    return minutes if fields.seconds == (0,) else f"of {minutes.removeprefix('at ')}"


def _hours(fields: CronFields) -> str:
    if len(fields.hours) == HOUR.size:
        is_rhythm = len(fields.minutes) == MINUTE.size or _even_step(fields.token(MINUTE))
        return "" if is_rhythm else "of every hour"
    if step := _even_step(fields.token(HOUR)):
        return f"of every {_ordinal(step)} hour from 00"
    if len(_runs(fields.hours)) == 1:
        return f"from {fields.hours[0]:02}:00 to {fields.hours[-1]:02}:59"
    return f"of the hours {_listed(fields.hours, _two_digits, 'to')}"


def _days(fields: CronFields) -> str:
    by_day = "" if fields.token(DAY) in ("*", "?") else _of_month(fields)
    by_weekday = "" if fields.token(WEEKDAY) in ("*", "?") else _of_week(fields)
    if by_day and by_weekday:
        if fields.day_match is DayMatch.BOTH:
            return f"{by_day} where that is {_listed(sorted(fields.weekdays), _weekday, 'to', 'or')}"
        return f"{by_day}, and {by_weekday} too"
    return by_day or by_weekday


def _of_month(fields: CronFields) -> str:
    if fields.nearest_weekday is not None:
        return f"on the weekday nearest to the {_ordinal(fields.nearest_weekday)} of the month"
    if step := _even_step(fields.token(DAY)):
        return f"on every {_ordinal(step)} day from the 1st of the month"
    days = [*_run_words(sorted(fields.days), _ordinal, "to the")] + (["last day"] if fields.last_day else [])
    return f"on the {_joined(days)} of the month"


def _of_week(fields: CronFields) -> str:
    if not fields.nth_weekdays:
        days = sorted(fields.weekdays, key=lambda weekday: weekday or 7)
        return f"on {_listed(days, _weekday, 'to')}"
    named = (
        f"{_NTH[n]} {_weekday(day)}" for day, n in sorted(fields.nth_weekdays, key=lambda pair: pair[::-1])
    )
    return f"on the {_joined(named)} of the month"


def _even_step(token: str) -> int | None:
    """The step of a token of the form `*/n`."""
    step = token.removeprefix("*/")
    return int(step) if step != token and step.isdecimal() and int(step) > 1 else None


def _listed(values: Sequence[int], word: Callable[[int], str], to: str, last: str = "and") -> str:
    return _joined(_run_words(values, word, to), last)


def _run_words(values: Sequence[int], word: Callable[[int], str], to: str) -> list[str]:
    """Words for values, three and more in a row as a range."""
    words = []
    for first, end in _runs(values):
        if end - first > 1:
            words.append(f"{word(first)} {to} {word(end)}")
        else:
            words += [word(value) for value in range(first, end + 1)]
    return words


def _runs(values: Iterable[int]) -> list[tuple[int, int]]:
    """The stretches of values that follow each other by one. Sunday after Saturday does, as 7."""
    runs: list[tuple[int, int]] = []
    for value in values:
        if runs and runs[-1][1] + 1 in (value, value + 7):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((value, value))
    return runs


def _joined(words: Iterable[str], last: str = "and") -> str:
    *rest, end = words
    return f"{', '.join(rest)} {last} {end}" if rest else end


def _s(values: Sequence[int]) -> str:
    return "s" if len(values) > 1 else ""


def _two_digits(number: int) -> str:
    return f"{number:02}"


def _month(number: int) -> str:
    return MONTHS[number - 1]


def _weekday(number: int) -> str:
    return WEEKDAYS[number % 7]


def _ordinal(number: int) -> str:
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 < number % 100 < 14 else suffix}"
