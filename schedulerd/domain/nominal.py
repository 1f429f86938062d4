"""The local times that a cron expression names: the first from a time, and how many there are between two.

Times are those of the clock on the wall: they keep the `tzinfo` they are given, and nobody asks it anything.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from schedulerd.domain.cron import LAST_YEAR, CronFields

_A_SECOND = timedelta(seconds=1)


def first_from(fields: CronFields, start: datetime) -> datetime | None:
    """The first local time at or after `start` (whole seconds) that the expression names; None after `LAST_YEAR`."""
    if _fires_on(fields, start):
        ahead = _seconds_ahead(fields, start.hour, start.minute, start.second)
        if ahead is not None:
            return start + timedelta(0, ahead)
    day = _day_after(fields, start)
    if day is None:
        return None
    return datetime(*day, fields.hours[0], fields.minutes[0], fields.seconds[0], tzinfo=start.tzinfo)


def count_between(fields: CronFields, start: datetime, end: datetime) -> int:
    """How many local times in [start, end) the expression names, without walking through them. `start` <= `end`."""
    a_day = len(fields.hours) * len(fields.minutes) * len(fields.seconds)
    whole = a_day * _days_between(fields, start, end)
    return whole + _earlier_that_day(fields, end) - _earlier_that_day(fields, start)


def _fires_on(fields: CronFields, day: date) -> bool:
    year, month = day.year, day.month
    return month in fields.months and _has_year(fields, year) and day.day in fields.days_of(year, month)


def _has_year(fields: CronFields, year: int) -> bool:
    return year <= LAST_YEAR if fields.years is None else year in fields.years


def _seconds_ahead(fields: CronFields, hour: int, minute: int, second: int) -> int | None:
    """How far the first time of day at or after this one is away, None when the day is over."""
    found = _time_from(fields, hour, minute, second)
    if found is None:
        return None
    return (found[0] - hour) * 3_600 + (found[1] - minute) * 60 + found[2] - second


def _time_from(fields: CronFields, hour: int, minute: int, second: int) -> tuple[int, int, int] | None:
    """The first time of day at or after this one, None when the day is over."""
    hours, minutes, seconds = fields.hours, fields.minutes, fields.seconds
    at_hour = bisect_left(hours, hour)
    if at_hour < len(hours) and hours[at_hour] == hour:
        at_minute = bisect_left(minutes, minute)
        if at_minute < len(minutes) and minutes[at_minute] == minute:
            at_second = bisect_left(seconds, second)
            if at_second < len(seconds):
                return hour, minute, seconds[at_second]
            at_minute += 1
        if at_minute < len(minutes):
            return hour, minutes[at_minute], seconds[0]
        at_hour += 1
    if at_hour < len(hours):
        return hours[at_hour], minutes[0], seconds[0]
    return None


def _day_after(fields: CronFields, day: date) -> tuple[int, int, int] | None:
    """The next day on which the expression fires, as year, month and day."""
    if day.month in fields.months and _has_year(fields, day.year):
        days = fields.days_of(day.year, day.month)
        at = bisect_right(days, day.day)
        if at < len(days):
            return day.year, day.month, days[at]
    for year, month in _months_from(fields, day.year, day.month + 1):
        if days := fields.days_of(year, month):
            return year, month, days[0]
    return None


def _months_from(fields: CronFields, year: int, month: int) -> Iterator[tuple[int, int]]:
    """The months that the expression names, from this one on. A month of 13 is January of the year after."""
    if _has_year(fields, year):
        for name in fields.months[bisect_left(fields.months, month) :]:
            yield year, name
    for each in _years_after(fields, year):
        for name in fields.months:
            yield each, name


def _years_after(fields: CronFields, year: int) -> Sequence[int]:
    if fields.years is None:
        return range(year + 1, LAST_YEAR + 1)
    return fields.years[bisect_right(fields.years, year) :]


def _days_between(fields: CronFields, start: date, end: date) -> int:
    """How many days in [start, end) the expression fires on."""
    whole = 0
    for year, month in _months_from(fields, start.year, start.month):
        if (year, month) > (end.year, end.month):
            break
        days = fields.days_of(year, month)
        low = bisect_left(days, start.day) if (year, month) == (start.year, start.month) else 0
        high = bisect_left(days, end.day) if (year, month) == (end.year, end.month) else len(days)
        whole += high - low
    return whole


def _earlier_that_day(fields: CronFields, moment: datetime) -> int:
    """How many times the expression has fired on this day before this time."""
    if not _fires_on(fields, moment):
        return 0
    hour, minute, second = (
        bisect_left(values, value)
        for values, value in (
            (fields.hours, moment.hour),
            (fields.minutes, moment.minute),
            (fields.seconds, moment.second),
        )
    )
    before = hour * len(fields.minutes) * len(fields.seconds)
    if moment.hour not in fields.hours:
        return before
    before += minute * len(fields.seconds)
    return before + second if moment.minute in fields.minutes else before
