"""What all schedules in force would do over a stretch of time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schedulerd.domain.simulation import Decision, Downtime, simulate
from schedulerd.errors import BadExpression
from schedulerd.operations.explaining import check_year
from schedulerd.operations.fires import in_force
from schedulerd.store.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """From `start` up to, and without, `end`: the downtimes in it, and how long each run is taken to last.

    Raises `BadExpression` for what ends before it begins, and for a downtime that is not within it.
    """

    start: datetime
    end: datetime
    down: tuple[Downtime, ...] = ()
    takes: timedelta = timedelta()

    def __post_init__(self) -> None:
        _check_order("the stretch", (self.start, self.end))
        for moment in (self.start, self.end):
            check_year(moment)
        for one in self.down:
            _check_order("a downtime", one)
            self._check_within(one)

    def _check_within(self, down: Downtime) -> None:
        began, over = down
        if began < self.start:
            raise _bad("a downtime begins before the stretch does; begin the stretch earlier", down)
        if over >= self.end:
            raise _bad("what comes of a downtime is decided at its end: end the stretch later than it", down)


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulated:
    """What would be done. `schedules` counts those that were asked; `decisions` are made as they are asked for."""

    schedules: int
    decisions: Iterator[tuple[Decision, str | None]]


class Simulation:
    """What would happen. Nothing here looks at whether a daemon runs, and nothing is changed."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def run(self, stretch: Stretch, *, name: str | None = None) -> Simulated:
        """Each decision with its flow, in order: of all schedules, or of the flow or schedule of this name.

        Raises `NotFound`.
        """
        schedules, flows = in_force(self._database, name)
        found = simulate(
            schedules, start=stretch.start, end=stretch.end, down=stretch.down, takes=stretch.takes
        )
        return Simulated(
            schedules=len(schedules), decisions=((one, flows.get(one.schedule.flow_key)) for one in found)
        )


def _check_order(what: str, span: tuple[datetime, datetime]) -> None:
    if span[0] >= span[1]:
        raise _bad(f"{what} must end after it begins", span)


def _bad(reason: str, span: tuple[datetime, datetime]) -> BadExpression:
    words = "..".join(f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in span)
    return BadExpression(f"{words}: {reason}", expression=words, code="stretch")
