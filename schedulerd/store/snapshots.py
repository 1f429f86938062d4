"""What goes on among the runs, from indexes that hold just those: asked several times a second while somebody looks on."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from schedulerd.domain.ids import RunId, RunKey
from schedulerd.domain.snapshots import RunMark, Snapshot
from schedulerd.domain.states import RunState
from schedulerd.store.tables import IS_ACTIVE, IS_QUEUED, IS_UNDECIDED, AnyRow, flows, runs

_MOST: Final = 1_000

_MARKS: Final = select(
    *(runs.c.id, runs.c.uuid, runs.c.state, runs.c.attempt, runs.c.move_count, runs.c.line_count),
    runs.c.journal_bytes,
    flows.c.name.label("flow"),
).select_from(runs.join(flows, flows.c.id == runs.c.flow_id))
# Each has a partial index, which SQLite uses where just its condition stands; of a union of them it makes a walk through all runs.
_GOING: Final = tuple(_MARKS.where(one).limit(_MOST) for one in (IS_ACTIVE, IS_UNDECIDED, IS_QUEUED))
_WATCHED: Final = _MARKS.where(runs.c.uuid.in_(bindparam("ids", expanding=True, type_=runs.c.uuid.type)))
_NEWEST: Final = select(func.max(runs.c.id))


class Snapshots:
    """Moments of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def take(self, watched: Collection[RunId] = ()) -> Snapshot:
        """At most 1,000 each of the runs that go on, are due or to be, and wait in line; and the `watched` ones that there are."""
        rows = [row for query in _GOING for row in self._connection.execute(query)]
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
