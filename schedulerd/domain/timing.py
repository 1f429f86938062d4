"""The due times of one schedule: when it is due, from its start to its end. What the tick and every preview ask."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from schedulerd.domain.due import Due, check_when, count_dues, dues, last_due, next_due
from schedulerd.domain.schedules import Schedule, ScheduleDefinition
from schedulerd.domain.zones import TICK


def check_definition(definition: ScheduleDefinition) -> None:
    """Raise `BadExpression` for what can never be due, or cannot be kept: the door for every definition."""
    check_when(definition.when, name=definition.name)


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
        when, name = self.definition.when, self.definition.name
        return dues(when, after=after, until=until, first_seen=self.first_seen, name=name)

    def first(self, after: datetime, until: datetime) -> Due | None:
        """The first due time in (after, until]."""
        return next(self.each(after, until), None)

    def next(self, after: datetime) -> Due | None:
        """The first due time strictly after `after`."""
        when, name = self.definition.when, self.definition.name
        return next_due(when, after=after, first_seen=self.first_seen, name=name)

    def next_at(self, after: datetime) -> datetime | None:
        """The moment of the first due time strictly after `after`."""
        found = self.next(after)
        return found.at if found is not None else None

    def count(self, after: datetime, until: datetime) -> int:
        """How many due times lie in (after, until]."""
        when, name = self.definition.when, self.definition.name
        return count_dues(when, after=after, until=until, first_seen=self.first_seen, name=name)

    def last(self, after: datetime, until: datetime) -> Due | None:
        """The last due time in (after, until]."""
        when, name = self.definition.when, self.definition.name
        return last_due(when, after=after, until=until, first_seen=self.first_seen, name=name)

    def last_before(self, due: Due, after: datetime) -> Due | None:
        """The one before `due` in (after, due.at]: another slot of its instant, or an earlier one."""
        together = [each for each in self.each(due.at - TICK, due.at) if each < due]
        return together[-1] if together else self.last(after, due.at - TICK)
