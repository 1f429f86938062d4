"""The due times of one schedule: when it is due, from its start to its end, jittered and outside of its blackouts.

What the tick and every preview ask. A due time is named by its expression; then delayed by its part of the jitter;
then, where it lies in a blackout by now, left out or moved to the end of that. Its slot stays the time that was named.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final

from schedulerd.domain.blackout_times import Divided, Left, LeftOut
from schedulerd.domain.blackouts import Blackouts, Stretch, check_blackout
from schedulerd.domain.cron import FIRST_YEAR, LAST_YEAR
from schedulerd.domain.due import Due, check_when
from schedulerd.domain.due_times import END_OF_TIME, DueTimes, Named, Never, first_of, instant_of
from schedulerd.domain.jitter import Jittered, check_jitter, delay
from schedulerd.domain.rrule_text import parse_rrule
from schedulerd.domain.schedules import (
    After,
    Blackout,
    BlackoutAction,
    Caused,
    FileAppears,
    Interval,
    Once,
    Reboot,
    RRule,
    Schedule,
    ScheduleDefinition,
    Webhook,
    When,
)
from schedulerd.domain.zones import first_instant, zone
from schedulerd.errors import BadExpression
from schedulerd.sentences import said

_BEGINNING: Final = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_A_DAY: Final = timedelta(days=1)
_WITHOUT_TIMES: Final[Mapping[type, str]] = {
    Reboot: "@reboot",
    After: "after",
    FileAppears: "file",
    Webhook: "webhook",
}
_NEVER: Final = Never()
_IN_SIGHT: Final = 100
"""So many stretches of a blackout in a row are searched for a due time between them, at each tick."""

_IN_FULL_SIGHT: Final = 1_500
"""And so many at the door: of a schedule of each day, four years."""


def check_definition(definition: ScheduleDefinition) -> None:
    """Raise `BadExpression` for what can never be due, or cannot be kept: the door for every definition."""
    _check_years(definition)
    check_when(definition.when, name=definition.name)
    if isinstance(definition.when, Reboot | Caused):
        _check_without_times(definition)
        return
    timezone = definition.when.timezone
    if definition.blackout is not None:
        check_blackout(definition.blackout, timezone=timezone, name=definition.name)
    _check_bounds(definition, timezone)
    _check_free(definition)
    check_jitter(definition.jitter, Named(definition=definition, first_seen=_BEGINNING))


def _check_years(definition: ScheduleDefinition) -> None:
    """Years beyond those of expressions are mistakes, and lead to the ends of what can be reckoned with."""
    blackout = definition.blackout or Blackout()
    moments: list[date | None] = [definition.start, definition.end, *blackout.days]
    moments += [moment for span in blackout.spans for moment in (span.start, span.end)]
    match definition.when:
        case Once(at=at):
            moments.append(at)
        case Interval(anchor=anchor) | RRule(anchor=anchor):
            moments.append(anchor)
    for moment in moments:
        if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
            reason = said(
                "the year {year} is not one of {first_year} to {last_year}",
                year=moment.year,
                first_year=FIRST_YEAR,
                last_year=LAST_YEAR,
            )
            raise BadExpression(reason, expression=moment.isoformat(), code="year")


def _check_without_times(definition: ScheduleDefinition) -> None:
    given = [
        name
        for name, value in (
            ("start", definition.start),
            ("end", definition.end),
            ("jitter", definition.jitter),
            ("blackout", definition.blackout),
        )
        if value
    ]
    if given:
        kind = _WITHOUT_TIMES[type(definition.when)]
        reason = said(
            "a schedule by {kind} has no due times, and so no {listed}", kind=kind, listed=" or ".join(given)
        )
        raise BadExpression(reason, expression=kind, code="reboot" if kind == "@reboot" else kind)


def _check_bounds(definition: ScheduleDefinition, timezone: str) -> None:
    """Is something left from the start to the end? Not asked of times whose phase nobody knows yet."""
    start, end = definition.start, definition.end
    if end is None and start is None:
        return
    shown = " to ".join(moment.isoformat() for moment in (start, end) if moment is not None)
    if start is not None and end is not None and instant_of(start, timezone) > instant_of(end, timezone):
        raise BadExpression(said("the end comes before the start"), expression=shown, code="bounds")
    named = Named(definition=definition, first_seen=_BEGINNING)
    if _is_anchored(definition.when) and first_of(named, _BEGINNING - _A_DAY) is None:
        raise BadExpression(said("it is never due from its start to its end"), expression=shown, code="never")


def _check_free(definition: ScheduleDefinition) -> None:
    """Does the blackout leave some due time?"""
    if definition.blackout is None or not _is_anchored(definition.when):
        return
    timing = Timing(definition=definition, first_seen=_BEGINNING)
    if timing.is_black_out_of_sight(_BEGINNING - _A_DAY, stretches=_IN_FULL_SIGHT):
        raise BadExpression(
            said(
                "blackout: every due time lies in it, {in_full_sight:,} times in a row: nothing would ever start",
                in_full_sight=_IN_FULL_SIGHT,
            ),
            expression=", ".join(window.expression for window in definition.blackout.windows),
            code="blackout",
        )


def _is_anchored(when: When) -> bool:
    """Are its times the same whenever it is first seen?"""
    match when:
        case Interval(anchor=anchor):
            return anchor is not None
        case RRule(anchor=anchor):
            return (
                anchor is not None or parse_rrule(when.expression, timezone=when.timezone).start is not None
            )
        case _:
            return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """The due times of a definition, between any two moments. Pure; `first_seen` anchors what has no anchor."""

    definition: ScheduleDefinition
    first_seen: datetime

    @classmethod
    def of(cls, schedule: Schedule) -> "Timing":
        """The due times of a schedule in force."""
        return cls(definition=schedule.definition, first_seen=schedule.first_seen)

    def each(self, after: datetime, until: datetime) -> Iterator[Due]:
        """The due times in (after, until], ascending by (at, slot)."""
        return self._left.each(after, until)

    def first(self, after: datetime, until: datetime) -> Due | None:
        """The first due time in (after, until]."""
        return first_of(self._left, after, until)

    def next(self, after: datetime) -> Due | None:
        """The first due time strictly after `after`."""
        return first_of(self._left, after)

    def next_at(self, after: datetime) -> datetime | None:
        """The moment of the first due time strictly after `after`; where none is in sight, of the first in a blackout."""
        left = None if self.is_black_out_of_sight(after) else self.next(after)
        found = left or first_of(self.left_out, after)
        return found.at if found is not None else None

    def is_black_out_of_sight(self, after: datetime, *, stretches: int = _IN_SIGHT) -> bool:
        """Are so many stretches of the blackout in the way that all years might be searched in vain?"""
        blackout = self.definition.blackout
        if blackout is None or blackout.action is BlackoutAction.RUN_AFTER:
            return False
        black = 0
        for piece in islice(self._divided.pieces(after, END_OF_TIME), stretches):
            if piece.stretch is None:
                return False
            black += 1
        return black == stretches

    def count(self, after: datetime, until: datetime) -> int:
        """How many due times lie in (after, until]."""
        return self._left.count(after, until)

    def last(self, after: datetime, until: datetime) -> Due | None:
        """The last due time in (after, until]."""
        return self._left.last(after, until)

    @property
    def left_out(self) -> DueTimes:
        """The due times that a blackout leaves out; they start nothing, at their own time or at its end."""
        if self.definition.blackout is None:
            return _NEVER
        return LeftOut(divided=self._divided)

    def blackout(self, moment: datetime) -> Stretch | None:
        """The uninterrupted blackout that a moment lies in; None where the schedule may start."""
        return self._blackouts.around(moment)

    def named_at(self, due: Due) -> datetime:
        """When the due time was due by its expression alone: before its jitter and its blackout."""
        local = zone(self.definition.when.timezone)
        meant = datetime.fromisoformat(due.slot)
        shown = meant.astimezone(local)
        if shown.replace(tzinfo=None) == meant.replace(tzinfo=None):
            return meant.astimezone(UTC)
        return first_instant(meant.replace(tzinfo=local))

    def delay(self, due: Due) -> timedelta:
        """How much later than that its jitter makes it."""
        return delay(self.definition.name, due.slot, jitter=self.definition.jitter)

    @property
    def _left(self) -> DueTimes:
        if self.definition.blackout is None:
            return self._jittered
        return Left(divided=self._divided)

    @property
    def _divided(self) -> Divided:
        return Divided(times=self._jittered, blackouts=self._blackouts)

    @property
    def _jittered(self) -> DueTimes:
        definition = self.definition
        named = Named(definition=definition, first_seen=self.first_seen)
        if not definition.jitter:
            return named
        return Jittered(times=named, name=definition.name, jitter=definition.jitter)

    @property
    def _blackouts(self) -> Blackouts:
        definition = self.definition
        return Blackouts(
            blackout=definition.blackout or Blackout(),
            timezone=definition.when.timezone,
            name=definition.name,
        )
