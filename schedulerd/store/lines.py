"""Runs of a schedule that wait for one another: who waits, who is skipped, and who is told to end for another."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, func, or_, select, update

from schedulerd.domain.ids import RunKey
from schedulerd.domain.overlap import DueRun, Line, Queued, Ruling, Skipped, decide, successor, superseded
from schedulerd.domain.runs import Move, SkipReason
from schedulerd.domain.schedules import Overlap
from schedulerd.domain.states import RunState
from schedulerd.store.moving import move_due
from schedulerd.store.tables import (
    IS_ACTIVE,
    IS_QUEUED,
    IS_SCHEDULED,
    IS_UNDECIDED,
    AnyRow,
    AnySelect,
    flows,
    runs,
    schedules,
)
from schedulerd.store.tasks import end_with_runs
from schedulerd.store.wishes import Wishes

PAGE: Final = 1_000
"""How many runs are looked at in one statement."""

Going = dict[int, list[AnyRow]]
"""The runs that go on, by their schedule."""

NOW: Final = bindparam("now", type_=runs.c.due_at.type)
KEYS: Final[BindParameter[Any]] = bindparam("keys", expanding=True)
_LINES: Final[BindParameter[Any]] = bindparam("lines", expanding=True)
DUE_RUNS: Final[AnySelect] = (
    select(
        runs.c.id,
        runs.c.move_count,
        runs.c.number,
        runs.c.state,
        runs.c.caught_up,
        runs.c.due_at,
        runs.c.schedule_id,
        schedules.c.overlap,
        schedules.c.queue_limit,
        flows.c.name.label("flow"),
    )
    .select_from(
        runs.join(flows, flows.c.id == runs.c.flow_id).outerjoin(
            schedules, schedules.c.id == runs.c.schedule_id
        )
    )
    .order_by(runs.c.due_at, runs.c.id)
)

# Not ordered: SQLite would read all runs by their key rather than sort the few that go on.
_GOING: Final = DUE_RUNS.where(IS_ACTIVE, runs.c.schedule_id.is_not(None)).order_by(None)
_NEW: Final = DUE_RUNS.where(
    IS_UNDECIDED,
    runs.c.schedule_id.in_(_LINES),
    runs.c.due_at <= NOW,
    or_(schedules.c.overlap != Overlap.ALLOW.value, runs.c.caught_up == 1),
).limit(PAGE)
_NEW_ON_TIME: Final = DUE_RUNS.where(
    IS_UNDECIDED, runs.c.schedule_id.in_(_LINES), runs.c.due_at <= NOW, runs.c.caught_up == 0
).limit(PAGE)
_QUEUED_ON_TIME: Final = DUE_RUNS.where(IS_QUEUED, runs.c.schedule_id.in_(_LINES), runs.c.caught_up == 0)
_ENDS: Final = (
    select(
        runs.c.schedule_id,
        func.sum(1 - runs.c.caught_up).label("queued"),
        func.max(runs.c.id).label("last"),
    )
    .where(IS_QUEUED, runs.c.schedule_id.in_(_LINES))
    .group_by(runs.c.schedule_id)
    .subquery()
)
_QUEUES: Final = select(
    _ENDS.c.schedule_id, _ENDS.c.queued, runs.c.number, flows.c.name.label("flow")
).select_from(_ENDS.join(runs, runs.c.id == _ENDS.c.last).join(flows, flows.c.id == runs.c.flow_id))

_QUEUE: Final = (
    update(runs)
    .where(runs.c.id == bindparam("key"), IS_SCHEDULED)
    .values(queued=1, reason=bindparam("why", type_=runs.c.reason.type))
)
_SKIP: Final = (
    update(runs)
    .where(runs.c.id.in_(KEYS), IS_SCHEDULED)
    .values(
        state=RunState.SKIPPED.value,
        reason=bindparam("why", type_=runs.c.reason.type),
        ended_at=NOW,
        move_count=runs.c.move_count + 1,
    )
)


class Lines:
    """The schedules of which a run goes on, at one moment of one claim."""

    def __init__(self, connection: Connection, *, now: datetime, agent: str) -> None:
        self._connection: Final = connection
        self._wishes: Final = Wishes(connection)
        self._now: Final = now
        self._agent: Final = agent

    def going(self) -> Going:
        """The runs of schedules that go on, of each schedule the oldest first."""
        found: Going = {}
        for row in sorted(self._connection.execute(_GOING), key=attrgetter("id")):
            found.setdefault(row.schedule_id, []).append(row)
        return found

    def settle(self, going: Going) -> None:
        """Decide what becomes of the due runs of these schedules, of which a run goes on."""
        found = PAGE if going else 0
        while found == PAGE:
            new = self._rows(_NEW, going)
            self._settle(new, going)
            found = len(new)

    def newest(self, lines: Collection[int]) -> dict[int, AnyRow]:
        """Of schedules that replace, and of which no run goes on: the newest run that is due on time.

        Those in whose place it starts are skipped.
        """
        newest: dict[int, AnyRow] = {}
        found = PAGE if lines else 0
        while found == PAGE:
            new = self._rows(_NEW_ON_TIME, lines)
            rows = {RunKey(row.id): row for row in [*new, *self._rows(_QUEUED_ON_TIME, lines)]}
            older: list[Ruling] = []
            for line, due in _by_line(rows.values()).items():
                newest[line] = due[-1]
                runs_due = _due_runs(due)
                older += superseded(runs_due, runs_due[-1])
            self._carry_out(older, rows)
            found = len(new) if older else 0
        return newest

    def _rows(self, query: AnySelect, lines: Iterable[int]) -> Sequence[AnyRow]:
        return self._connection.execute(query, {"lines": list(lines), "now": self._now}).all()

    def _settle(self, new: Sequence[AnyRow], going: Going) -> None:
        if not new:
            return
        queues = {row.schedule_id: row for row in self._rows(_QUEUES, {row.schedule_id for row in new})}
        replacing = {row.schedule_id for row in new if row.overlap == Overlap.REPLACE.value}
        waiting = self._rows(_QUEUED_ON_TIME, replacing) if replacing else ()
        rows = {RunKey(row.id): row for row in (*waiting, *new)}
        rulings: list[Ruling] = []
        for schedule, due in _by_line(rows.values()).items():
            line = _line(due[0], going[schedule][0], queues.get(schedule))
            rulings += decide(line, _due_runs(due))
            if (newest := successor(line.overlap, _due_runs(due))) is not None:
                self._tell(going[schedule], newest)
        self._carry_out(rulings, rows)

    def _tell(self, going: Iterable[AnyRow], newest: DueRun) -> None:
        """Ask the runs that go on to end for the newest; who is ending, or was asked before, is not asked again."""
        for row in going:
            if row.state != RunState.CANCELLING:
                self._wishes.ask_cancel(
                    RunKey(row.id), at=self._now, actor=self._agent, reason=f"replaced by {newest.selector}"
                )

    def _carry_out(self, rulings: Sequence[Ruling], rows: Mapping[RunKey, AnyRow]) -> None:
        queued = [one for one in rulings if isinstance(one, Queued)]
        if queued:
            self._connection.execute(_QUEUE, [{"key": one.run, "why": one.reason} for one in queued])
        for reason in SkipReason:
            self._skip(
                reason,
                [
                    (rows[one.run], one.message)
                    for one in rulings
                    if isinstance(one, Skipped) and one.reason is reason
                ],
            )

    def _skip(self, reason: SkipReason, skipped: Sequence[tuple[AnyRow, str]]) -> None:
        if not skipped:
            return
        to, now = RunState.SKIPPED, self._now
        moves = [
            (row, Move(at=now, was=RunState.SCHEDULED, to=to, actor=self._agent, message=message))
            for row, message in skipped
        ]
        move_due(self._connection, _SKIP, {"why": reason.value, "now": now}, moves)
        end_with_runs(self._connection, [(RunKey(row.id), to, now) for row, _ in skipped])


def _by_line(rows: Iterable[AnyRow]) -> dict[int, list[AnyRow]]:
    """The runs of each schedule, the oldest due first."""
    lines: dict[int, list[AnyRow]] = {}
    for row in sorted(rows, key=attrgetter("due_at", "id")):
        lines.setdefault(row.schedule_id, []).append(row)
    return lines


def _due_runs(rows: Iterable[AnyRow]) -> list[DueRun]:
    return [
        DueRun(key=RunKey(row.id), selector=f"{row.flow}#{row.number}", caught_up=bool(row.caught_up))
        for row in rows
    ]


def _line(due: AnyRow, active: AnyRow, queue: AnyRow | None) -> Line:
    return Line(
        overlap=Overlap(due.overlap),
        queue_limit=due.queue_limit,
        active=f"{active.flow}#{active.number}",
        last=None if queue is None else f"{queue.flow}#{queue.number}",
        queued=0 if queue is None else queue.queued,
    )
