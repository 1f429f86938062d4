"""What goes on among the runs, from indexes that hold just those: asked several times a second while somebody looks on."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from schedulerd.domain.ids import RunId, RunKey
from schedulerd.domain.snapshots import RunMark, Snapshot
from schedulerd.domain.states import RunState
from schedulerd.store.tables import IS_ACTIVE, IS_SCHEDULED, AnyRow, flows, runs

_MOST: Final = 1_000

_MARKS: Final = select(
    *(runs.c.id, runs.c.uuid, runs.c.state, runs.c.attempt, runs.c.move_count, runs.c.line_count),
    runs.c.journal_bytes,
    flows.c.name.label("flow"),
).select_from(runs.join(flows, flows.c.id == runs.c.flow_id))
# Two queries, each with its partial index; of both together SQLite makes a walk through all runs.
_ACTIVE: Final = _MARKS.where(IS_ACTIVE).limit(_MOST)
_SCHEDULED: Final = _MARKS.where(IS_SCHEDULED).limit(_MOST)
_WATCHED: Final = _MARKS.where(runs.c.uuid.in_(bindparam("ids", expanding=True, type_=runs.c.uuid.type)))
_NEWEST: Final = select(func.max(runs.c.id))


class Snapshots:
    """Moments of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def take(self, watched: Collection[RunId] = ()) -> Snapshot:
        """At most 1,000 runs that go on and 1,000 that are to run, and the `watched` ones that there are."""
        rows = [*self._connection.execute(_ACTIVE), *self._connection.execute(_SCHEDULED)]
        beside = self._connection.execute(_WATCHED, {"ids": list(watched)}).all() if watched else ()
        return Snapshot(
            newest=RunKey(self._connection.scalar(_NEWEST) or 0),
            going={RunKey(row.id): _mark(row) for row in rows},
            watched={RunId(row.uuid): _mark(row) for row in beside},
        )


def _mark(row: AnyRow) -> RunMark:
    return RunMark(
        key=RunKey(row.id),
        id=RunId(row.uuid),
        flow=row.flow,
        state=RunState(row.state),
        attempt=row.attempt,
        moves=row.move_count,
        lines=row.line_count,
        taken=row.journal_bytes,
    )
