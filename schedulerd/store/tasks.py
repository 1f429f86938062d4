"""The task runs of runs. They are written by the intake."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, bindparam, case, func, select, type_coerce

from schedulerd.domain.ids import RunKey
from schedulerd.domain.results import ResultKind
from schedulerd.domain.states import BAD_TASKS, UNFINISHED_TASKS, TaskState
from schedulerd.domain.tasks import TaskAttempt, TaskRun, whole_attempts
from schedulerd.store.documents import failure_json, read_failure
from schedulerd.store.run_tables import task_attempts, task_runs
from schedulerd.store.tables import AnyRow

_OF_RUN: Final = select(task_runs).where(task_runs.c.run_id == bindparam("run")).order_by(task_runs.c.number)

_ATTEMPTS: Final = (
    select(task_attempts)
    .where(task_attempts.c.run_id == bindparam("run"))
    .order_by(task_attempts.c.number, task_attempts.c.attempt)
)
_MOST_SUMMED: Final = 20_000
_SOME: Final = (
    select(task_runs.c.name, task_runs.c.state, task_runs.c.started_at, task_runs.c.ended_at)
    .where(
        task_runs.c.run_id.in_(bindparam("runs", expanding=True)),
        task_runs.c.state.not_in(sorted(UNFINISHED_TASKS)),
    )
    .limit(_MOST_SUMMED)
    .subquery()
)
_TOOK: Final = type_coerce(_SOME.c.ended_at, BigInteger) - type_coerce(_SOME.c.started_at, BigInteger)
_SUMS: Final = select(
    _SOME.c.name,
    _SOME.c.state,
    func.count().label("number"),
    func.count(_SOME.c.started_at).label("timed"),
    func.sum(case((_TOOK > 0, _TOOK), else_=0)).label("took"),  # a clock may have been set back
).group_by(_SOME.c.name, _SOME.c.state)


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskSum:
    """How many task runs of a name ended in a state, and how long those of them took together that had begun."""

    name: str
    state: TaskState
    count: int
    timed: int
    took: timedelta

    @property
    def is_bad(self) -> bool:
        """Did they end badly themselves?"""
        return self.state in BAD_TASKS


class Tasks:
    """What is known of the task runs."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def tasks(self, run: RunKey, *, child: int | None = None) -> list[TaskRun]:
        """The task runs of a run, by number; or those of a child run within it."""
        belongs = task_runs.c.child.is_(None) if child is None else task_runs.c.child == child
        found = [_task(row) for row in self._connection.execute(_OF_RUN.where(belongs), {"run": run})]
        again: dict[int, list[TaskAttempt]] = {
            task.number: [] for task in found if task.attempt > 1 or task.state is TaskState.RETRYING
        }
        return _with_attempts(found, self._attempts(run, again)) if again else found

    def _attempts(self, run: RunKey, of: dict[int, list[TaskAttempt]]) -> Mapping[int, Sequence[TaskAttempt]]:
        for row in self._connection.execute(_ATTEMPTS, {"run": run}):
            if row.number in of:
                of[row.number].append(_attempt(row))
        return of

    def sums(self, runs: Collection[RunKey]) -> list[TaskSum]:
        """What the task runs of these runs came to, by name and state; of very many only a part is looked at."""
        rows = self._connection.execute(_SUMS, {"runs": sorted(runs)})
        return [_sum(row) for row in rows]


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


def _with_attempts(tasks: Iterable[TaskRun], told: Mapping[int, Sequence[TaskAttempt]]) -> list[TaskRun]:
    return [
        replace(task, attempts=whole_attempts(task, told[task.number])) if task.number in told else task
        for task in tasks
    ]


def attempt_row(run: RunKey, attempt: TaskAttempt) -> dict[str, Any]:
    """The row of an attempt of a task run."""
    return {
        "run_id": run,
        "number": attempt.number,
        "attempt": attempt.attempt,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
    }


def _attempt(row: AnyRow) -> TaskAttempt:
    return TaskAttempt(
        number=row.number, attempt=row.attempt, started_at=row.started_at, ended_at=row.ended_at
    )


def _sum(row: AnyRow) -> TaskSum:
    return TaskSum(
        name=row.name,
        state=TaskState(row.state),
        count=row.number,
        timed=row.timed,
        took=timedelta(microseconds=int(row.took or 0)),
    )
