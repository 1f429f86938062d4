"""What a list of flows shows of their schedules. There may be very many: few of them are read."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from schedulerd.domain.ids import FlowKey
from schedulerd.domain.schedules import Schedule
from schedulerd.store.schedule_rows import schedule_of
from schedulerd.store.tables import AnySelect, schedules

_NAMES: Final[AnySelect] = (
    select(schedules.c.flow_id, schedules.c.name)
    .where(schedules.c.removed_at.is_(None))
    .order_by(schedules.c.name)
)
_NEXT_DUE: Final[AnySelect] = (
    select(schedules.c.flow_id, func.min(schedules.c.next_due).label("next_due"))
    .where(schedules.c.removed_at.is_(None))
    .group_by(schedules.c.flow_id)
)
_NAMED: Final = (
    select(schedules)
    .where(schedules.c.removed_at.is_(None), schedules.c.name.in_(bindparam("names", expanding=True)))
    .order_by(schedules.c.name)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowSchedules:
    """The schedules in force of a flow: their names, sorted, the first of them, and when one is due next, which a paused one
    never is."""

    names: tuple[str, ...] = ()
    first: tuple[Schedule, ...] = ()
    next_due: datetime | None = None


def of_flows(
    connection: Connection, of: Collection[FlowKey] | None, *, first: int
) -> dict[FlowKey, FlowSchedules]:
    """Those of these flows, or of all, that have schedules in force."""
    names: dict[FlowKey, list[str]] = {}
    for row in connection.execute(_of(_NAMES, of)):
        names.setdefault(FlowKey(row.flow_id), []).append(row.name)
    next_due = {FlowKey(row.flow_id): row.next_due for row in connection.execute(_of(_NEXT_DUE, of))}
    read: dict[FlowKey, list[Schedule]] = {}
    for schedule in _named(connection, [name for known in names.values() for name in known[:first]]):
        read.setdefault(schedule.flow_key, []).append(schedule)
    return {
        flow: FlowSchedules(names=tuple(known), first=tuple(read.get(flow, ())), next_due=next_due.get(flow))
        for flow, known in names.items()
    }


def _of(query: AnySelect, of: Collection[FlowKey] | None) -> AnySelect:
    return query if of is None else query.where(schedules.c.flow_id.in_(of))


def _named(connection: Connection, names: Collection[str]) -> Iterator[Schedule]:
    if names:
        yield from map(schedule_of, connection.execute(_NAMED, {"names": names}))
