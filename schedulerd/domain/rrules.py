"""Recurrence rules (RFC 5545): which days a year or a month has is dateutil's to say, and this is the only door to it.

The search is ours, since dateutil walks from the DTSTART on, for minutes where that was years ago, and does not end
for a rule that never fires. It goes period by period (a year, a month, a week, a day) in the phase of INTERVAL.
As for cron, a rule that names its times of day is fixed: in a gap of the clocks it fires at the first instant after
it, in a fold at the first pass. One that leaves them to HOURLY, MINUTELY or SECONDLY is a rhythm of the clock on the
wall: it fires whenever the clock shows such a time, in a gap not and in a fold twice.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise, takewhile
from typing import Any, Final
from zoneinfo import ZoneInfo

from schedulerd.domain.cron import FIRST_YEAR, LAST_YEAR
from schedulerd.domain.rrule_text import Frequency, RuleText, parse_rrule
from schedulerd.domain.rrule_times import times_of_period, times_of_rhythm
from schedulerd.domain.schedules import RRule
from schedulerd.domain.zones import (
    LONGEST_MENDED_GAP,
    Pass,
    changes,
    first_pass,
    fold_around,
    gap_around,
    zone,
)
from schedulerd.errors import BadExpression

_A_SECOND: Final = timedelta(seconds=1)
_A_DAY: Final = timedelta(days=1)
_ONE_PERIOD: Final = 10_000
"""An INTERVAL of so many years: dateutil's search ends after its first period."""

_BEGINNING: Final = datetime(FIRST_YEAR, 1, 1)  # noqa: DTZ001 - the wall's clock


def check(when: RRule) -> None:
    """Raise `BadExpression` for a rule that cannot be read, has a COUNT, or never fires.

    Without a DTSTART and an anchor, a phase of INTERVAL in which it would not fire is unknown, and not refused.
    """
    text = parse_rrule(when.expression, timezone=when.timezone)
    start = text.start or when.anchor
    rule = _explicit(text, start) if start is not None else _explicit(replace(text, interval=1), _BEGINNING)
    after = _BEGINNING.replace(tzinfo=UTC) - _A_DAY
    if next(_passes(rule, zone(when.timezone), after), None) is None:
        raise BadExpression(
            f"this can never fire: no such time comes before {LAST_YEAR + 1}",
            expression=when.expression,
            code="never",
        )


def passes(when: RRule, local: ZoneInfo, *, after: datetime, first_seen: datetime) -> Iterator[Pass]:
    """The times strictly after `after`, ascending."""
    return _passes(_rule(when, local, first_seen), local, after)


def count(when: RRule, local: ZoneInfo, *, after: datetime, until: datetime, first_seen: datetime) -> int:
    """How many times lie in (after, until], day by day and not time by time."""
    rule = _rule(when, local, first_seen)
    if rule.until is not None and rule.until.tzinfo is not None:
        until = min(until, rule.until)
    start, end = (moment.replace(microsecond=0) + _A_SECOND for moment in (after, until))
    met = list(changes(local, start=start, end=end))
    cuts = [start, *(change.at for change in met), end]
    shown = sum(_count_shown(rule, local, low, high) for low, high in pairwise(cuts) if low < high)
    mended = (change for change in met if change.is_gap and change.length <= LONGEST_MENDED_GAP)
    lost = sum(_count_between(rule, *change.edges(local)) for change in mended) if rule.is_fixed else 0
    return shown + lost


def _rule(when: RRule, local: ZoneInfo, first_seen: datetime) -> RuleText:
    text = parse_rrule(when.expression, timezone=when.timezone)
    midnight = first_seen.astimezone(local).replace(hour=0, minute=0, second=0, microsecond=0)
    return _explicit(text, text.start or when.anchor or midnight)


@lru_cache(maxsize=1_024)
def _explicit(text: RuleText, start: datetime) -> RuleText:
    """The rule with all that it takes from its DTSTART said outright."""
    start = start.replace(microsecond=0, tzinfo=None, fold=0)
    return replace(text.with_times_of(start).with_days_of(start), start=start)


