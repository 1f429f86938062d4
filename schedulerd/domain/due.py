"""When a schedule is due: a zone-aware search over what its expression names. Pure: no clock, no machine's zones.

Fixed times (`30 2 * * *`, a whole number of days, one local time) happen once a day: in a gap of the clocks at the
first instant after it, in a fold at the first pass. A rhythm (`*/30 * * * *`) follows the clock on the wall.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from schedulerd.domain import intervals, nominal, rrules
from schedulerd.domain.cron import CronFields, parse_cron
from schedulerd.domain.schedules import After, Cron, FileAppears, Interval, Once, Reboot, RRule, Webhook, When
from schedulerd.domain.zones import (
    LONGEST_MENDED_GAP,
    TICK,
    Pass,
    changes,
    first_pass,
    fold_around,
    gap_around,
    zone,
)
from schedulerd.errors import BadExpression
from schedulerd.sentences import said

_A_SECOND: Final = timedelta(seconds=1)
_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, order=True, slots=True)
class Due:
    """A due time: the instant (UTC), and its slot, the nominal local time with the offset that was meant (ISO 8601).

    Two nominal times of a spring gap share `at` and not `slot`; the two passes of a fold have slots of their own.
    """

    at: datetime
    slot: str


def check_when(when: When, *, name: str = "") -> None:
    """Raise `BadExpression` for an expression, a zone, an interval or a local time that cannot be."""
    local = zone(when.timezone)
    match when:
        case Cron():
            _fields(when, name)
        case Interval():
            intervals.check(when)
        case RRule():
            rrules.check(when)
        case Reboot() | After() | FileAppears() | Webhook():
            pass
        case Once():
            if not list(_once(when, local)):
                reason = said(
                    "{at:%Y-%m-%dT%H:%M} does not exist in {timezone}: the clocks leave that day out",
                    at=when.at,
                    timezone=when.timezone,
                )
                raise BadExpression(reason, expression=when.at.isoformat(), code="gap")
        case _:  # pragma: no cover - every kind is above
            assert_never(when)


def next_due(when: When, *, after: datetime, first_seen: datetime, name: str) -> Due | None:
    """The first due time strictly after `after`; of several at that instant, the one with the smallest slot."""
    if isinstance(when, Cron) and not (fields := _fields(when, name)).is_fixed:
        found = _next_of_rhythm(fields, zone(when.timezone), _whole(after))  # asked most: without a generator
    else:
        found = next(_passes(when, after=after, first_seen=first_seen, name=name), None)
    return None if found is None else _due(found)


def dues(when: When, *, after: datetime, until: datetime, first_seen: datetime, name: str) -> Iterator[Due]:
    """The due times in (after, until], ascending by (at, slot)."""
    found = _passes(when, after=after, first_seen=first_seen, name=name)
    return map(_due, takewhile(lambda each: each.at <= until, found))


def last_due(when: When, *, after: datetime, until: datetime, first_seen: datetime, name: str) -> Due | None:
    """The last due time in (after, until], in a number of steps that does not grow with how many there are."""
    newest, low, high = None, after, until
    while low < high:
        middle = low + (high - low) // 2
        found = next_due(when, after=middle, first_seen=first_seen, name=name)
        if found is None or found.at > until:
            high = middle
        else:
            newest, low = found, found.at
    if newest is None:
        return None
    return list(dues(when, after=newest.at - TICK, until=newest.at, first_seen=first_seen, name=name))[-1]


def count_dues(when: When, *, after: datetime, until: datetime, first_seen: datetime, name: str) -> int:
    """How many due times lie in (after, until], without walking through those of an expression or of seconds."""
    if until <= after:
        return 0
    match when:
        case Cron():
            return _count(_fields(when, name), zone(when.timezone), after=after, until=until)
        case Interval() if not intervals.is_calendar(when):
            return intervals.count(when, after=after, until=until, first_seen=first_seen)
        case RRule():
            local = zone(when.timezone)
            return rrules.count(when, local, after=after, until=until, first_seen=first_seen)
        case _:
            return sum(1 for _ in dues(when, after=after, until=until, first_seen=first_seen, name=name))


def _passes(when: When, *, after: datetime, first_seen: datetime, name: str) -> Iterator[Pass]:
    local = zone(when.timezone)
    match when:
        case Cron():
            fields = _fields(when, name)
            return _fixed(fields, local, after) if fields.is_fixed else _rhythm(fields, local, after)
        case Interval():
            return intervals.passes(when, local, after=after, first_seen=first_seen)
        case RRule():
            return rrules.passes(when, local, after=after, first_seen=first_seen)
        case Reboot() | After() | FileAppears() | Webhook():
            return iter(())
        case Once():
            return (once for once in _once(when, local) if once.at > after)
        case _:  # pragma: no cover - every kind is above
            assert_never(when)


def _due(found: Pass) -> Due:
    return Due(found.at, found.meant.isoformat())


def _fields(when: Cron, name: str) -> CronFields:
    return parse_cron(when.expression, name=name, day_match=when.day_match)


def _once(when: Once, local: ZoneInfo) -> Iterator[Pass]:
    """The one time; a local time, unless it says itself which instant is meant."""
    if when.at.tzinfo is not None:
        yield Pass(when.at.astimezone(UTC), when.at.astimezone(local))
    elif (found := first_pass(when.at.replace(tzinfo=local, fold=0))) is not None:
        yield found


def _fixed(fields: CronFields, local: ZoneInfo, after: datetime) -> Iterator[Pass]:
    """Each local time once. All up to the local time of `after` are over: the clock has shown them."""
    meant = nominal.first_from(fields, _whole(after).astimezone(local) + _A_SECOND)
    while meant is not None:
        found = first_pass(meant)
        if found is not None and found.at > after:
            yield found
        meant = nominal.first_from(fields, meant + _A_SECOND)


def _rhythm(fields: CronFields, local: ZoneInfo, after: datetime) -> Iterator[Pass]:
    """Each time that the clock on the wall shows what the expression names."""
    found = _next_of_rhythm(fields, local, _whole(after))
    while found is not None:
        yield found
        found = _next_of_rhythm(fields, local, found.at)


def _whole(moment: datetime) -> datetime:
    """The moment without its part of a second."""
    return moment.replace(microsecond=0) if moment.microsecond else moment


def _next_of_rhythm(fields: CronFields, local: ZoneInfo, after: datetime) -> Pass | None:
    """The first after a whole second. Differences of local times are those of the clock on the wall."""
    now = after.astimezone(local)
    found = nominal.first_from(fields, now + _A_SECOND)
    if found is not None and (ahead := found - now) < _A_DAY:
        at = after + ahead
        shown = at.astimezone(local)
        if shown == found:
            return Pass(at, shown)  # the clock runs on evenly: nearly always, and four times as fast
    fold = fold_around(now) if now.fold == 0 else None
    if fold is not None and (found is None or found >= fold.edges(local)[1]):
        found = nominal.first_from(fields, fold.edges(local)[0])  # the clock goes back before it shows that
        after = fold.at - TICK
    return _shown_after(fields, local, found, after)


def _shown_after(fields: CronFields, local: ZoneInfo, found: datetime | None, after: datetime) -> Pass | None:
    """The first instant after `after` at which the clock shows `found`, or else what is named after it."""
    while found is not None:
        gap = gap_around(found)
        if gap is None:
            at = found.astimezone(UTC)
            found = found if at > after else found.replace(fold=1)
            return Pass(found.astimezone(UTC), found)
        found = nominal.first_from(fields, gap.edges(local)[1])
    return None


def _count(fields: CronFields, local: ZoneInfo, *, after: datetime, until: datetime) -> int:
    start, end = (moment.replace(microsecond=0) + _A_SECOND for moment in (after, until))
    if fields.is_fixed:
        return _count_fixed(fields, local, start, end)
    cuts = [start, *(change.at for change in changes(local, start=start + TICK, end=end)), end]
    return sum(_count_shown(fields, local, low, high) for low, high in pairwise(cuts))


def _count_shown(fields: CronFields, local: ZoneInfo, start: datetime, end: datetime) -> int:
    """How often in [start, end), between which the clocks do not change, the clock shows what is named."""
    first = start.astimezone(local)
    return nominal.count_between(fields, first, first + (end - start))


def _count_fixed(fields: CronFields, local: ZoneInfo, start: datetime, end: datetime) -> int:
    lost = sum(
        nominal.count_between(fields, *change.edges(local))
        for change in changes(local, start=start, end=end)
        if change.is_gap and change.length > LONGEST_MENDED_GAP
    )
    return nominal.count_between(fields, _over(local, start), _over(local, end)) - lost


def _over(local: ZoneInfo, moment: datetime) -> datetime:
    """The local time before which each fixed time has happened before `moment`."""
    before = (moment - TICK).astimezone(local)
    fold = fold_around(before.replace(fold=0)) if before.fold else None
    return before + TICK if fold is None else fold.edges(local)[1]
