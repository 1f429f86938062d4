"""Debian cron's rule, done as Debian's cron does it: it wakes each minute and looks at the clock on the wall.

Slow, and without any of the code that is compared with it but the meaning of the fields.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schedulerd.domain.cron import CronFields

LONGEST_MENDED: Final = timedelta(hours=3)
_A_MINUTE: Final = timedelta(minutes=1)
_EARLIER: Final = timedelta(days=1)
"""So long before the start it begins to look, that it knows what the clock has shown already."""


def fired(fields: CronFields, local: ZoneInfo, *, start: datetime, is_fixed: bool) -> Iterator[datetime]:
    """The instants (UTC) after `start`, a whole minute, at which it fires; one for each time that is meant."""
    walked = start - _EARLIER
    newest = on_the_wall(walked, local)
    while True:
        walked += _A_MINUTE
        shown = on_the_wall(walked, local)
        for meant in skipped(newest, shown) if is_fixed else [shown]:
            if walked >= start and is_named(fields, meant):
                yield from (at for at in seconds_of(fields, walked, meant == shown) if at > start)
        newest = max(newest, shown) if is_fixed else shown


def on_the_wall(moment: datetime, local: ZoneInfo) -> datetime:
    """What the clock shows, naive."""
    return moment.astimezone(local).replace(tzinfo=None)


def skipped(newest: datetime, shown: datetime) -> list[datetime]:
    """The times of the wall that come up now: none while the clock repeats itself, those of a gap all at once.

    A jump of more than three hours is a clock that was set: what it left out is not made up for.
    """
    if shown - newest - _A_MINUTE > LONGEST_MENDED:
        return [shown]
    return [newest + n * _A_MINUTE for n in range(1, (shown - newest) // _A_MINUTE + 1)]


def is_named(fields: CronFields, meant: datetime) -> bool:
    """Does the expression name this minute?"""
    return (
        meant.minute in fields.minutes
        and meant.hour in fields.hours
        and meant.month in fields.months
        and meant.day in fields.days_of(meant.year, meant.month)
    )


def seconds_of(fields: CronFields, minute: datetime, is_shown: bool) -> list[datetime]:
    """The instants within a minute; a time that the gap left out is made up for at once."""
    return [minute + timedelta(seconds=second if is_shown else 0) for second in fields.seconds]
