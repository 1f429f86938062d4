"""The child runs in the processes of runs, found again. They are written by the intake, and end with their runs at the latest."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, cast, func, or_, select
from sqlalchemy import Text as SqlText

from schedulerd.domain.child_runs import ChildRun
from schedulerd.domain.ids import RunId, RunKey, ids_with
from schedulerd.domain.results import ResultKind
from schedulerd.domain.runs import Run, RunFilter
from schedulerd.domain.states import RunState
from schedulerd.errors import NotFound
from schedulerd.store.containing import contains
from schedulerd.store.documents import read_failure
from schedulerd.store.run_rows import RUNS, run_of
from schedulerd.store.run_tables import child_runs
from schedulerd.store.tables import AnyRow, AnySelect, runs

_PAGE: Final = 500
_MOST_FOUND: Final = 10
_ABOVE: Final = child_runs.alias("above")
# The id of the child run in which it was called stands beside each.
_CHILDREN: Final[AnySelect] = select(child_runs, _ABOVE.c.uuid.label("above_uuid")).select_from(
    child_runs.outerjoin(
        _ABOVE, and_(_ABOVE.c.run_id == child_runs.c.run_id, _ABOVE.c.number == child_runs.c.child)
    )
)
_OF_RUN: Final = _CHILDREN.where(child_runs.c.run_id == bindparam("run")).order_by(child_runs.c.number)
_BY_NUMBER: Final = _CHILDREN.where(
    child_runs.c.run_id == bindparam("run"), child_runs.c.number == bindparam("number")
)
_BY_PREFIX: Final = (
    _CHILDREN.where(
        child_runs.c.uuid >= bindparam("first", type_=child_runs.c.uuid.type),
        child_runs.c.uuid <= bindparam("last", type_=child_runs.c.uuid.type),
    )
    .order_by(child_runs.c.uuid)
    .limit(_MOST_FOUND)
)
_ROOTS: Final = RUNS.where(runs.c.id.in_(bindparam("keys", expanding=True)))


class ChildRuns:
    """What is known of child runs. They hold no place, and nothing is decided about them on their own."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def of(self, root: Run, *, within: int | None = None) -> list[ChildRun]:
        """The child runs that a run called itself, by number; or those that the child run `within` called."""
        called = child_runs.c.child.is_(None) if within is None else child_runs.c.child == within
        rows = self._connection.execute(_OF_RUN.where(called), {"run": root.key})
        return [_child_run(row, root) for row in rows]

    def numbered(self, root: Run, number: int) -> ChildRun:
        """The child run of this number. Raises `NotFound`."""
        values = {"run": root.key, "number": number}
        row = self._connection.execute(_BY_NUMBER, values).one_or_none()
        if row is None:
            raise NotFound("run", f"{root.selector}.{number}")
        return _child_run(row, root)

    def find(self, prefix: str) -> list[ChildRun]:
        """At most 10 child runs whose id begins so, hyphens or not; none for what begins no id."""
        found = ids_with(prefix)
        return [] if found is None else self._all(_BY_PREFIX, {"first": found[0], "last": found[1]})

    def newest(self, wanted: RunFilter) -> list[ChildRun]:
        """The child runs that began last, the newest first."""
        order = child_runs.c.started_at.desc(), child_runs.c.run_id.desc(), child_runs.c.number.desc()
        return self._all(_filtered(wanted).order_by(*order).limit(wanted.limit), {})

    def count(self, run: RunKey) -> int:
        """How many a run has, those of its child runs among them."""
        query = select(func.count()).select_from(child_runs).where(child_runs.c.run_id == run)
        return self._connection.scalar(query) or 0

    def _all(self, query: AnySelect, values: dict[str, Any]) -> list[ChildRun]:
        rows = self._connection.execute(query, values).all()
        roots = self._roots({row.run_id for row in rows})
        return [_child_run(row, roots[row.run_id]) for row in rows]

    def _roots(self, keys: set[int]) -> Mapping[int, Run]:
        ordered = sorted(keys)
        pages: Sequence[Sequence[int]] = [
            ordered[start : start + _PAGE] for start in range(0, len(ordered), _PAGE)
        ]
        return {
            row.id: run_of(row) for page in pages for row in self._connection.execute(_ROOTS, {"keys": page})
        }


def _filtered(wanted: RunFilter) -> AnySelect:
    query = _CHILDREN
    if wanted.flows:
        query = query.where(child_runs.c.flow.in_(wanted.flows))
    if wanted.states:
        query = query.where(child_runs.c.state.in_(sorted(wanted.states)))
    if wanted.since is not None:
        query = query.where(child_runs.c.started_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(child_runs.c.started_at < wanted.until)
    if wanted.text:
        places = (
            child_runs.c.flow,
            child_runs.c.name,
            cast(child_runs.c.parameters, SqlText),
            child_runs.c.reason,
            cast(child_runs.c.failure, SqlText),
        )
        query = query.where(or_(*(contains(place, wanted.text) for place in places)))
    return query


def _child_run(row: AnyRow, root: Run) -> ChildRun:
    return ChildRun(
        root=root,
        number=row.number,
        id=RunId(row.uuid),
        parent=root.id if row.above_uuid is None else RunId(row.above_uuid),
        within=row.child,
        of_attempt=row.of_attempt,
        task=row.task,
        flow=row.flow,
        name=row.name,
        state=RunState(row.state),
        reason=row.reason,
        attempt=row.attempt,
        parameters=row.parameters or {},
        tags=tuple(row.tags or ()),
        started_at=row.started_at,
        ended_at=row.ended_at,
        failure=read_failure(row.failure),
        result_preview=row.result_preview,
        call=row.call,
        kept=None if row.kept is None else ResultKind(row.kept),
    )
