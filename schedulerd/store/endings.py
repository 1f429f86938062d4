"""What ends with a run, or with an attempt of it: task runs and child runs that had not ended, and wishes too late."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnClause, Connection, bindparam, delete, literal_column, select, update

from schedulerd.domain.ids import RunKey
from schedulerd.domain.states import FINAL, UNFINISHED_TASKS, RunState, TaskState
from schedulerd.store.prepared import Prepared
from schedulerd.store.run_tables import child_runs, task_runs
from schedulerd.store.tables import has_ended, runs, wishes

# Constants, not parameters: a list of parameters cannot be given to a statement for many rows at once.
_UNFINISHED: Final[list[ColumnClause[str]]] = [
    literal_column(f"'{state}'") for state in sorted(UNFINISHED_TASKS)
]
_END_TASKS: Final = Prepared(
    update(task_runs)
    .where(task_runs.c.run_id == bindparam("run"), task_runs.c.state.in_(_UNFINISHED))
    .values(
        state=bindparam("to", type_=task_runs.c.state.type),
        ended_at=bindparam("at", type_=task_runs.c.ended_at.type),
    )
)
_END_CHILDREN: Final = Prepared(
    update(child_runs)
    .where(
        child_runs.c.run_id == bindparam("run"),
        child_runs.c.state == literal_column(f"'{RunState.RUNNING}'"),
    )
    .values(
        state=bindparam("to", type_=child_runs.c.state.type),
        ended_at=bindparam("at", type_=child_runs.c.ended_at.type),
        reason="ended with the run that it was part of",
    )
)
# Wishes are few, so that it costs less to look at them than to name the runs.
_FORGET_WISHES: Final = delete(wishes).where(
    select(runs.c.id).where(runs.c.id == wishes.c.run_id, has_ended(runs)).exists()
)
# What becomes of a task run that had not ended when its flow run did; any other end of the run crashes it. One that
# completed has such a task only where its record was lost, on a full disk perhaps.
_WITH_RUN: Final = {
    RunState.CANCELLED: TaskState.CANCELLED,
    RunState.TIMED_OUT: TaskState.TIMED_OUT,
}


def end_with_runs(connection: Connection, ends: Iterable[tuple[RunKey, RunState, datetime | None]]) -> None:
    """Runs have come to these states, then: of those that have ended, or whose attempt has, no task run and no
    child run stays `running`, and nobody's wish stays."""
    over = [(run, state, at) for run, state, at in ends if state in FINAL or state is RunState.RETRYING]
    if not over:
        return
    tasks = [
        {"run": run, "to": _WITH_RUN.get(state, TaskState.CRASHED).value, "at": at} for run, state, at in over
    ]
    _END_TASKS(connection, tasks)
    _END_CHILDREN(connection, tasks)
    connection.execute(_FORGET_WISHES)
