"""The times of day of a recurrence rule, in seconds of the day: those it names, and those of a rhythm within a day."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Final

from schedulerd.domain.rrule_text import Frequency, RuleText

_DAY_SECONDS: Final = 86_400
_UNIT_SECONDS: Final = {Frequency.HOURLY: 3_600, Frequency.MINUTELY: 60, Frequency.SECONDLY: 1}


def times_of_rhythm(rule: RuleText, day: date) -> Sequence[int]:
    """The times of a day, ascending, of a rule that counts in hours, minutes or seconds from its DTSTART."""
    return _times_in_phase(rule, _phase(rule, day))


def times_of_period(rule: RuleText, days: Sequence[date]) -> Iterator[tuple[date, Sequence[int]]]:
    """The days of one period with their times; of all of these, in their order, those that BYSETPOS picks."""
    times = _times_of_day(rule)
    if not rule.positions:
        yield from ((day, times) for day in days)
        return
    picked = sorted(divmod(place, len(times)) for place in _picked(rule, len(days) * len(times)))
    for at, places in groupby(picked, key=itemgetter(0)):
        yield days[at], [times[place] for _, place in places]


def _picked(rule: RuleText, size: int) -> set[int]:
    """The places, from 0 on, of those that BYSETPOS picks of so many; all of them where there is none."""
    if not rule.positions:
        return set(range(size))
    places = {position - 1 if position > 0 else size + position for position in rule.positions}
    return {place for place in places if 0 <= place < size}


@lru_cache(maxsize=32)
def _times_of_day(rule: RuleText) -> Sequence[int]:
    """The times of a rule that names them, in seconds of the day, ascending."""
    return [
        hour * 3_600 + minute * 60 + second
        for hour in rule.hours
        for minute in rule.minutes
        for second in rule.seconds
    ]


def _phase(rule: RuleText, day: date) -> int:
    """How many hours, minutes or seconds of this day come before the first that is in the phase of INTERVAL."""
    unit = _UNIT_SECONDS[rule.frequency]
    assert rule.start is not None  # every rule that is searched has one
    since = (day.toordinal() - rule.start.toordinal()) * _DAY_SECONDS
    first = (rule.start.hour * 3_600 + rule.start.minute * 60 + rule.start.second) // unit
    return (first - since // unit) % rule.interval


@lru_cache(maxsize=32)
def _times_in_phase(rule: RuleText, phase: int) -> Sequence[int]:
    """The times of a day of a rhythm. Those of all phases together are no more than a day has seconds."""
    unit = _UNIT_SECONDS[rule.frequency]
    step, first, inside = rule.interval * unit, phase * unit, _times_in_unit(rule)
    if not inside:
        return ()
    if len(inside) == 1 and not any(_limits(rule)):
        return range(first + inside[0], _DAY_SECONDS, step)
    return [begin + second for begin in _begins(rule) if begin % step == first for second in inside]


def _times_in_unit(rule: RuleText) -> Sequence[int]:
    """The seconds within the hour, minute or second that the rule counts in, those that BYSETPOS picks of them."""
    minutes = rule.minutes if rule.frequency is Frequency.HOURLY else (0,)
    seconds = rule.seconds if rule.frequency < Frequency.SECONDLY else (0,)
    inside = [minute * 60 + second for minute in minutes for second in seconds]
    return [inside[place] for place in sorted(_picked(rule, len(inside)))]


def _limits(rule: RuleText) -> Sequence[tuple[int, ...]]:
    """The parts that leave out some of what the rule counts in: those of its own unit, and of longer ones."""
    return (rule.hours, rule.minutes, rule.seconds)[: rule.frequency - Frequency.DAILY]


@lru_cache(maxsize=32)
def _begins(rule: RuleText) -> Sequence[int]:
    """When the hours, minutes or seconds of a day begin that the limits leave, whatever the phase."""
    begins = [0]
    sizes = ((3_600, 24), (60, 60), (1, 60))
    for limit, (unit, size) in zip(_limits(rule), sizes, strict=False):
        begins = [begin + value * unit for begin in begins for value in limit or range(size)]
    return begins
