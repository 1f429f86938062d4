"""Filters of schedules as Prefect 1 has them: which times of its clocks a schedule keeps.

A filter can be called with a moment, as there. What it leaves out becomes a blackout in local time, in windows that hold on
days on which the clocks change.
"""

from __future__ import annotations

from calendar import isleap
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

_MINUTES: Final = frozenset(range(24 * 60))
_WEEKDAYS: Final = frozenset(range(7))  # as in cron: 0 is Sunday
_DATES: Final = frozenset(
    (month, day)
    for month, days in zip(range(1, 13), (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), strict=True)
    for day in range(1, days + 1)
)
_ALL: Final[dict[str, frozenset[Any]]] = {"minutes": _MINUTES, "weekdays": _WEEKDAYS, "dates": _DATES}
_HOUR: Final = 3600
_FIRST_YEAR, _LAST_YEAR = 2020, 2049


class Filter:
    """Keeps the moments of which the `kind` of part (minutes of the day, weekdays, dates) is in `kept`."""

    def __init__(self, name: str, kind: str, kept: Iterable[Any]) -> None:
        self.name = name
        self.kind = kind
        self.kept = frozenset(kept)

    def __repr__(self) -> str:
        return self.name

    def __call__(self, moment: datetime) -> bool:
        """Is this moment kept?"""
        return _part(self.kind, moment) in self.kept

    def closed(self) -> list[dict[str, Any]]:
        """What it leaves out, as entries of a blackout."""
        return _CLOSED[self.kind](_ALL[self.kind] - self.kept)


