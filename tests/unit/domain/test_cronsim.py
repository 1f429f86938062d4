"""Comparison with cronsim, another program that aims at Debian cron. What differs is named, and nothing else may."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import groupby, islice
from typing import Final

import pytest
from cronsim import CronSim, CronSimError

from schedulerd.domain.cron import parse_cron
from schedulerd.domain.due import dues
from schedulerd.domain.schedules import Cron
from schedulerd.domain.zones import LONGEST_MENDED_GAP, changes, zone
from schedulerd.errors import BadExpression

COMPARED: Final = 2_000
SEED: Final = 20_260_329
FIRES: Final = 4
FAR: Final = datetime(2199, 1, 1, tzinfo=UTC)
ZONES: Final = (
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Asia/Seoul",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)

_EQUAL_RANGE = re.compile(r"\b(\d+)-\1/\d+")
_OPEN_STEP = re.compile(r"(?<![-\d/])(\d)/(\d)")


def test_cronsim_agrees_but_for_the_differences_that_are_known() -> None:
    chance = random.Random(SEED)
    met: Counter[Difference] = Counter()

    for _ in range(COMPARED):
        expression, name = an_expression(chance), chance.choice(ZONES)
        met[compared(expression, name, a_start(chance, name))] += 1

    assert met[Difference.NONE] > COMPARED * 0.9
    assert met.keys() >= {Difference.NONE, Difference.STEP, Difference.DAYS, Difference.LORD_HOWE}, met


@pytest.mark.parametrize(
    ("expression", "name", "start", "difference"),
    [
        ("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00Z", "LOST_DAY"),
        ("59 23 * * *", "Pacific/Apia", "2011-12-29T00:00Z", "LOST_DAY"),
        ("0 */12 * * *", "Pacific/Apia", "2011-12-29T00:00Z", "NONE"),
        ("* */7 * * */4", "America/Sao_Paulo", "2015-10-18T01:48Z", "MIDNIGHT"),
        ("*/15 * * * *", "Australia/Lord_Howe", "2026-04-04T14:10Z", "NONE"),
        ("* 11 * * *", "Australia/Lord_Howe", "2036-04-05T10:13Z", "LORD_HOWE"),
        ("5-5/2 * * * *", "UTC", "2026-01-01T00:00Z", "NONE"),
        ("0 0 * * 1/6", "UTC", "2026-01-01T00:00Z", "NONE"),
        ("55,53-54/55,11-19 1-9 * * *", "Europe/London", "2035-03-24T12:49Z", "NONE"),
        ("55 22-23 * * *", "America/Sao_Paulo", "2019-02-17T02:53Z", "NONE"),
    ],
)
def test_each_known_difference_has_an_example(
    expression: str, name: str, start: str, difference: str
) -> None:
    assert compared(expression, name, datetime.fromisoformat(start)) is Difference[difference]


class Difference(Enum):
    """How the two may differ, where it was shown that ours is as it should be.

    Three more are spelled out by `as_they_say`, `distinct` and `theirs`, so that the rest can be compared.
    """

    NONE = "the same"
    STEP = "ours refuses a step of 8 among 7 weekdays"
    DAYS = "ours refuses # and L of a weekday together with L of the month"
    LORD_HOWE = "cronsim steps over the hours of the day by whole hours, from before a change of half an hour"
    MIDNIGHT = "cronsim takes the end of a gap at midnight for the hour 0"
    LOST_DAY = "cronsim fires the fixed times of a day that never was after it"


def compared(expression: str, name: str, start: datetime) -> Difference:
    """The kind of difference; fails where it cannot be shown that ours is right."""
    try:
        parse_cron(expression)
    except BadExpression as refusal:
        return why_refused(expression, refusal)
    when = Cron(expression=expression, timezone=name)
    ours = distinct(due.at for due in dues(when, after=start, until=FAR, first_seen=start, name=""))
    other = theirs(expression, name, start)
    return Difference.NONE if ours == other else why_different(expression, name, start, ours, other)


def why_refused(expression: str, refusal: BadExpression) -> Difference:
    *_, day, _, weekday = expression.split()
    if refusal.code == "step" and "/8" in weekday:
        return Difference.STEP
    if refusal.code == "days" and day == "L" and ("#" in weekday or "L" in weekday):
        return Difference.DAYS
    with pytest.raises(CronSimError):
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    return Difference.NONE


def why_different(
    expression: str, name: str, start: datetime, ours: list[datetime], other: list[datetime]
) -> Difference:
    local, is_fixed = zone(name), parse_cron(expression).is_fixed
    gaps = [change for change in changes(local, start=start, end=ours[-1]) if change.is_gap]
    lost = [gap.at for gap in gaps if gap.length > LONGEST_MENDED_GAP]
    if is_fixed and lost:
        there = [instant for instant in other if instant not in lost]
        assert there == ours[: len(there)], (expression, name, start)
        return Difference.LOST_DAY
    assert not is_fixed, (expression, name, start)
    assert shown_before(expression, name, start, ours[-1]) == ours, (expression, name, start)
    if name == "Australia/Lord_Howe":
        return Difference.LORD_HOWE
    assert any(gap.edges(local)[0].hour == 0 for gap in gaps), (expression, name, start)
    return Difference.MIDNIGHT


def shown_before(expression: str, name: str, start: datetime, end: datetime) -> list[datetime]:
    """The first times after `start` at which the clock shows what is named: minute by minute, on days that fit."""
    fields, local = parse_cron(expression), zone(name)
    shown: list[datetime] = []
    moment = start
    while moment < end and len(shown) < FIRES:
        moment += timedelta(minutes=1)
        clock = moment.astimezone(local)
        if (
            clock.minute not in fields.minutes
            or clock.hour not in fields.hours
            or clock.month not in fields.months
        ):
            continue
        if clock.day in fields.days_of(clock.year, clock.month):
            shown.append(moment)
    return shown


def theirs(expression: str, name: str, start: datetime) -> list[datetime]:
    """cronsim's times. In the second pass of a fold it starts with times that are past, which are left out."""
    found = (
        fired.astimezone(UTC) for fired in CronSim(as_they_say(expression), start.astimezone(zone(name)))
    )
    return distinct(fired for fired in found if fired > start)


