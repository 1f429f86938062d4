"""Intervals: the n-th time is anchor + n × interval, so that they never drift. The anchor is a phase, not a start."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schedulerd.domain.cron import LAST_YEAR
from schedulerd.domain.durations import LONGEST, duration_text
from schedulerd.domain.schedules import Interval
from schedulerd.domain.zones import Pass, first_pass, zone
from schedulerd.errors import BadExpression

A_DAY: Final = timedelta(days=1)
SHORTEST: Final = timedelta(seconds=1)


def check(when: Interval) -> None:
    """Raise `BadExpression` for an interval that is too short to keep, or too long to see."""
    if not SHORTEST <= when.every <= LONGEST:
        raise BadExpression(
            "an interval is at least 1 second and at most 100 years",
            expression=duration_text(when.every),
            code="interval",
        )


def is_calendar(when: Interval) -> bool:
    """Does it follow the clock on the wall? Whole days do; everything else is elapsed time."""
    return when.every >= A_DAY and when.every % A_DAY == timedelta()


def passes(when: Interval, local: ZoneInfo, *, after: datetime, first_seen: datetime) -> Iterator[Pass]:
    """The times strictly after `after`, ascending."""
    anchor = _anchor(when, local, first_seen)
    if is_calendar(when):
        return _by_calendar(when.every, anchor.replace(fold=0), local, after)
    return _by_elapsed(when.every, anchor.astimezone(UTC), local, after)


def count(when: Interval, *, after: datetime, until: datetime, first_seen: datetime) -> int:
    """How many times of an interval of elapsed time lie in (after, until]."""
    anchor = _anchor(when, zone(when.timezone), first_seen)
    return (until - anchor) // when.every - (after - anchor) // when.every


def _anchor(when: Interval, local: ZoneInfo, first_seen: datetime) -> datetime:
    """The anchor in the zone; one without a zone of its own is a local time."""
    if when.anchor is None:
        return first_seen.astimezone(local)
    return when.anchor.replace(tzinfo=local) if when.anchor.tzinfo is None else when.anchor.astimezone(local)


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