class MonthEnd(Filter):
    """Keeps the last day of each month, which is another date in leap years."""

    def __init__(self) -> None:
        last = {1: 31, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
        super().__init__("is_month_end", "dates", {*last.items(), (2, 28), (2, 29)})

    def __call__(self, moment: datetime) -> bool:
        """Is the next day another month's?"""
        return (moment + timedelta(days=1)).month != moment.month

    def closed(self) -> list[dict[str, Any]]:
        """All other days; of the 28th of February those of leap years."""
        leap = [f"{year}-02-28" for year in range(_FIRST_YEAR, _LAST_YEAR + 1) if isleap(year)]
        return [*super().closed(), {"dates": leap}]


class Between(Filter):
    """Keeps the moments between two."""

    def __init__(self, start: datetime, end: datetime) -> None:
        super().__init__("between_datetimes", "span", ())
        self.start, self.end = start, end

    def __call__(self, moment: datetime) -> bool:
        """Does it lie between them, both included?"""
        return self.start <= moment <= self.end

    def closed(self) -> list[dict[str, Any]]:
        """What lies before and after, in local time."""
        first, last = self.start.replace(tzinfo=None), self.end.replace(tzinfo=None)
        before = {"from": f"{_FIRST_YEAR}-01-01T00:00:00", "to": first.isoformat()}
        after = {
            "from": (last + timedelta(seconds=1)).isoformat(),
            "to": f"{_LAST_YEAR}-12-31T00:00:00",
        }
        return [before, after]


def blackout_of(
    filters: Sequence[Any], or_filters: Sequence[Any], not_filters: Sequence[Any]
) -> list[dict[str, Any]]:
    """The blackout that leaves what all `filters` keep, one of `or_filters` at least, and none of `not_filters`.

    Raises `TypeError` or `ValueError` for what a blackout cannot say.
    """
    kept = [_filter(one) for one in filters]
    if or_filters:
        kept.append(_either([_filter(one) for one in or_filters]))
    kept += [_none_of(_filter(one)) for one in not_filters]
    return [entry for one in kept for entry in one.closed()]


def _filter(given: Any) -> Filter:
    if not isinstance(given, Filter):
        raise TypeError(
            f"a filter must be one of schedulerd.schedules.filters, not {given!r}: the daemon tells times without "
            "running code of the flow file. Decide it in the flow instead, and return"
        )
    return given


def _either(several: list[Filter]) -> Filter:
    first = several[0]
    if len(several) == 1:
        return first
    if any(one.kind != first.kind or type(one) is not Filter for one in several):
        said = ", ".join(one.name for one in several)
        raise ValueError(f"or_filters must be of one kind, all of times or all of days, not {said}")
    return Filter("or", first.kind, frozenset[object]().union(*(one.kept for one in several)))


def _none_of(one: Filter) -> Filter:
    if type(one) is not Filter:
        raise ValueError(
            f"{one.name} cannot stand in not_filters: use the filters of times, weekdays and dates"
        )
    return Filter(f"not {one.name}", one.kind, _ALL[one.kind] - one.kept)


def _part(kind: str, moment: datetime) -> Any:
    if kind == "minutes":
        return moment.hour * 60 + moment.minute
    return (moment.weekday() + 1) % 7 if kind == "weekdays" else (moment.month, moment.day)


def _closed_minutes(minutes: frozenset[int]) -> list[dict[str, Any]]:
    whole = [hour for hour in range(24) if all(hour * 60 + minute in minutes for minute in range(60))]
    entries = [{"cron": f"0 {_listed(whole)} * * *", "duration": _HOUR}] if whole else []
    for hour in range(24):
        if hour not in whole:
            entries += [
                {"cron": f"{first} {hour} * * *", "duration": 60 * (last - first)}
                for first, last in _stretches(
                    [minute for minute in range(60) if hour * 60 + minute in minutes]
                )
            ]
    return entries


def _closed_weekdays(days: frozenset[int]) -> list[dict[str, Any]]:
    return _whole_days(f"* * {_listed(sorted(days))}") if days else []


def _closed_dates(dates: frozenset[tuple[int, int]]) -> list[dict[str, Any]]:
    months: dict[str, list[int]] = {}
    for month in range(1, 13):
        days = sorted(day for one, day in dates if one == month)
        if days:
            months.setdefault(_listed(days), []).append(month)
    return [
        entry for days, several in months.items() for entry in _whole_days(f"{days} {_listed(several)} *")
    ]


def _whole_days(days: str) -> list[dict[str, Any]]:
    """Windows over whole days, of 23, 24 or 25 hours, and no further."""
    return [
        {"cron": f"0 0 {days}", "duration": 23 * _HOUR},
        {"cron": f"0 22,23 {days}", "duration": _HOUR},
    ]


_CLOSED: Final[dict[str, Callable[[frozenset[Any]], list[dict[str, Any]]]]] = {
    "minutes": _closed_minutes,
    "weekdays": _closed_weekdays,
    "dates": _closed_dates,
}


def _stretches(numbers: list[int]) -> list[tuple[int, int]]:
    """Runs of numbers that follow one another, each from its first up to, and without, its end."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number:
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return found


def _listed(numbers: list[int]) -> str:
    return ",".join(
        str(first) if last == first + 1 else f"{first}-{last - 1}" for first, last in _stretches(numbers)
    )


def _lies_between(first: Any, one: Any, last: Any) -> bool:
    """Does it lie from the first to the last, both included, over the turn (of the day, the year) where the first is later?"""
    return bool(first <= one <= last if first <= last else one >= first or one <= last)


# -- Prefect's names --------------------------------------------------------------------------------------------------

is_weekday = Filter("is_weekday", "weekdays", range(1, 6))
is_weekend = Filter("is_weekend", "weekdays", (0, 6))
is_month_start = Filter("is_month_start", "dates", ((month, 1) for month in range(1, 13)))
is_month_end = MonthEnd()


def is_day_of_week(day_of_week: int) -> Filter:
    """Keeps one day of the week: 0 is Monday, 6 Sunday."""
    if day_of_week not in range(7):
        raise ValueError(f"day_of_week must be 0 (Monday) to 6 (Sunday), not {day_of_week!r}")
    return Filter(f"is_day_of_week({day_of_week})", "weekdays", ((day_of_week + 1) % 7,))


def on_date(month: int, day: int) -> Filter:
    """Keeps one day of the year."""
    if (month, day) not in _DATES:
        raise ValueError(f"there is no day {day} in month {month}")
    return Filter(f"on_date({month}, {day})", "dates", ((month, day),))


def between_dates(start_month: int, start_day: int, end_month: int, end_day: int) -> Filter:
    """Keeps the days of the year from one to another, both included; over the turn of the year where the first is later."""
    first, last = (start_month, start_day), (end_month, end_day)
    if first not in _DATES or last not in _DATES:
        raise ValueError(f"there is no such day: {first} to {last}")
    kept = [one for one in _DATES if _lies_between(first, one, last)]
    return Filter(f"between_dates{(*first, *last)}", "dates", kept)


def at_time(time: time) -> Filter:  # the name is Prefect's
    """Keeps one minute of the day."""
    return Filter(f"at_time({time})", "minutes", (time.hour * 60 + time.minute,))


def between_times(start_time: time, end_time: time) -> Filter:
    """Keeps the times of the day from one to another, both included; over midnight where the first is later."""
    first = start_time.hour * 60 + start_time.minute
    last = end_time.hour * 60 + end_time.minute
    kept = [one for one in _MINUTES if _lies_between(first, one, last)]
    return Filter(f"between_times({start_time}, {end_time})", "minutes", kept)


def between_datetimes(start: datetime, end: datetime) -> Filter:
    """Keeps the moments from one to another, both included, in local time of the schedule."""
    if end < start:
        raise ValueError(f"the end, {end}, comes before the start, {start}")
    return Between(start, end)