def as_they_say(expression: str) -> str:
    """`5-5/2` is the one value here and `5/2` there; `5/2` of weekdays ends on Saturday here, on a second Sunday there."""
    *rest, weekday = _EQUAL_RANGE.sub(r"\1", expression).split()
    weekday = _OPEN_STEP.sub(lambda found: f"{int(found[1]) % 7}-6/{found[2]}", weekday)
    return " ".join([*rest, _EQUAL_RANGE.sub(r"\1", weekday)])


def distinct(fired: Iterator[datetime]) -> list[datetime]:
    """The first few instants: the nominal times of a gap share one, and cronsim fires once for all."""
    return [instant for instant, _ in islice(groupby(fired), FIRES)]


def an_expression(chance: random.Random) -> str:
    day, weekday = a_field(chance, 1, 31, star=0.6), a_field(chance, 0, 7, star=0.6)
    if day == "*" and chance.random() < 0.2:
        weekday = chance.choice(
            [f"{chance.randint(0, 7)}#{chance.randint(1, 5)}", f"{chance.randint(0, 7)}L"]
        )
    if chance.random() < 0.05:
        day = "L"
    minute, hour = a_field(chance, 0, 59, star=0.4), a_field(chance, 0, 23, star=0.4)
    return f"{minute} {hour} {day} {a_field(chance, 1, 12, star=0.7)} {weekday}"


def a_field(chance: random.Random, low: int, high: int, *, star: float) -> str:
    drawn = chance.random()
    if drawn < star:
        return "*"
    if drawn < star + 0.15:
        return f"*/{chance.randint(1, high - low + 1)}"
    return ",".join(an_item(chance, low, high) for _ in range(chance.choice([1, 1, 1, 2, 3])))


def an_item(chance: random.Random, low: int, high: int) -> str:
    first = chance.randint(low, high)
    last, step = chance.randint(first, high), chance.randint(1, high - low + 1)
    return chance.choice(
        [f"{first}", f"{first}", f"{first}-{last}", f"{first}-{last}/{step}", f"{first}/{step}"]
    )


def a_start(chance: random.Random, name: str) -> datetime:
    """A whole minute from 2000 to 2037, mostly shortly before a change of the zone's clocks."""
    year = datetime(chance.randint(2000, 2037), 1, 1, tzinfo=UTC)
    met = list(changes(zone(name), start=year, end=year + timedelta(days=366)))
    if met and chance.random() < 0.7:
        return chance.choice(met).at + timedelta(minutes=chance.randint(-2_000, 300))
    return year + timedelta(minutes=chance.randint(0, 525_000))
