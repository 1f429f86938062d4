"""Made-up expressions, zones and moments for comparisons, all drawn from one chance, so that a seed repeats them."""

import random
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from schedulerd.domain.cron_tokens import WEEKDAY
from schedulerd.domain.zones import Change, changes, zone, zone_names

FIRST_YEAR: Final = 1975
"""Since 1972 every zone is ahead of UTC by whole minutes."""

LAST_YEAR: Final = 2037
ZONES: Final = tuple(sorted(zone_names()))
_LAST_HOURS: Final = (23, 3)
"""Clocks change at night."""

_TRIES: Final = 8
_A_LOOK: Final = timedelta(days=10)


def a_place(chance: random.Random) -> tuple[str, int]:
    """A zone of the tz database and a year, mostly one in which its clocks change."""
    for _ in range(_TRIES):
        name, year = chance.choice(ZONES), chance.randint(FIRST_YEAR, LAST_YEAR)
        if changes_in(name, year):
            break
    return name, year


def a_start(chance: random.Random, name: str, year: int) -> datetime:
    """A whole minute of the year, mostly shortly before a change of the zone's clocks or soon after it."""
    met = changes_in(name, year)
    if met and chance.random() < 0.8:
        earlier, later = chance.choice([(-2_000, 300), (-150, 90)])
        return chance.choice(met).at + timedelta(minutes=chance.randint(earlier, later))
    return datetime(year, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randint(0, 525_000))


@cache
def changes_in(name: str, year: int) -> tuple[Change, ...]:
    """The changes of the zone's clocks in the year, but for those that are undone within ten days."""
    local, start = zone(name), datetime(year, 1, 1, tzinfo=UTC)
    looks = [start + n * _A_LOOK for n in range(37)]
    found: list[Change] = []
    for low in looks:
        if low.astimezone(local).utcoffset() != (low + _A_LOOK).astimezone(local).utcoffset():
            found += changes(local, start=low, end=low + _A_LOOK)
    return tuple(found)


def an_expression(chance: random.Random) -> str:
    """Five fields, at times six with the seconds first; names, lists, ranges, steps, `L` and `#`."""
    day, weekday = a_field(chance, 1, 31, star=0.6), a_weekday(chance)
    if day == "*" and chance.random() < 0.2:
        weekday = chance.choice(
            [f"{chance.randint(0, 7)}#{chance.randint(1, 5)}", f"{chance.randint(0, 7)}L"]
        )
    if chance.random() < 0.05:
        day = chance.choice(["L", "L", "15,L", "LW"])
    minute = a_field(chance, 0, 59, star=0.4)
    hour = a_field(chance, 0, chance.choice(_LAST_HOURS), star=0.4)
    second = f"{chance.choice(['0', '15', '*/20'])} " if chance.random() < 0.04 else ""
    return f"{second}{minute} {hour} {day} {a_field(chance, 1, 12, star=0.7)} {weekday}"


def a_weekday(chance: random.Random) -> str:
    """The field of the weekdays, at times by their names."""
    if chance.random() < 0.1:
        first = chance.randint(0, 6)
        names = WEEKDAY.names[first], chance.choice([*WEEKDAY.names[first:], "sun"])
        return chance.choice([names[0], ",".join(names), "-".join(names)])
    return a_field(chance, 0, 7, star=0.6)


def a_field(chance: random.Random, low: int, high: int, *, star: float) -> str:
    """A field between these values: a star (so often), a star with a step, or a list of one to three items."""
    drawn = chance.random()
    if drawn < star:
        return "*"
    if drawn < star + 0.15:
        return f"*/{chance.randint(1, high - low + 1)}"
    return ",".join(an_item(chance, low, high) for _ in range(chance.choice([1, 1, 1, 2, 3])))


def an_item(chance: random.Random, low: int, high: int) -> str:
    """A value, a range, or a step from a value or within a range."""
    first = chance.randint(low, high)
    last, step = chance.randint(first, high), chance.randint(1, high - low + 1)
    return chance.choice(
        [f"{first}", f"{first}", f"{first}-{last}", f"{first}-{last}/{step}", f"{first}/{step}"]
    )
