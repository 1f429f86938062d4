"""The task runs of runs. They are written by the intake."""

from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from schedulerd.domain.ids import RunKey
from schedulerd.domain.results import ResultKind
from schedulerd.domain.states import TaskState
from schedulerd.domain.tasks import TaskRun
from schedulerd.store.documents import failure_json, read_failure
from schedulerd.store.run_tables import task_runs
from schedulerd.store.tables import AnyRow

_OF_RUN: Final = select(task_runs).where(task_runs.c.run_id == bindparam("run")).order_by(task_runs.c.number)


class Tasks:
    """What is known of the task runs."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def tasks(self, run: RunKey, *, child: int | None = None) -> list[TaskRun]:
        """The task runs of a run, by number; or those of a child run within it."""
        belongs = task_runs.c.child.is_(None) if child is None else task_runs.c.child == child
        return [_task(row) for row in self._connection.execute(_OF_RUN.where(belongs), {"run": run})]


def task_row(run: RunKey, task: TaskRun) -> dict[str, Any]:
    """The row of a task run."""
    return {
        "run_id": run,
        "number": task.number,
        "name": task.name,
        "state": task.state.value,
        "attempt": task.attempt,
        "map_index": task.map_index,
        "started_at": task.started_at,
        "ended_at": task.ended_at,
        "upstream": list(task.upstream) or None,
        "message": task.message,
        "failure": failure_json(task.failure),
        "result_preview": task.result_preview,
        "call": task.call,
        "kept": None if task.kept is None else task.kept.value,
        "child": task.within,
    }


def _task(row: AnyRow) -> TaskRun:
    return TaskRun(
        number=row.number,
        name=row.name,
        state=TaskState(row.state),
        attempt=row.attempt,
        map_index=row.map_index,
        started_at=row.started_at,
        ended_at=row.ended_at,
        upstream=tuple(row.upstream or ()),
        message=row.message,
        failure=read_failure(row.failure),
        result_preview=row.result_preview,
        call=row.call,
        kept=None if row.kept is None else ResultKind(row.kept),
    )
