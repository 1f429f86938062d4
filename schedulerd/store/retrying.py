"""Runs that are tried again: they wait for their time as `retrying`, and then for a place, before all that is new."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, func, select, update

from schedulerd.domain.ids import RunKey
from schedulerd.domain.limits import Places
from schedulerd.domain.runs import Move
from schedulerd.domain.schedules import Overlap
from schedulerd.domain.states import TRIED_AGAIN, RunState
from schedulerd.errors import Conflict
from schedulerd.store.holders import share
from schedulerd.store.lines import KEYS
from schedulerd.store.moving import Step, move_due, move_run
from schedulerd.store.strands import DUE_RUNS, NOW, PAGE
from schedulerd.store.tables import IS_ACTIVE, IS_RETRYING, AnyRow, flows, runs, schedules, wishes

_DUE: Final = (
    DUE_RUNS.where(
        IS_RETRYING,
        runs.c.retry_at <= NOW,
        runs.c.id.not_in(select(wishes.c.run_id)),  # it is to be cancelled
    )
    .order_by(None)
    .order_by(runs.c.priority.desc(), runs.c.retry_at, runs.c.id)
    .limit(PAGE)
)
_SELF: Final = runs.alias("self")
_OTHER: Final = (
    select(flows.c.name, runs.c.number)
    .select_from(
        runs.join(flows, flows.c.id == runs.c.flow_id)
        .join(schedules, schedules.c.id == runs.c.schedule_id)
        .join(_SELF, _SELF.c.schedule_id == runs.c.schedule_id)
    )
    .where(
        _SELF.c.id == bindparam("run"),
        runs.c.id != _SELF.c.id,
        IS_ACTIVE,
        schedules.c.overlap != Overlap.ALLOW.value,
    )
    .limit(1)
)
_NEXT: Final = select(func.min(runs.c.retry_at)).where(IS_RETRYING, runs.c.retry_at > NOW)
_CLAIM: Final = (
    update(runs)
    .where(runs.c.id.in_(KEYS), IS_RETRYING)
    .values(
        state=RunState.PENDING.value,
        pending_at=NOW,
        retry_at=None,
        reason="",
        failure=None,
        error_id=None,
        pid=None,
        attempt=runs.c.attempt + 1,
        version_id=select(flows.c.version_id).where(flows.c.id == runs.c.flow_id).scalar_subquery(),
        hooks=select(flows.c.hooks).where(flows.c.id == runs.c.flow_id).scalar_subquery(),
        agent=bindparam("agent"),
        boot_id=bindparam("boot"),
        move_count=runs.c.move_count + 1,
    )
)


class Retries:
    """The runs that wait for their retry, at one moment."""

    def __init__(self, connection: Connection, *, now: datetime) -> None:
        self._connection: Final = connection
        self._now: Final = now

    def take(self, most: int, places: Places, *, agent: str, boot_id: str) -> list[RunKey]:
        """Take those whose time has come and for which there is a place, which they take."""
        picked: list[AnyRow] = []
        for row in self._connection.execute(_DUE, {"now": self._now}).all() if most > 0 else ():
            if len(picked) < most and places.has_room(share(row)):
                places.take(share(row))
                picked.append(row)
        if picked:
            move = Move(at=self._now, was=RunState.RETRYING, to=RunState.PENDING, actor=agent)
            values = {"now": self._now, "agent": agent, "boot": boot_id}
            move_due(self._connection, _CLAIM, values, [(row, move) for row in picked])
        return [RunKey(row.id) for row in picked]

    def next(self) -> datetime | None:
        """When the next of those is tried again whose time has not come."""
        found: datetime | None = self._connection.execute(_NEXT, {"now": self._now}).scalar_one()
        return found


def try_again(connection: Connection, run: RunKey, step: Step) -> None:
    """Have a run that has ended tried again, at once.

    Raises `Conflict` when it has not ended badly, or when another of its schedule, which allows no overlap, goes on.
    """
    other = connection.execute(_OTHER, {"run": run}).first()
    if other is not None:
        raise Conflict(
            f"{other.name}#{other.number} of the same schedule goes on, and they may not overlap",
            mend="wait for its end, or have a run of its own that belongs to no schedule: `schedulerd runs rerun`",
        )
    if not move_run(connection, run, step, expect=TRIED_AGAIN):
        raise Conflict("only a run that failed, timed out, crashed or was cancelled is tried again")
