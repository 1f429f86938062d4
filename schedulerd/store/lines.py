"""Runs of a schedule that wait for one another: who waits, who is skipped, and who is told to end for another."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, func, or_, select, union_all, update

from schedulerd.domain.ids import RunKey
from schedulerd.domain.overlap import (
    DueRun,
    Line,
    Queued,
    Ruling,
    Skipped,
    decide,
    next_of,
    successor,
    superseded,
)
from schedulerd.domain.runs import Move, SkipReason
from schedulerd.domain.schedules import Overlap
from schedulerd.domain.states import RunState
from schedulerd.store.endings import end_with_runs
from schedulerd.store.moving import move_due
from schedulerd.store.strands import DUE_RUNS, NOW, PAGE
from schedulerd.store.tables import (
    IS_QUEUED,
    IS_SCHEDULED,
    IS_UNDECIDED,
    PASSED_OVER,
    QUEUED,
    AnyRow,
    AnySelect,
    is_queued,
    runs,
    schedules,
)
from schedulerd.store.tallies import Ended, tally
from schedulerd.store.wishes import Wishes

Going = dict[int, list[AnyRow]]
"""The runs that go on, by their schedule."""

KEYS: Final[BindParameter[Any]] = bindparam("keys", expanding=True)
_LINES: Final[BindParameter[Any]] = bindparam("lines", expanding=True)

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
_QUEUES: Final = (
    select(runs.c.schedule_id, func.count().label("queued"))
    .where(IS_QUEUED, runs.c.schedule_id.in_(_LINES), runs.c.caught_up == 0)
    .group_by(runs.c.schedule_id)
)


def _end_of_line(where: Any, *, caught_up: bool) -> AnySelect:
    """Of a schedule the oldest run that makes up for a missed time, or the newest on time."""
    order = [one if caught_up else one.desc() for one in (runs.c.due_at, runs.c.id)]
    line = runs.c.schedule_id == bindparam("line")
    found = select(runs.c.id).where(where, line, runs.c.due_at <= NOW, runs.c.caught_up == int(caught_up))
    return select(found.order_by(*order).limit(1).subquery().c.id)


_NEXT: Final = DUE_RUNS.where(
    runs.c.id.in_(
        union_all(
            *(
                _end_of_line(where, caught_up=caught_up)
                for where in (IS_UNDECIDED, IS_QUEUED)
                for caught_up in (True, False)
            )
        )
    )
)
_QUEUE: Final = update(runs).where(runs.c.id.in_(KEYS), IS_SCHEDULED).values(queued=QUEUED)
_OTHER: Final = runs.alias("other")
_PASS_OVER: Final = (
    update(runs)
    .where(
        IS_QUEUED,
        runs.c.schedule_id.in_(_LINES),
        runs.c.id
        == select(_OTHER.c.id)
        .where(is_queued(_OTHER), _OTHER.c.schedule_id == runs.c.schedule_id, _OTHER.c.caught_up == 1)
        .order_by(_OTHER.c.due_at, _OTHER.c.id)
        .limit(1)
        .correlate(runs)
        .scalar_subquery(),
    )
    .values(queued=PASSED_OVER)
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
        self.skipped: list[RunKey] = []

    def settle(self, going: Going) -> None:
        """Decide what becomes of the due runs of these schedules, of which a run goes on."""
        found = PAGE if going else 0
        while found == PAGE:
            new = self._rows(_NEW, going)
            self._settle(new, going)
            found = len(new)

    def next(self, line: int) -> AnyRow:
        """Of a schedule that replaces, and of which no run goes on but some are due: the one that starts."""
        rows = {
            RunKey(row.id): row for row in self._connection.execute(_NEXT, {"line": line, "now": self._now})
        }
        return rows[next_of(_due_runs(rows.values())).key]

    def replace(self, started: Sequence[AnyRow]) -> None:
        """Decide what becomes of the runs that waited beside these, which have started, of schedules that replace.

        The newest on time counts, and a run that makes up for a missed time has been passed over for it.
        """
        self._supersede({row.schedule_id: row for row in started})
        self.settle(by_schedule(started))
        on_time = [row.schedule_id for row in started if not row.caught_up]
        if on_time:
            self._connection.execute(_PASS_OVER, {"lines": on_time})

    def _supersede(self, started: Mapping[int, AnyRow]) -> None:
        """Those on time in whose place a newer one is due are skipped; a newest that has not started waits in line."""
        found = PAGE if started else 0
        while found == PAGE:
            new = self._rows(_NEW_ON_TIME, started)
            rows = {RunKey(row.id): row for row in [*new, *self._rows(_QUEUED_ON_TIME, started)]}
            rulings: list[Ruling] = []
            for line, due in _by_line(rows.values()).items():
                waiting = _due_runs(due)
                newest = waiting[-1] if started[line].caught_up else _due_run(started[line])
                rulings += superseded(waiting, newest)
                rulings += [Queued(run=one.key) for one in waiting if one is newest]
            self._carry_out(rulings, rows)
            found = len(new)

    def _rows(self, query: AnySelect, lines: Iterable[int]) -> Sequence[AnyRow]:
        return self._connection.execute(query, {"lines": list(lines), "now": self._now}).all()

    def _settle(self, new: Sequence[AnyRow], going: Going) -> None:
        if not new:
            return
        lines = {row.schedule_id for row in new}
        queues: dict[int, int] = dict(self._rows(_QUEUES, lines))
        replacing = {row.schedule_id for row in new if row.overlap == Overlap.REPLACE.value}
        waiting = self._rows(_QUEUED_ON_TIME, replacing) if replacing else ()
        rows = {RunKey(row.id): row for row in (*waiting, *new)}
        rulings: list[Ruling] = []
        for schedule, due in _by_line(rows.values()).items():
            line = _line(due[0], going[schedule][0], queues.get(schedule, 0))
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
            self._connection.execute(_QUEUE, {"keys": [one.run for one in queued]})
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
        self.skipped += [RunKey(row.id) for row, _ in skipped]
        move_due(self._connection, _SKIP, {"why": reason.value, "now": now}, moves)
        end_with_runs(self._connection, [(RunKey(row.id), to, now) for row, _ in skipped])
        ends = [Ended(flow=row.flow_id, state=to, started_at=None, ended_at=now) for row, _ in skipped]
        tally(self._connection, ends)


def by_schedule(rows: Iterable[AnyRow]) -> Going:
    """The runs that are of a schedule, by it, as they come."""
    found: Going = {}
    for row in rows:
        if row.schedule_id is not None:
            found.setdefault(row.schedule_id, []).append(row)
    return found


def _by_line(rows: Iterable[AnyRow]) -> dict[int, list[AnyRow]]:
    """The runs of each schedule, the oldest due first."""
    lines: dict[int, list[AnyRow]] = {}
    for row in sorted(rows, key=attrgetter("due_at", "id")):
        lines.setdefault(row.schedule_id, []).append(row)
    return lines


def _due_runs(rows: Iterable[AnyRow]) -> list[DueRun]:
    return [_due_run(row) for row in rows]


def _due_run(row: AnyRow) -> DueRun:
    return DueRun(
        key=RunKey(row.id),
        selector=f"{row.flow}#{row.number}",
        caught_up=bool(row.caught_up),
        passed_over=row.queued == PASSED_OVER,
    )


def _line(due: AnyRow, active: AnyRow, queued: int) -> Line:
    return Line(
        overlap=Overlap(due.overlap),
        queue_limit=due.queue_limit,
        active=f"{active.flow}#{active.number}",
        queued=queued,
    )
