"""Taking due runs: the one place where a run gets its slot, and where overlap is decided."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, func, select, update

from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import Move, Run, SkipReason
from schedulerd.domain.schedules import Overlap
from schedulerd.domain.states import RunState
from schedulerd.errors import Conflict
from schedulerd.store.moving import INSERT_MOVE, move_row
from schedulerd.store.run_rows import RUNS, run_of
from schedulerd.store.tables import IS_ACTIVE, IS_LIVE, IS_SCHEDULED, AnyRow, flows, runs, schedules
from schedulerd.store.tasks import end_with_runs

_PAGE: Final = 1_000
_SKIPS: Final = schedules.c.overlap == Overlap.SKIP.value
_NOW: Final = bindparam("now", type_=runs.c.due_at.type)
_KEYS: Final[BindParameter[Any]] = bindparam("keys", expanding=True)

_HELD: Final = select(func.count()).select_from(runs).where(IS_LIVE, runs.c.agent == bindparam("agent"))
_BUSY: Final = (
    select(runs.c.schedule_id)
    .distinct()
    .join_from(runs, schedules, schedules.c.id == runs.c.schedule_id)
    .where(IS_ACTIVE, _SKIPS)
)
_OVERLAPPING: Final = (
    select(runs.c.id, runs.c.move_count)
    .where(IS_SCHEDULED, runs.c.schedule_id.in_(bindparam("busy", expanding=True)), runs.c.due_at <= _NOW)
    .limit(_PAGE)
)
_DUE: Final = (
    select(runs.c.id, runs.c.move_count, runs.c.schedule_id, schedules.c.overlap)
    .select_from(runs.outerjoin(schedules, schedules.c.id == runs.c.schedule_id))
    .where(IS_SCHEDULED, runs.c.due_at <= _NOW)
    .order_by(runs.c.due_at, runs.c.id)
    .limit(bindparam("limit"))
)
_CLAIM: Final = (
    update(runs)
    .where(runs.c.id.in_(_KEYS), IS_SCHEDULED)
    .values(
        state=RunState.PENDING.value,
        pending_at=_NOW,
        attempt=runs.c.attempt + 1,
        version_id=select(flows.c.version_id).where(flows.c.id == runs.c.flow_id).scalar_subquery(),
        agent=bindparam("agent"),
        boot_id=bindparam("boot"),
        move_count=runs.c.move_count + 1,
    )
)
_SKIP: Final = (
    update(runs)
    .where(runs.c.id.in_(_KEYS), IS_SCHEDULED)
    .values(
        state=RunState.SKIPPED.value,
        reason=SkipReason.OVERLAP.value,
        ended_at=_NOW,
        move_count=runs.c.move_count + 1,
    )
)
_CLAIMED: Final = RUNS.where(runs.c.id.in_(_KEYS)).order_by(runs.c.due_at, runs.c.id)


class Claim:
    """One taking of due runs, at one moment, for one agent. To be used once, in a writing transaction."""

    def __init__(self, connection: Connection, *, now: datetime, agent: str, boot_id: str) -> None:
        self._connection: Final = connection
        self._now: Final = now
        self._agent: Final = agent
        self._boot_id: Final = boot_id

    def take(self, limit: int, *, max_running: int) -> list[Run]:
        """Take at most `limit` due runs, oldest due first, while the agent has fewer than `max_running` live ones.

        Runs that overlap one of their schedule are skipped, whether or not there is a slot for them.
        """
        self._skip_overlapping()
        free = min(limit, max_running - self._held())
        keys = self._claim(free)
        rows = self._connection.execute(_CLAIMED, {"keys": keys}) if keys else ()
        return [run_of(row) for row in rows]

    def _held(self) -> int:
        return self._connection.scalar(_HELD, {"agent": self._agent}) or 0

    def _skip_overlapping(self) -> None:
        busy = list(self._connection.scalars(_BUSY))
        found = _PAGE if busy else 0
        while found == _PAGE:
            rows = self._connection.execute(_OVERLAPPING, {"busy": busy, "now": self._now}).all()
            self._skip(rows)
            found = len(rows)

    def _claim(self, free: int) -> list[RunKey]:
        keys: list[RunKey] = []
        busy: set[int] = set()
        while (wanted := min(free - len(keys), _PAGE)) > 0:
            rows = self._connection.execute(_DUE, {"now": self._now, "limit": wanted}).all()
            starting, overlapping = _decide(rows, busy)
            self._start(starting)
            self._skip(overlapping)
            keys += [row.id for row in starting]
            if len(rows) < wanted:
                break
        return keys

    def _start(self, rows: Sequence[AnyRow]) -> None:
        self._move(rows, _CLAIM, RunState.PENDING, {"agent": self._agent, "boot": self._boot_id})

    def _skip(self, rows: Sequence[AnyRow]) -> None:
        self._move(rows, _SKIP, RunState.SKIPPED, {}, message=SkipReason.OVERLAP.value)
        end_with_runs(self._connection, [(RunKey(row.id), RunState.SKIPPED, self._now) for row in rows])

    def _move(
        self,
        rows: Sequence[AnyRow],
        statement: Any,
        to: RunState,
        values: dict[str, Any],
        message: str = "",
    ) -> None:
        if not rows:
            return
        values |= {"keys": [row.id for row in rows], "now": self._now}
        if self._connection.execute(statement, values).rowcount != len(rows):
            raise Conflict("a run changed while it was being claimed")  # nobody else can write meanwhile
        move = Move(at=self._now, was=RunState.SCHEDULED, to=to, actor=self._agent, message=message)
        self._connection.execute(
            INSERT_MOVE, [move_row(RunKey(row.id), row.move_count + 1, move) for row in rows]
        )


def _decide(rows: Iterable[AnyRow], busy: set[int]) -> tuple[list[AnyRow], list[AnyRow]]:
    """Which of the due runs start, and which overlap one that starts; `busy` takes in the schedules of the former."""
    starting, overlapping = [], []
    for row in rows:
        if row.overlap == Overlap.SKIP.value:
            if row.schedule_id in busy:
                overlapping.append(row)
                continue
            busy.add(row.schedule_id)
        starting.append(row)
    return starting, overlapping
