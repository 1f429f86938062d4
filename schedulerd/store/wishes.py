"""Wishes that runs be cancelled, from the command line and the web; the daemon's core makes the moves."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from schedulerd.domain.ids import RunKey
from schedulerd.domain.states import FINAL, RunState
from schedulerd.domain.wishes import Wish, WishKey
from schedulerd.errors import Conflict, NotFound
from schedulerd.sentences import said
from schedulerd.store.tables import AnyRow, flows, runs, wishes

_RUN: Final = (
    select(runs.c.state, runs.c.number, flows.c.name, wishes.c.id.label("wish"))
    .select_from(
        runs.join(flows, flows.c.id == runs.c.flow_id).outerjoin(wishes, wishes.c.run_id == runs.c.id)
    )
    .where(runs.c.id == bindparam("run"))
)
_ALL: Final = select(wishes).order_by(wishes.c.id)


class Wishes:
    """What is asked for and not yet done; at most one wish a run."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def ask_cancel(self, run: RunKey, *, at: datetime, actor: str, reason: str) -> None:
        """Ask that the run be cancelled; a second wish changes nothing. Raises `Conflict` when it has ended."""
        self._ask(run, {"at": at, "actor": actor, "reason": reason, "kills": 0})

    def ask_kill(self, run: RunKey, *, at: datetime, actor: str, reason: str) -> None:
        """Ask that the run be cancelled without any grace. A wish that it be cancelled, which still waits, becomes this one;
        a second of this kind changes nothing. Raises as `ask_cancel`."""
        values = {"at": at, "actor": actor, "reason": reason, "kills": 1}
        known = self._ask(run, values)
        if known is not None:
            is_milder = (wishes.c.id == known) & (wishes.c.kills == 0)
            self._connection.execute(update(wishes).where(is_milder).values(values))

    def _ask(self, run: RunKey, values: dict[str, Any]) -> WishKey | None:
        """Leave a wish; the one that there was, where there was one."""
        row = self._connection.execute(_RUN, {"run": run}).one_or_none()
        if row is None:
            raise NotFound("run", str(run))
        if RunState(row.state) in FINAL:
            raise Conflict(
                said(
                    "{name}#{number} has ended already: it is {state}",
                    name=row.name,
                    number=row.number,
                    state=said(row.state),
                )
            )
        if row.wish is None:
            self._connection.execute(insert(wishes), {"run_id": run, **values})
            return None
        return WishKey(row.wish)

    def all(self) -> list[Wish]:
        """The wishes, the oldest first."""
        return [_wish(row) for row in self._connection.execute(_ALL)]

    def forget(self, key: WishKey) -> None:
        """The wish is done, or cannot be."""
        self._connection.execute(delete(wishes).where(wishes.c.id == key))


def _wish(row: AnyRow) -> Wish:
    return Wish(
        key=WishKey(row.id),
        run=RunKey(row.run_id),
        at=row.at,
        actor=row.actor,
        reason=row.reason,
        kills=bool(row.kills),
    )
