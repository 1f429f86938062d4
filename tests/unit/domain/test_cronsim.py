"""Comparison with cronsim, another program that aims at Debian cron. What differs is named and shown, and nothing else may.

Where the two differ, a third one that goes minute by minute (`minute_by_minute`) must agree with ours, and the cause of
the difference must be there: `docs/explanation/time.md` explains each.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from itertools import islice, pairwise
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim, CronSimError

from schedulerd.domain.cron import parse_cron
from schedulerd.domain.due import dues
from schedulerd.domain.schedules import Cron
from schedulerd.domain.zones import LONGEST_MENDED_GAP, TICK, Change, changes, zone
from schedulerd.errors import BadExpression
from tests.unit.domain import minute_by_minute
from tests.unit.domain.made_up import a_place, a_start, an_expression

CHUNKS: Final = [
    *range(5),
    *(pytest.param(chunk, marks=pytest.mark.nemesis) for chunk in range(5, 20)),
]
COMPARED: Final = 1_000
"""In each chunk; another process may have the next one."""

SEED: Final = 20_260_329
FIRES: Final = 4
LOOKS: Final = 5_000
"""No expression needs more to find a few times, one after the other."""

FAR: Final = datetime(2199, 1, 1, tzinfo=UTC)
AN_HOUR: Final = timedelta(hours=1)

_EQUAL_RANGE = re.compile(r"\b(\d+)-\1/\d+")
_TO_SUNDAY = re.compile(r"(mon|tue|wed|thu|fri|sat)-sun")
_OPEN_STEP = re.compile(r"(?<![-\d/])(\d)/(\d)")


class Difference(Enum):
    """How the two may differ, where it was shown that ours is as Debian's cron would be."""

    STEP = "ours refuses a step of 8 among 7 weekdays"
    DAYS = "ours refuses # and L of a weekday together with L of the month"
    LAST_WEEKDAY = "ours refuses LW"
    SUNDAY_LAST = "cronsim refuses Sunday by its name at the end of a range"
    EQUAL_RANGE = "cronsim reads 5-5/2 as 5/2"
    OPEN_STEP = "cronsim goes on to a second Sunday, where 5/2 of weekdays ends on Saturday"
    TOGETHER = "cronsim fires once for all nominal times of a gap"
    SECOND_PASS = "cronsim begins with times that are past, where it starts in the second pass of a fold"
    SECONDS = "cronsim has no fixed times where there is a field of seconds"
    PART_OF_AN_HOUR = (
        "cronsim steps over the day by whole hours, and past a change that is not from hour to hour"
    )
    MIDNIGHT = "cronsim takes the end of a gap at midnight for the hour 0"
    CIRCLE = "cronsim goes back to the first midnight of two, again and again"
    LOST_DAY = "cronsim fires the fixed times of a day that never was after it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """An expression in a zone, asked from a moment on."""

    expression: str
    zone: str
    start: datetime

    def __str__(self) -> str:
        return f"{self.expression!r} in {self.zone} after {self.start.isoformat()}"


@pytest.mark.parametrize("chunk", CHUNKS)
def test_cronsim_agrees_but_for_the_differences_that_are_known(chunk: int) -> None:
    chance = random.Random(SEED + chunk)
    met: Counter[Difference] = Counter()

    for _ in range(COMPARED):
        name, year = a_place(chance)
        case = Case(expression=an_expression(chance), zone=name, start=a_start(chance, name, year))
        try:
            met.update(compared(case))
        except AssertionError as error:
            pytest.fail(f"{case}: {error}\nso far: {counted(met)}")

    assert sum(met.values()) < COMPARED * 0.15, counted(met)


def counted(met: Counter[Difference]) -> str:
    return "".join(f"\n{number:5} {difference.value}" for difference, number in met.most_common())


@pytest.mark.parametrize(
    ("expression", "name", "start", "differences"),
    [
        ("*/15 * * * *", "Australia/Lord_Howe", "2026-04-04T14:10Z", ""),
        ("0 */12 * * *", "Pacific/Apia", "2011-12-29T00:00Z", ""),
        ("55 22-23 * * *", "America/Sao_Paulo", "2019-02-17T02:53Z", "SECOND_PASS"),
        ("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00Z", "LOST_DAY"),
        ("59 23 * * *", "Pacific/Apia", "2011-12-29T00:00Z", "LOST_DAY"),
        ("* */7 * * */4", "America/Sao_Paulo", "2015-10-18T01:48Z", "MIDNIGHT"),
        ("* * * * sun-thu", "Canada/Newfoundland", "2001-10-27T04:38Z", "CIRCLE"),
        ("* 11 * * *", "Australia/Lord_Howe", "2036-04-05T10:13Z", "PART_OF_AN_HOUR"),
        ("5-5/2 * * * *", "UTC", "2026-01-01T00:00Z", "EQUAL_RANGE"),
        ("0 0 * * 1/6", "UTC", "2026-01-01T00:00Z", "OPEN_STEP"),
        ("48,33 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", "TOGETHER"),
        ("0 30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", "SECONDS"),
        ("0 0 * * fri-sun", "UTC", "2026-01-01T00:00Z", "SUNDAY_LAST"),
        ("0 0 LW * *", "UTC", "2026-01-01T00:00Z", "LAST_WEEKDAY"),
        ("0 0 * * 1/8", "UTC", "2026-01-01T00:00Z", "STEP"),
        ("0 0 L * 5L", "UTC", "2026-01-01T00:00Z", "DAYS"),
    ],
)
def test_each_known_difference_has_an_example(
    expression: str, name: str, start: str, differences: str
) -> None:
    case = Case(expression=expression, zone=name, start=datetime.fromisoformat(start))

    assert {difference.name for difference in compared(case)} == set(differences.split())


def compared(case: Case) -> set[Difference]:
    """The kinds of difference; fails where it cannot be shown that ours is right."""
    try:
        parse_cron(case.expression)
    except BadExpression as refusal:
        return why_refused(case.expression, refusal)
    ours = ours_of(case)
    if ours == theirs_of(case, case.expression):
        return set()
    respelled, differences = as_they_say(case.expression)
    if respelled != case.expression and ours == theirs_of(case, respelled):
        return differences
    assert ours == as_debian_would(case, is_fixed=parse_cron(case.expression).is_fixed)
    return differences | why_different(case, ours, respelled)


def why_refused(expression: str, refusal: BadExpression) -> set[Difference]:
    *_, day, _, weekday = expression.split()
    if refusal.code == "step" and "/8" in weekday:
        return {Difference.STEP}
    if day == "LW":
        return {Difference.LAST_WEEKDAY}
    if refusal.code == "days" and "L" in day and ("#" in weekday or "L" in weekday):
        return {Difference.DAYS}
    with pytest.raises(CronSimError):
        CronSim(as_they_say(expression)[0], datetime(2026, 1, 1, tzinfo=UTC))
    return set()


def ours_of(case: Case) -> list[datetime]:
    """Our first few times; those that a gap puts together one by one."""
    when = Cron(expression=case.expression, timezone=case.zone)
    found = dues(when, after=case.start, until=FAR, first_seen=case.start, name="")
    return [due.at for due in islice(found, FIRES)]


def theirs_of(case: Case, expression: str) -> list[datetime]:
    """cronsim's first few times; none where it refuses the expression, and fewer where it runs in circles."""
    return list(islice(each_of_theirs(case, expression), FIRES))


