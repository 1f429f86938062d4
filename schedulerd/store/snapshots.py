"""What goes on among the runs, from indexes that hold just those: asked several times a second while somebody looks on."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, bindparam, func, select, true, union_all

from schedulerd.domain.ids import RunId, RunKey
from schedulerd.domain.snapshots import RunMark, Snapshot, Totals
from schedulerd.domain.states import RunState
from schedulerd.store.tables import IS_ACTIVE, IS_QUEUED, IS_UNDECIDED, AnyRow, flows, runs, schedules

_MOST: Final = 1_000

_MARKS: Final = select(
    *(runs.c.id, runs.c.uuid, runs.c.state, runs.c.attempt, runs.c.move_count, runs.c.line_count),
    runs.c.journal_bytes,
    flows.c.name.label("flow"),
).select_from(runs.join(flows, flows.c.id == runs.c.flow_id))
# Each has a partial index, which SQLite uses where just its condition stands: a limited query of its own, of which the union is made.
_GOING: Final = union_all(
    *(select(_MARKS.where(one).limit(_MOST).subquery()) for one in (IS_ACTIVE, IS_UNDECIDED, IS_QUEUED))
).subquery()
_NEWEST: Final = select(func.max(runs.c.id).label("newest")).subquery()
_NOW: Final = select(_NEWEST.c.newest, _GOING).select_from(_NEWEST.outerjoin(_GOING, true()))
_TOTALS: Final = select(
    *(
        select(func.count()).select_from(of).where(of.c.removed_at.is_(None)).scalar_subquery().label(of.name)
        for of in (flows, schedules)
    ),
    select(func.min(schedules.c.next_due)).scalar_subquery().label("next_due"),
)
_WATCHED: Final = _MARKS.where(runs.c.uuid.in_(bindparam("ids", expanding=True, type_=runs.c.uuid.type)))


class Snapshots:
    """Moments of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def take(self, watched: Collection[RunId] = ()) -> Snapshot:
        """At most 1,000 each of the runs that go on, are due or to be, and wait in line; and the `watched` ones that there are."""
        rows = self._connection.execute(_NOW).all()
        return Snapshot(
            newest=RunKey(rows[0].newest or 0),
            going={RunKey(row.id): _mark(row) for row in rows if row.id is not None},
            watched=self.watch(watched).watched,
        )

    def watch(self, watched: Collection[RunId]) -> Snapshot:
        """Only of these, those of them that there are."""
        rows = self._connection.execute(_WATCHED, {"ids": list(watched)}) if watched else ()
        return Snapshot(newest=RunKey(0), going={}, watched={RunId(row.uuid): _mark(row) for row in rows})

    def totals(self) -> Totals:
        """How much is in force."""
        row = self._connection.execute(_TOTALS).one()
        return Totals(flows=row.flows, schedules=row.schedules, next_due=row.next_due)


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
