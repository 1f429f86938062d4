"""Intervals: the n-th time is anchor + n × interval, so that they never drift. The anchor is a phase, not a start."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schedulerd.domain.cron import LAST_YEAR
from schedulerd.domain.durations import LONGEST, duration_text
from schedulerd.domain.schedules import Interval
from schedulerd.domain.zones import TICK, Pass, first_instant, first_pass, zone
from schedulerd.errors import BadExpression
from schedulerd.sentences import said

A_DAY: Final = timedelta(days=1)
SHORTEST: Final = timedelta(seconds=1)


def check(when: Interval) -> None:
    """Raise `BadExpression` for an interval that is too short to keep, or too long to see."""
    if not SHORTEST <= when.every <= LONGEST:
        raise BadExpression(
            said("an interval is at least 1 second and at most 100 years"),
            expression=duration_text(when.every),
            code="interval",
        )


def is_calendar(when: Interval) -> bool:
    """Does it follow the clock on the wall? Whole days do; everything else is elapsed time."""
    return when.every >= A_DAY and when.every % A_DAY == timedelta()


def passes(when: Interval, local: ZoneInfo, *, after: datetime, first_seen: datetime) -> Iterator[Pass]:
    """The times strictly after `after`, ascending."""
    if is_calendar(when):
        return _by_calendar(when.every, _anchor_shown(when, local, first_seen), local, after)
    return _by_elapsed(when.every, _anchor_at(when, local, first_seen), local, after)


def count(when: Interval, *, after: datetime, until: datetime, first_seen: datetime) -> int:
    """How many times of an interval of elapsed time lie in (after, until]."""
    anchor = _anchor_at(when, zone(when.timezone), first_seen)
    after, until = min(after, _LAST), min(until, _LAST)
    return (until - anchor) // when.every - (after - anchor) // when.every


_LAST: Final = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC) - TICK


def _anchor_at(when: Interval, local: ZoneInfo, first_seen: datetime) -> datetime:
    """The instant of the anchor; a naive one is a local time of the zone, that of a gap the first instant after it."""
    anchor = first_seen if when.anchor is None else when.anchor
    return (
        anchor.astimezone(UTC) if anchor.tzinfo is not None else first_instant(anchor.replace(tzinfo=local))
    )


def _anchor_shown(when: Interval, local: ZoneInfo, first_seen: datetime) -> datetime:
    """What the clock on the wall shows at the anchor; a naive one says it, be there such a time on its day or not."""
    anchor = first_seen if when.anchor is None else when.anchor
    shown = anchor.astimezone(local) if anchor.tzinfo is not None else anchor.replace(tzinfo=local)
    return shown.replace(fold=0)


def _by_elapsed(every: timedelta, anchor: datetime, local: ZoneInfo, after: datetime) -> Iterator[Pass]:
    at = anchor + ((after - anchor) // every + 1) * every
    while at.year <= LAST_YEAR:
        yield Pass(at, at.astimezone(local))
        at += every


def _by_calendar(every: timedelta, anchor: datetime, local: ZoneInfo, after: datetime) -> Iterator[Pass]:
    shown = after.astimezone(local)
    meant = anchor + (shown - anchor) // every * every
    while meant.year <= LAST_YEAR:
        found = first_pass(meant)
        if found is not None and found.at > after:
            yield found
        meant += every