def each_of_theirs(case: Case, expression: str) -> Iterator[datetime]:
    try:
        found = Watched(expression, case.start.astimezone(zone(case.zone)))
    except CronSimError:
        return iter(())
    return (fired.astimezone(UTC) for fired in found)


class Watched(CronSim):
    """cronsim, which ends where it would look for a time for ever."""

    looks = 0

    def advance_day(self) -> bool:
        """Count how often a day is looked for."""
        self.looks += 1
        if self.looks > LOOKS:
            raise StopIteration
        return bool(super().advance_day())


def as_they_say(expression: str) -> tuple[str, set[Difference]]:
    """The expression as cronsim must be told it, so that the two mean the same; and what that is about."""
    *rest, weekday = expression.split()
    named = _TO_SUNDAY.sub(r"\1-7", weekday)
    equal = [_EQUAL_RANGE.sub(r"\1", field) for field in (*rest, named)]
    opened = _OPEN_STEP.sub(
        lambda found: "6" if found[1] == "6" else f"{int(found[1]) % 7}-6/{found[2]}", equal[-1]
    )
    changed = {
        Difference.SUNDAY_LAST: named != weekday,
        Difference.EQUAL_RANGE: equal != [*rest, named],
        Difference.OPEN_STEP: opened != equal[-1],
    }
    return " ".join([*equal[:-1], opened]), {difference for difference, is_so in changed.items() if is_so}


