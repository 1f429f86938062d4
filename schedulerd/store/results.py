"""What tasks and flows returned, where that is more than people are shown of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, update

from schedulerd.domain.ids import RunKey
from schedulerd.domain.results import OF_FLOW, Result, ResultKind
from schedulerd.domain.states import TaskState
from schedulerd.store.run_tables import child_runs, results, task_runs
from schedulerd.store.tables import AnyRow, runs
from schedulerd.store.upserts import Upsert

PUT_RESULT: Final = Upsert(results)
_COMPLETED: Final = (TaskState.COMPLETED.value, TaskState.CACHED.value)
_SHOWN: Final = select(task_runs.c.call, task_runs.c.result_preview).where(
    task_runs.c.run_id == bindparam("run"),
    task_runs.c.kept == ResultKind.PREVIEW.value,
    task_runs.c.state.in_(_COMPLETED),
)
# A call may be there twice, of two attempts that went another way: the first is the one that carried it out.
_TIMES: Final = (
    select(task_runs.c.call, task_runs.c.started_at, task_runs.c.ended_at)
    .where(
        task_runs.c.run_id == bindparam("run"),
        task_runs.c.kept.is_not(None),
        task_runs.c.state.in_(_COMPLETED),
    )
    .order_by(task_runs.c.ended_at.desc())
)
_KEPT: Final = select(results).where(results.c.run_id == bindparam("run"))
_SHOWN_OF_CALL: Final = _SHOWN.where(task_runs.c.call == bindparam("of", type_=task_runs.c.call.type)).limit(
    1
)
_KEPT_OF_CALL: Final = _KEPT.where(results.c.call == bindparam("of", type_=results.c.call.type))
_FORGET: Final = (
    delete(results).where(results.c.run_id == bindparam("run")),
    update(task_runs).where(task_runs.c.run_id == bindparam("run")).values(call=None, kept=None),
    update(child_runs).where(child_runs.c.run_id == bindparam("run")).values(call=None, kept=None),
    update(runs).where(runs.c.id == bindparam("run")).values(result_preview=None, result_kept=None),
)
_OF_FLOW: Final = select(runs.c.result_preview, runs.c.result_kept).where(runs.c.id == bindparam("run"))


class Results:
    """What came of runs."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def of_tasks(self, run: RunKey) -> list[Result]:
        """What the completed tasks of a run came to, as far as it was kept."""
        shown = [
            _shown(row.call, row.result_preview) for row in self._connection.execute(_SHOWN, {"run": run})
        ]
        kept = [_result(row) for row in self._connection.execute(_KEPT, {"run": run}) if row.call != OF_FLOW]
        times = {row.call: row for row in self._connection.execute(_TIMES, {"run": run})}
        return [_timed(one, times.get(one.call)) for one in (*shown, *kept)]

    def of_call(self, run: RunKey, call: str) -> Result | None:
        """What a completed call of a task, or of a flow within the run, came to; None where that was not kept."""
        values = {"run": run, "of": call}
        kept = self._connection.execute(_KEPT_OF_CALL, values).one_or_none()
        if kept is not None:
            return _result(kept)
        shown = self._connection.execute(_SHOWN_OF_CALL, values).first()
        return None if shown is None else _shown(shown.call, shown.result_preview)

    def of_flow(self, run: RunKey) -> Result | None:
        """What the flow returned; None where that was not kept, or where it has not."""
        row = self._connection.execute(_OF_FLOW, {"run": run}).one()
        if row.result_kept == ResultKind.PREVIEW.value:
            return _shown(OF_FLOW, row.result_preview)
        found = self._connection.execute(_KEPT.where(results.c.call == OF_FLOW), {"run": run}).one_or_none()
        return None if found is None else _result(found)

    def forget(self, run: RunKey) -> None:
        """Keep nothing more of this run, so that its next attempt begins anew."""
        for statement in _FORGET:
            self._connection.execute(statement, {"run": run})


def result_rows(run: RunKey, kept: Sequence[Result]) -> list[dict[str, Any]]:
    """The rows of results that are more than people are shown."""
    return [
        {
            "run_id": run,
            "call": one.call,
            "kind": one.kind.value,
            "content": one.content,
            "file": one.file,
        }
        for one in kept
        if one.kind is not ResultKind.PREVIEW
    ]


def _timed(result: Result, row: AnyRow | None) -> Result:
    return result if row is None else replace(result, began_at=row.started_at, ended_at=row.ended_at)


def _shown(call: str, preview: str | None) -> Result:
    content = "null" if preview is None else preview
    return Result(kind=ResultKind.PREVIEW, call=call, content=content.encode())


def _result(row: AnyRow) -> Result:
    return Result(kind=ResultKind(row.kind), call=row.call, content=bytes(row.content), file=row.file)
