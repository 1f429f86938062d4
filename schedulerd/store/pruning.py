"""Removing what has become too old, a page of runs at a time, so that nobody waits for it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, select, update

from schedulerd.domain.error_kinds import ErrorKey
from schedulerd.domain.ids import RunId, RunKey, uuid7
from schedulerd.domain.retention import Age, Retention, is_log_too_old, is_run_too_old
from schedulerd.domain.states import RunState
from schedulerd.store.error_kinds import forget_kinds
from schedulerd.store.run_tables import log_lines
from schedulerd.store.tables import AnyRow, flows, runs

PAGE: Final = 500
PAGE_OF_KINDS: Final = 1_000

_NO_ID: Final = RunId(UUID(int=0))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_UUID: Final = runs.c.uuid.type
# Ids of runs begin with when they were recorded, so that their index finds the old ones.
_OLD: Final = (
    select(
        runs.c.id,
        runs.c.uuid,
        runs.c.state,
        runs.c.ended_at,
        (flows.c.last_number - runs.c.number).label("newer"),
        runs.c.line_count,
        runs.c.log_removed,
    )
    .join_from(runs, flows, flows.c.id == runs.c.flow_id)
    .where(runs.c.uuid > bindparam("after", type_=_UUID), runs.c.uuid < bindparam("before", type_=_UUID))
    .order_by(runs.c.uuid)
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pruned:
    """What one page came to: how many runs and logs were too old, and the run to go on after; None when it was the last."""

    runs: int
    logs: int
    after: RunId | None


class Pruning:
    """Looks through the old part of the history."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def page(
        self,
        retention: Retention,
        *,
        now: datetime,
        after: RunId | None = None,
        limit: int = PAGE,
        dry_run: bool = False,
    ) -> Pruned:
        """Remove what is too old among the next `limit` runs after `after`, oldest first; with `dry_run` only count it."""
        before = uuid7(max(retention.oldest_kept(now), _EPOCH), entropy=0)
        values = {"after": after or _NO_ID, "before": before, "limit": limit}
        rows = self._connection.execute(_OLD, values).all()
        gone = [RunKey(row.id) for row in rows if is_run_too_old(_age(row), retention, now=now)]
        removed = set(gone)
        silent = [
            RunKey(row.id)
            for row in rows
            if row.id not in removed and is_log_too_old(_age(row), retention, now=now)
        ]
        if not dry_run:
            self._remove(gone, silent)
        more = rows[-1].uuid if len(rows) == limit else None
        return Pruned(runs=len(gone), logs=len(silent), after=more)

    def kinds(self, *, after: ErrorKey | None = None, limit: int = PAGE_OF_KINDS) -> ErrorKey | None:
        """Of the next `limit` kinds of errors remove those that no run has any more, for it is gone, or has another error since.

        Returns the kind to go on after; None when it was the last.
        """
        return forget_kinds(self._connection, after, limit=limit)

    def _remove(self, gone: list[RunKey], silent: list[RunKey]) -> None:
        if silent:
            self._connection.execute(delete(log_lines).where(log_lines.c.run_id.in_(silent)))
            self._connection.execute(update(runs).where(runs.c.id.in_(silent)).values(log_removed=1))
        if gone:
            self._connection.execute(delete(runs).where(runs.c.id.in_(gone)))


def _age(row: AnyRow) -> Age:
    return Age(
        state=RunState(row.state),
        ended_at=row.ended_at,
        newer=row.newer,
        has_log=row.line_count > 0 and not row.log_removed,
    )