def as_debian_would(case: Case, *, is_fixed: bool) -> list[datetime]:
    """The first few times, minute by minute."""
    fields = parse_cron(case.expression)
    found = minute_by_minute.fired(fields, zone(case.zone), start=case.start, is_fixed=is_fixed)
    return list(islice(found, FIRES))


def why_different(case: Case, ours: list[datetime], respelled: str) -> set[Difference]:
    """What it is about the clocks; one thing after the other is allowed for, until the two agree."""
    differences, other = set(), theirs_of(case, respelled)
    if other and other[0] <= case.start:
        assert case.start.astimezone(zone(case.zone)).fold, (
            "cronsim fires at once, and this is no second pass"
        )
        other = list(islice((at for at in each_of_theirs(case, respelled) if at > case.start), FIRES))
        differences.add(Difference.SECOND_PASS)
    if len(set(ours)) < len(ours):
        assert {at for at, again in pairwise(ours) if at == again} <= ends_of_gaps(case, ours[-1])
        ours = distinct(ours)
        differences.add(Difference.TOGETHER)
    if ours == other[: len(ours)]:
        return differences
    if len(case.expression.split()) == 6 and parse_cron(case.expression).is_fixed:
        ours = distinct(as_debian_would(case, is_fixed=False))
        differences.add(Difference.SECONDS)
    return differences if ours == other else differences | {why_apart(case, ours, ascending(other))}


def why_apart(case: Case, ours: list[datetime], other: list[datetime]) -> Difference:
    """What it is that makes for other times, and not for fewer or more of the same."""
    start, end = case.start - LONGEST_MENDED_GAP, max(*ours, *other) + timedelta(days=2)
    for change in changes(zone(case.zone), start=start, end=end):
        difference = about(change, zone(case.zone))
        if difference is not None and is_only_across(case, change, ours, other):
            return difference
    pytest.fail(f"nothing explains {texts(ours)} here, {texts(other)} there")


def ascending(moments: list[datetime]) -> list[datetime]:
    """The first of them, up to where they turn back."""
    turns = (number for number, (one, after) in enumerate(pairwise(moments), 1) if after <= one)
    return moments[: next(turns, len(moments))]


def distinct(moments: list[datetime]) -> list[datetime]:
    return list(dict.fromkeys(moments))


def about(change: Change, local: ZoneInfo) -> Difference | None:
    """What is special about a change of the clocks."""
    low, high = (edge.replace(tzinfo=None) for edge in change.edges(local))
    if change.is_gap and change.length > LONGEST_MENDED_GAP:
        return Difference.LOST_DAY
    if not change.is_gap and low.date() < high.date() and high.time() != time():
        return Difference.CIRCLE
    if low.minute or high.minute:
        return Difference.PART_OF_AN_HOUR
    if change.is_gap and (low.time() == time() or low.date() < high.date()):
        return Difference.MIDNIGHT
    return None


def is_only_across(case: Case, change: Change, ours: list[datetime], other: list[datetime]) -> bool:
    """Do they agree before the change, and again when cronsim begins after it, and after what it repeats?"""
    if [at for at in ours if at < change.at] != [at for at in other if at < change.at]:
        return False
    afresh = Case(expression=case.expression, zone=case.zone, start=change.at + max(change.length, AN_HOUR))
    return ours_of(afresh) == theirs_of(afresh, as_they_say(case.expression)[0])


def ends_of_gaps(case: Case, last: datetime) -> set[datetime]:
    met = changes(zone(case.zone), start=case.start, end=last + TICK)
    return {change.at for change in met if change.is_gap}


def texts(moments: list[datetime]) -> str:
    return " ".join(f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in moments)
