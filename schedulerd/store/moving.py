"""Moves of runs from state to state: compare-and-set by the one table of moves, and a row for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Update, bindparam, func, insert, select, update

from schedulerd.domain.error_kinds import error_kind
from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import Move
from schedulerd.domain.states import FINAL, MOVES, RunState
from schedulerd.errors import Conflict
from schedulerd.store.documents import failure_json
from schedulerd.store.endings import end_with_runs
from schedulerd.store.error_kinds import key_of, put_kinds
from schedulerd.store.hooks import owe_hooks, owes
from schedulerd.store.prepared import Prepared
from schedulerd.store.questions import end_attempts
from schedulerd.store.tables import AnyRow, moves, runs
from schedulerd.store.tallies import ended_of, tally

# Which states a run may come from: the table of moves, turned round for the condition of an UPDATE.
SOURCES: Final[Mapping[RunState, frozenset[RunState]]] = {
    to: frozenset(was for was in RunState if to in MOVES[was]) for to in RunState
}

INSERT_MOVE: Final = Prepared(insert(moves))
_BEFORE: Final = select(
    runs.c.state, runs.c.move_count, runs.c.hooks, runs.c.flow_id, runs.c.started_at, runs.c.ended_at
).where(runs.c.id == bindparam("key"))
_AS_IT_WAS: Final = (
    runs.c.id == bindparam("key"),
    runs.c.state == bindparam("was"),
    runs.c.state.in_(bindparam("sources", expanding=True)),
)
_WHY: Final = func.coalesce(bindparam("why", type_=runs.c.reason.type), runs.c.reason)
_MOVE: Final = (
    update(runs)
    .where(*_AS_IT_WAS)
    .values(
        state=bindparam("to"),
        move_count=runs.c.move_count + 1,
        reason=_WHY,
        failure=func.coalesce(bindparam("wrong", type_=runs.c.failure.type), runs.c.failure),
        error_id=func.coalesce(bindparam("kind", type_=runs.c.error_id.type), runs.c.error_id),
        pending_at=func.coalesce(bindparam("pending", type_=runs.c.pending_at.type), runs.c.pending_at),
        started_at=func.coalesce(runs.c.started_at, bindparam("started", type_=runs.c.started_at.type)),
        ended_at=func.coalesce(runs.c.ended_at, bindparam("ended", type_=runs.c.ended_at.type)),
        retry_at=None,
    )
)
# To be tried again: what the attempt brought stays, and the files of the next are read from their beginning.
_AGAIN: Final = (
    update(runs)
    .where(*_AS_IT_WAS)
    .values(
        state=bindparam("to"),
        retry_at=bindparam("again", type_=runs.c.retry_at.type),
        reason=_WHY,
        ended_at=None,
        result_preview=None,
        to_follow=1,
        journal_bytes=0,
        stdout_bytes=0,
        stderr_bytes=0,
        move_count=runs.c.move_count + 1,
    )
)
_OF_RUN: Final = select(moves).where(moves.c.run_id == bindparam("run")).order_by(moves.c.number)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A move that is asked for: where to, when, by whom and why."""

    to: RunState
    at: datetime
    actor: str
    message: str = ""
    reason: str = ""
    failure: Failure | None = None


def move_run(connection: Connection, key: RunKey, step: Step, *, expect: frozenset[RunState] | None) -> bool:
    """Make the move if the table allows it from the present state, which must be in `expect` when that is given."""
    before = connection.execute(_BEFORE, {"key": key}).one_or_none()
    if before is None:
        return False
    sources = SOURCES[step.to] if expect is None else SOURCES[step.to] & expect
    values = _values(step) | {"key": key, "was": before.state, "sources": sorted(sources)}
    if before.state == RunState.SCHEDULED:
        values["why"] = step.reason  # what it waited for is no reason for what it has become
    if step.to is RunState.RETRYING:
        wanted = {"key", "was", "sources", "to", "why"}
        statement = _AGAIN
        values = {name: value for name, value in values.items() if name in wanted} | {"again": step.at}
    else:
        statement = _MOVE
    if connection.execute(statement, values).rowcount != 1:
        return False
    if step.failure is not None:
        put_kinds(connection, [error_kind(step.failure)])
    move = Move(at=step.at, was=RunState(before.state), to=step.to, actor=step.actor, message=step.message)
    INSERT_MOVE(connection, [move_row(key, before.move_count + 1, move)])
    end_with_runs(connection, [(key, step.to, step.at)])
    if owes(before.hooks, step.to):
        owe_hooks(connection, [key])
    end_attempts(connection, [(key, step.to)])
    _count(connection, before, step)
    return True


def _count(connection: Connection, before: AnyRow, step: Step) -> None:
    """Count a run that has ended; one that is tried again has not."""
    was = ended_of(before.flow_id, RunState(before.state), before.started_at, before.ended_at)
    if was or step.to in FINAL:
        ended_at = step.at if step.to in FINAL else None
        tally(connection, ended_of(before.flow_id, step.to, before.started_at, ended_at), was)


def move_due(
    connection: Connection, statement: Update, values: dict[str, Any], moves: Sequence[tuple[AnyRow, Move]]
) -> None:
    """Make these moves of scheduled runs together, by a statement that takes their `keys`.

    Raises `Conflict` unless all of them are still scheduled.
    """
    keys = [row.id for row, _ in moves]
    if connection.execute(statement, values | {"keys": keys}).rowcount != len(keys):
        raise Conflict("a run changed while it was being claimed")  # nobody else can write meanwhile
    INSERT_MOVE(connection, [move_row(RunKey(row.id), row.move_count + 1, move) for row, move in moves])


def moves_of(connection: Connection, run: RunKey) -> list[Move]:
    """The moves of a run, in order."""
    return [
        Move(at=row.at, was=RunState(row.was), to=RunState(row.to), actor=row.actor, message=row.message)
        for row in connection.execute(_OF_RUN, {"run": run})
    ]


def move_row(run: RunKey, number: int, move: Move) -> dict[str, Any]:
    """The row of a move."""
    return {
        "run_id": run,
        "number": number,
        "at": move.at,
        "was": move.was.value,
        "to": move.to.value,
        "actor": move.actor,
        "message": move.message,
    }


def _values(step: Step) -> dict[str, Any]:
    return {
        "to": step.to.value,
        "why": step.reason or None,
        "wrong": failure_json(step.failure),
        "kind": key_of(step.failure),
        "pending": step.at if step.to is RunState.PENDING else None,
        "started": step.at if step.to is RunState.RUNNING else None,
        "ended": step.at if step.to in FINAL else None,
    }
