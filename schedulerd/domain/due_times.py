"""Due times in order, between any two moments: what is asked of them, and those that an expression names."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from schedulerd.domain.due import Due, count_dues, dues, last_due
from schedulerd.domain.schedules import ScheduleDefinition
from schedulerd.domain.zones import TICK, first_instant, zone

END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)


class DueTimes(Protocol):
    """Due times, strictly ascending by (at, slot), the same whatever bounds they are asked for in."""

    def each(self, after: datetime, until: datetime) -> Iterator[Due]:
        """Those in (after, until]."""

    def count(self, after: datetime, until: datetime) -> int:
        """How many lie in (after, until]."""

    def last(self, after: datetime, until: datetime) -> Due | None:
        """The last in (after, until]."""


def first_of(times: DueTimes, after: datetime, until: datetime = END_OF_TIME) -> Due | None:
    """The first due time in (after, until]."""
    return next(times.each(after, until), None)


def last_before(times: DueTimes, due: Due, after: datetime) -> Due | None:
    """The one before `due` in (after, due.at]: another slot of its instant, or an earlier one."""
    together = [each for each in times.each(max(after, due.at - TICK), due.at) if each < due]
    return together[-1] if together else times.last(after, due.at - TICK)


class Never:
    """No due times."""

    def each(self, after: datetime, until: datetime) -> Iterator[Due]:
        """None."""
        return iter(())

    def count(self, after: datetime, until: datetime) -> int:
        """0."""
        return 0

    def last(self, after: datetime, until: datetime) -> Due | None:
        """None."""
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """What the expression of a schedule names, from its start to its end."""

    definition: ScheduleDefinition
    first_seen: datetime

    def each(self, after: datetime, until: datetime) -> Iterator[Due]:
        """Those in (after, until]."""
        when, name = self.definition.when, self.definition.name
        after, until = self._within(after, until)
        return dues(when, after=after, until=until, first_seen=self.first_seen, name=name)

    def count(self, after: datetime, until: datetime) -> int:
        """How many lie in (after, until]."""
        when, name = self.definition.when, self.definition.name
        after, until = self._within(after, until)
        return count_dues(when, after=after, until=until, first_seen=self.first_seen, name=name)

    def last(self, after: datetime, until: datetime) -> Due | None:
        """The last in (after, until]."""
        when, name = self.definition.when, self.definition.name
        after, until = self._within(after, until)
        return last_due(when, after=after, until=until, first_seen=self.first_seen, name=name)

    def _within(self, after: datetime, until: datetime) -> tuple[datetime, datetime]:
        """What is left of (after, until] from the start to the end, both included."""
        definition = self.definition
        if definition.start is not None:
            after = max(after, instant_of(definition.start, definition.when.timezone) - TICK)
        if definition.end is not None:
            until = min(until, instant_of(definition.end, definition.when.timezone))
        return after, until


def instant_of(moment: datetime, timezone: str) -> datetime:
    """When a local time (naive) of a zone is first shown, or passed over; an aware one says it itself."""
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    return first_instant(moment.replace(tzinfo=zone(timezone)))
