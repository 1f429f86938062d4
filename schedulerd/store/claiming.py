"""Taking due runs: the one place where a run gets its slot, and where overlap is decided."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, func, or_, select, update

from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import Move, Run
from schedulerd.domain.schedules import Overlap
from schedulerd.domain.states import RunState
from schedulerd.store.lines import DUE_RUNS, KEYS, NOW, PAGE, Going, Lines
from schedulerd.store.moving import move_due
from schedulerd.store.run_rows import RUNS, run_of
from schedulerd.store.tables import IS_ACTIVE, IS_LIVE, IS_SCHEDULED, IS_UNDECIDED, AnyRow, flows, runs

_HELD: Final = select(func.count()).select_from(runs).where(IS_LIVE, runs.c.agent == bindparam("agent"))
_BUSY: Final = select(runs.c.schedule_id).where(IS_ACTIVE, runs.c.schedule_id.is_not(None))
_STARTABLE: Final = DUE_RUNS.where(
    IS_SCHEDULED,
    runs.c.due_at <= NOW,
    or_(
        IS_UNDECIDED,  # of a schedule of which none goes on: otherwise it would have been decided
        runs.c.schedule_id.not_in(_BUSY),
    ),
).limit(bindparam("limit"))
_CLAIM: Final = (
    update(runs)
    .where(runs.c.id.in_(KEYS), IS_SCHEDULED)
    .values(
        state=RunState.PENDING.value,
        queued=0,
        reason="",
        pending_at=NOW,
        attempt=runs.c.attempt + 1,
        version_id=select(flows.c.version_id).where(flows.c.id == runs.c.flow_id).scalar_subquery(),
        agent=bindparam("agent"),
        boot_id=bindparam("boot"),
        move_count=runs.c.move_count + 1,
    )
)
_CLAIMED: Final = RUNS.where(runs.c.id.in_(KEYS)).order_by(runs.c.due_at, runs.c.id)


class Claim:
    """One taking of due runs, at one moment, for one agent. To be used once, in a writing transaction."""

    def __init__(self, connection: Connection, *, now: datetime, agent: str, boot_id: str) -> None:
        self._connection: Final = connection
        self._now: Final = now
        self._agent: Final = agent
        self._boot_id: Final = boot_id
        self._lines: Final = Lines(connection, now=now, agent=agent)

    def take(self, limit: int, *, max_running: int) -> list[Run]:
        """Take at most `limit` due runs, oldest due first, while the agent has fewer than `max_running` live ones.

        What becomes of runs that overlap one of their schedule is decided whether or not there is a slot for them.
        """
        going = self._lines.going()
        self._lines.settle(going)
        free = min(limit, max_running - self._held())
        keys = self._claim(free, going)
        rows = self._connection.execute(_CLAIMED, {"keys": keys}) if keys else ()
        return [run_of(row) for row in rows]

    def _held(self) -> int:
        return self._connection.scalar(_HELD, {"agent": self._agent}) or 0

    def _claim(self, free: int, going: Going) -> list[RunKey]:
        keys: list[RunKey] = []
        while (wanted := min(free - len(keys), PAGE)) > 0:
            rows = self._connection.execute(_STARTABLE, {"now": self._now, "limit": wanted}).all()
            starting = self._first_of_each(rows, going)
            self._start(starting)
            self._lines.settle(_of_schedules(starting))
            keys += [RunKey(row.id) for row in starting]
            if len(rows) < wanted:
                break
        return keys

    def _first_of_each(self, rows: Sequence[AnyRow], going: Going) -> list[AnyRow]:
        """Those of the runs that start: of a schedule of which runs go one after the other, the first."""
        newest = self._lines.newest({row.schedule_id for row in rows if row.overlap == Overlap.REPLACE.value})
        starting = []
        for row in rows:
            if not _waits_its_turn(row):
                starting.append(row)
            elif row.schedule_id not in going:
                starting.append(newest.get(row.schedule_id, row))
            else:
                continue
            if row.schedule_id is not None:
                going.setdefault(row.schedule_id, []).append(starting[-1])
        return starting

    def _start(self, rows: Sequence[AnyRow]) -> None:
        if not rows:
            return
        move = Move(at=self._now, was=RunState.SCHEDULED, to=RunState.PENDING, actor=self._agent)
        values = {"now": self._now, "agent": self._agent, "boot": self._boot_id}
        move_due(self._connection, _CLAIM, values, [(row, move) for row in rows])


def _waits_its_turn(row: AnyRow) -> bool:
    """Is this a run that starts only while no other of its schedule goes on?"""
    return row.schedule_id is not None and (row.overlap != Overlap.ALLOW.value or bool(row.caught_up))


def _of_schedules(rows: Iterable[AnyRow]) -> Going:
    found: Going = {}
    for row in rows:
        if row.schedule_id is not None:
            found.setdefault(row.schedule_id, []).append(row)
    return found
