"""When schedules fire: across everything, or of one flow or schedule."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import merge, nsmallest
from itertools import islice
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.ids import FlowKey
from schedulerd.domain.names import near_names
from schedulerd.domain.schedules import Schedule
from schedulerd.domain.timing import Timing
from schedulerd.domain.wording import Language
from schedulerd.errors import NotFound
from schedulerd.operations.explaining import FAR_AHEAD, Fire, fire_of
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction


class Fires:
    """What fires next. Nothing here looks at whether a daemon runs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database: Final = database
        self._clock: Final = clock

    def next(
        self,
        name: str | None = None,
        *,
        limit: int,
        until: datetime | None = None,
        language: Language = "en",
    ) -> tuple[Fire, ...]:
        """The next fires, in order: of all schedules, or of the flow or schedule of this name. Raises `NotFound`.

        Schedules that are paused or not enabled are left out.
        """
        with self._database.read() as tx:
            schedules, flows = tx.schedules.coming(self._clock.now(), limit=limit, name=name)
            if not schedules and name is not None:
                _require(tx, name)
        return self._first(schedules, flows, limit=limit, until=until, language=language)

    def of_schedule(
        self, name: str, *, limit: int, until: datetime | None = None, language: Language = "en"
    ) -> tuple[Fire, ...]:
        """The next fires of the schedule of this name; none where it is paused or not enabled. Raises `NotFound`."""
        with self._database.read() as tx:
            schedule = tx.schedules.get(name)
            flows = tx.flows.named([schedule.flow_key])
        return self._first([schedule], flows, limit=limit, until=until, language=language)

    def _first(
        self,
        schedules: Iterable[Schedule],
        flows: Mapping[FlowKey, str],
        *,
        limit: int,
        until: datetime | None,
        language: Language,
    ) -> tuple[Fire, ...]:
        now = self._clock.now()
        end = until or now + FAR_AHEAD
        active = [one for one in schedules if one.definition.enabled and one.paused is None]
        found = merge(
            *(
                _fires(one, flow=flows.get(one.flow_key), after=now, until=end, language=language)
                for one in _soonest(active, limit, now=now)
            ),
            key=lambda fire: (fire.at, fire.schedule or ""),
        )
        return tuple(islice(found, limit))


def _soonest(schedules: Sequence[Schedule], limit: int, *, now: datetime) -> Sequence[Schedule]:
    """Those among which the next `limit` fires are: each has one, and a later schedule's first is after theirs.

    What is next is known of a schedule whose due time has not come yet; of others it is looked for.
    """
    coming = [one for one in schedules if one.next_due is not None and one.next_due > now]
    known = {one.key for one in coming}
    soonest = nsmallest(limit, coming, key=lambda one: (one.next_due, one.definition.name))
    return [*(one for one in schedules if one.key not in known), *soonest]


def in_force(database: Database, name: str | None) -> tuple[list[Schedule], Mapping[FlowKey, str]]:
    """The schedules in force, all or those of the flow or schedule of this name, and the names of their flows.

    Raises `NotFound` with the names that come near.
    """
    with database.read() as tx:
        if name is None:
            return tx.schedules.all(), tx.flows.named()
        schedules, flows = tx.schedules.running(name)
        if not schedules:
            _require(tx, name)
    return schedules, flows


def _require(tx: Transaction, name: str) -> None:
    """Raise `NotFound` where no flow and no schedule is called so."""
    flows, schedules = tx.flows.names(), tx.schedules.names()
    if name not in flows and name not in schedules:
        raise NotFound("flow or schedule", name, near=near_names(name, [*flows, *schedules]))


def _fires(
    schedule: Schedule, *, flow: str | None, after: datetime, until: datetime, language: Language
) -> Iterator[Fire]:
    timing, name = Timing.of(schedule), schedule.definition.name
    if timing.is_black_out_of_sight(after):
        return iter(())  # a list that somebody waits for is no place to search all years
    return (
        fire_of(due, timing, schedule=name, flow=flow, language=language) for due in timing.each(after, until)
    )