def _passes(rule: RuleText, local: ZoneInfo, after: datetime) -> Iterator[Pass]:
    shown = after.astimezone(local).replace(microsecond=0, fold=0)
    found = _fixed(rule, local, shown) if rule.is_fixed else _rhythm(rule, local, shown)
    ahead = (each for each in found if each.at > after)
    until = rule.until
    if until is None or until.tzinfo is None:
        return ahead
    return takewhile(lambda each: each.at <= until, ahead)


def _fixed(rule: RuleText, local: ZoneInfo, shown: datetime) -> Iterator[Pass]:
    """Each local time once. All those before the local time that is shown are over."""
    for meant in _each_from(rule, shown):
        found = first_pass(meant.replace(tzinfo=local))
        if found is not None:
            yield found


def _rhythm(rule: RuleText, local: ZoneInfo, shown: datetime) -> Iterator[Pass]:
    """Each time that the clock on the wall shows; those of a fold once more after all of its first pass."""
    fold = fold_around(shown)
    again: list[datetime] = []
    for named in _each_from(rule, fold.edges(local)[0] if fold else shown):
        meant = named.replace(tzinfo=local)
        if again and fold_around(meant) is None:
            yield from (_pass(each.replace(fold=1)) for each in again)
            again = []
        if fold_around(meant) is not None:
            again.append(meant)
        if gap_around(meant) is None:
            yield _pass(meant)
    yield from (_pass(each.replace(fold=1)) for each in again)


def _pass(meant: datetime) -> Pass:
    return Pass(meant.astimezone(UTC), meant)


def _count_shown(rule: RuleText, local: ZoneInfo, start: datetime, end: datetime) -> int:
    """How often in [start, end), between which the clocks do not change, the clock shows what is named."""
    first = start.astimezone(local)
    last = first + (end - start)
    if rule.is_fixed and first.fold and (fold := fold_around(first.replace(fold=0))) is not None:
        first = fold.edges(local)[1]  # the first pass had these
    return _count_between(rule, first, last)


def _each_from(rule: RuleText, moment: datetime) -> Iterator[datetime]:
    """The local times that the rule names, from this one or its DTSTART up to UNTIL, ascending and naive."""
    first, last = _bounds(rule, moment)
    for day, times in _days_from(rule, first.date()):
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the wall's clock
        since = int((first - midnight).total_seconds()) if day == first.date() else 0
        for second in times[bisect_left(times, since) :]:
            named = midnight + timedelta(seconds=second)
            if last is not None and named > last:
                return
            yield named


def _count_between(rule: RuleText, start: datetime, end: datetime) -> int:
    """How many local times in [start, end) the rule names."""
    first, last = _bounds(rule, start)
    end = end.replace(tzinfo=None, fold=0)
    end = end if last is None else min(end, last + _A_SECOND)
    found = 0
    for day, times in _days_from(rule, first.date()):
        if day > end.date():
            break
        found += _before(times, end, day) - _before(times, first, day)
    return max(0, found)


def _before(times: Sequence[int], moment: datetime, day: date) -> int:
    """How many of the times of a day come before a moment."""
    if moment.date() != day:
        return len(times) if moment.date() > day else 0
    return bisect_left(times, moment.hour * 3_600 + moment.minute * 60 + moment.second)


def _bounds(rule: RuleText, moment: datetime) -> tuple[datetime, datetime | None]:
    """From when to when (if ever) the rule names local times, from a moment on."""
    first = moment.replace(tzinfo=None, fold=0)
    last = rule.until if rule.until is not None and rule.until.tzinfo is None else None
    return (first if rule.start is None else max(first, rule.start)), last


def _days_from(rule: RuleText, day: date) -> Iterator[tuple[date, Sequence[int]]]:
    """The days from this one on that the rule names, ascending, with their times in seconds of the day."""
    match rule.frequency:
        case Frequency.YEARLY | Frequency.MONTHLY | Frequency.WEEKLY | Frequency.DAILY:
            for days in _periods_from(rule, day):
                yield from (named for named in times_of_period(rule, days) if named[0] >= day)
        case _:
            for each in _single_days_from(rule, day):
                if times := times_of_rhythm(rule, each):
                    yield each, times


