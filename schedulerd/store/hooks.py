"""Hooks that are to be called: owed when a run ends, taken for calling, and done."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from schedulerd.domain.hooks import DueHooks, read_hooks
from schedulerd.domain.ids import RunId, RunKey
from schedulerd.domain.states import RunState
from schedulerd.store.tables import AnyRow, flows, hooks_due, moves, runs, versions

_OWE: Final = insert(hooks_due).from_select(
    ["run_id", "number", "attempt", "version_id", "agent"],
    select(runs.c.id, runs.c.move_count, runs.c.attempt, runs.c.version_id, runs.c.agent).where(
        runs.c.id.in_(bindparam("keys", expanding=True))
    ),
)
_DUE: Final = (
    select(
        hooks_due,
        moves.c.at,
        moves.c.to,
        moves.c.message,
        runs.c.uuid,
        runs.c.number.label("run_number"),
        flows.c.name.label("flow"),
        versions.c.hash.label("version_hash"),
    )
    .select_from(
        hooks_due.join(moves, (moves.c.run_id == hooks_due.c.run_id) & (moves.c.number == hooks_due.c.number))
        .join(runs, runs.c.id == hooks_due.c.run_id)
        .join(flows, flows.c.id == runs.c.flow_id)
        .outerjoin(versions, versions.c.id == hooks_due.c.version_id)
    )
    .where(hooks_due.c.agent == bindparam("agent"))
    .order_by(moves.c.at, hooks_due.c.run_id, hooks_due.c.number)
    .limit(bindparam("limit"))
)
_OF_RUN: Final = select(hooks_due.c.number).where(hooks_due.c.run_id == bindparam("run"))
_ONE: Final = (hooks_due.c.run_id == bindparam("run"), hooks_due.c.number == bindparam("which"))
_TAKE: Final = update(hooks_due).where(*_ONE, hooks_due.c.boot_id.is_(None)).values(boot_id=bindparam("boot"))
_DONE: Final = delete(hooks_due).where(*_ONE)


class Hooks:
    """What is owed to runs that have ended. A row is made with the move that ends the run."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def due(self, agent: str, *, limit: int) -> list[DueHooks]:
        """The hooks that this agent is to call, or has taken for calling; those of the run that ended first before others."""
        return [_due(row) for row in self._connection.execute(_DUE, {"agent": agent, "limit": limit})]

    def are_due(self, run: RunKey) -> bool:
        """Has the run hooks that are to be called, or are being called?"""
        return self._connection.execute(_OF_RUN, {"run": run}).first() is not None

    def take(self, due: Sequence[DueHooks], *, boot_id: str) -> None:
        """Note that these are about to be called, in this boot of the machine."""
        rows = [{"run": one.run, "which": one.number, "boot": boot_id} for one in due]
        if rows:
            self._connection.execute(_TAKE, rows)

    def done(self, due: DueHooks) -> bool:
        """What became of these is known; True for exactly one caller."""
        values = {"run": due.run, "which": due.number}
        return self._connection.execute(_DONE, values).rowcount == 1


def owes(hooks: str | None, state: RunState) -> bool:
    """Does a run with these in its row owe a call of hooks when it comes to this state?"""
    return hooks is not None and state in read_hooks(hooks)


def owe_hooks(connection: Connection, keys: Sequence[RunKey]) -> None:
    """Note that hooks of these runs are to be called, for the last move of each."""
    if keys:
        connection.execute(_OWE, {"keys": list(keys)})


def _due(row: AnyRow) -> DueHooks:
    return DueHooks(
        run=RunKey(row.run_id),
        id=RunId(row.uuid),
        selector=f"{row.flow}#{row.run_number}",
        number=row.number,
        attempt=row.attempt,
        state=RunState(row.to),
        message=row.message,
        at=row.at,
        version_hash=row.version_hash,
        boot_id=row.boot_id,
    )