def _periods_from(rule: RuleText, day: date) -> Iterator[Sequence[date]]:
    """The days of each year, month, week or single day in the phase of INTERVAL, from that on in which `day` lies."""
    start = rule.start or _BEGINNING
    match rule.frequency:
        case Frequency.YEARLY:
            for year in range(_in_phase(rule, start.year, day.year), LAST_YEAR + 1, rule.interval):
                yield _days_of_year(rule, year)
        case Frequency.MONTHLY:
            first = _in_phase(rule, _month_number(start), _month_number(day))
            for number in range(first, (LAST_YEAR + 1) * 12, rule.interval):
                yield _days_of_month(rule, number // 12, number % 12 + 1)
        case Frequency.WEEKLY:
            first = _in_phase(rule, _week_number(rule, start), _week_number(rule, day))
            for number in range(first, _week_number(rule, _END), rule.interval):
                yield _days_of_week(rule, number)
        case _:
            for each in _single_days_from(rule, day):
                if (each.toordinal() - start.toordinal()) % rule.interval == 0:
                    yield (each,)


_END: Final = date(LAST_YEAR + 1, 1, 1)


def _in_phase(rule: RuleText, start: int, number: int) -> int:
    """The first number from this one (or from the start, where that is later) in steps of INTERVAL from the start."""
    first = max(start, number)
    return first + (start - first) % rule.interval


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _week_number(rule: RuleText, day: date) -> int:
    """The weeks since the year 1, which began on a Monday, up to that of this day."""
    return (day.toordinal() - 1 - rule.week_start) // 7


def _days_of_week(rule: RuleText, number: int) -> Sequence[date]:
    first = date.fromordinal(number * 7 + 1 + rule.week_start)
    weekdays = {weekday for weekday, _ in rule.weekdays}
    return [
        day
        for day in (first + timedelta(days=n) for n in range(7))
        if day.weekday() in weekdays and (not rule.months or day.month in rule.months)
    ]


def _single_days_from(rule: RuleText, day: date) -> Iterator[date]:
    """Each day from this one on that the parts about days leave."""
    if rule.names_days or rule.months:
        for year in range(day.year, LAST_YEAR + 1):
            yield from (each for each in _days_of_year(rule, year) if each >= day)
    else:
        yield from map(date.fromordinal, range(day.toordinal(), _END.toordinal()))


@lru_cache(maxsize=1_024)
def _days_of_year(rule: RuleText, year: int) -> Sequence[date]:
    from dateutil.rrule import YEARLY, rrule  # late: most commands need no rule

    found = rrule(YEARLY, dtstart=datetime(year, 1, 1), interval=_ONE_PERIOD, **_named_days(rule))  # noqa: DTZ001
    return [each.date() for each in found]


@lru_cache(maxsize=1_024)
def _days_of_month(rule: RuleText, year: int, month: int) -> Sequence[date]:
    from dateutil.rrule import MONTHLY, rrule  # late, as above

    first = datetime(year, month, 1)  # noqa: DTZ001 - the wall's clock
    found = rrule(MONTHLY, dtstart=first, interval=_ONE_PERIOD * 12, **_named_days(rule))
    return [each.date() for each in found]


def _named_days(rule: RuleText) -> dict[str, Any]:
    """The parts about days, for dateutil. Without one it would take the day of its DTSTART."""
    from dateutil.rrule import weekday

    weekdays = rule.weekdays if rule.names_days else [(day, 0) for day in range(7)]
    return {
        "wkst": rule.week_start,
        "bymonth": rule.months or None,
        "bymonthday": rule.month_days or None,
        "byyearday": rule.year_days or None,
        "byweekno": rule.week_numbers or None,
        "byweekday": [weekday(day, n or None) for day, n in weekdays] or None,
    }
