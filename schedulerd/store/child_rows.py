"""The rows of child runs, as the intake writes them: numbered within their run as they come, each once."""

from collections.abc import Iterable
from typing import Any, Final, Protocol

from sqlalchemy import Connection, bindparam, func, select, update

from schedulerd.domain.child_runs import Subflow
from schedulerd.domain.ids import RunKey
from schedulerd.domain.states import RunState
from schedulerd.store.documents import failure_json
from schedulerd.store.run_tables import child_runs
from schedulerd.store.upserts import Upsert

Numbers = dict[int, int]
"""The numbers of child runs by the task runs that stand for them."""

_PAGE: Final = 1_000
_PUT: Final = Upsert(child_runs, first=["started_at", "parameters", "tags"])
_KNOWN: Final = select(child_runs.c.run_id, child_runs.c.task, child_runs.c.number).where(
    child_runs.c.run_id == bindparam("run"),
    child_runs.c.of_attempt == bindparam("attempt"),
    child_runs.c.task.in_(bindparam("tasks", expanding=True)),
)
_LAST: Final = select(func.max(child_runs.c.number)).where(child_runs.c.run_id == bindparam("run"))
_STAND: Final = (
    update(child_runs)
    .where(
        child_runs.c.run_id == bindparam("run"),
        child_runs.c.call == bindparam("same", type_=child_runs.c.call.type),
        child_runs.c.state == RunState.COMPLETED.value,
    )
    .values(of_attempt=bindparam("now_attempt"), task=bindparam("now_task"))
)


class Telling(Protocol):
    """A run that told of flows called within it, or of something that happened there."""

    @property
    def run(self) -> RunKey:
        """The run."""
        ...

    @property
    def attempt(self) -> int:
        """Its attempt."""
        ...

    @property
    def subflows(self) -> dict[int, Subflow]:
        """What was told last of each flow, by the task run that stands for it."""
        ...

    @property
    def mentioned(self) -> set[int]:
        """The task runs that stand for child runs of which something was told."""
        ...

    def place(self, numbers: Numbers) -> None:
        """Say by these numbers to which child run each row belongs."""
        ...


def take_children(connection: Connection, changed: Iterable[Telling]) -> None:
    """Write what was told of child runs, and find out for all other rows to which of them they belong."""
    telling = [one for one in changed if one.mentioned]
    rows: list[dict[str, Any]] = []
    for one in telling:
        again = [_again(one, subflow) for subflow in one.subflows.values() if subflow.id is None]
        if again:
            connection.execute(_STAND, again)
        numbers = _numbered(connection, one)
        one.place(numbers)
        rows += [_row(one, subflow, numbers) for subflow in one.subflows.values() if subflow.id is not None]
    _PUT(connection, rows)


def _numbered(connection: Connection, told: Telling) -> Numbers:
    """The numbers of all child runs that were mentioned; those that are new come after those that are there."""
    numbers: Numbers = {}
    tasks = sorted(told.mentioned)
    for start in range(0, len(tasks), _PAGE):
        page = {"run": told.run, "attempt": told.attempt, "tasks": tasks[start : start + _PAGE]}
        numbers |= {row.task: row.number for row in connection.execute(_KNOWN, page)}
    new = [one.task for one in told.subflows.values() if one.id is not None and one.task not in numbers]
    if new:
        last = connection.scalar(_LAST, {"run": told.run}) or 0
        numbers |= {task: number for number, task in enumerate(new, last + 1)}
    return numbers


def _again(told: Telling, subflow: Subflow) -> dict[str, Any]:
    return {
        "run": told.run,
        "same": subflow.call,
        "now_attempt": told.attempt,
        "now_task": subflow.task,
    }


def _row(told: Telling, subflow: Subflow, numbers: Numbers) -> dict[str, Any]:
    return {
        "run_id": told.run,
        "number": numbers[subflow.task],
        "uuid": subflow.id,
        "of_attempt": told.attempt,
        "task": subflow.task,
        "child": place_of(subflow.within, numbers),
        "flow": subflow.flow,
        "name": subflow.name,
        "state": subflow.state.value,
        "reason": subflow.reason,
        "attempt": subflow.attempt,
        "parameters": None if subflow.parameters is None else dict(subflow.parameters),
        "tags": list(subflow.tags) or None,
        "started_at": subflow.started_at,
        "ended_at": subflow.ended_at,
        "failure": failure_json(subflow.failure),
        "result_preview": subflow.result_preview,
        "call": subflow.call,
        "kept": None if subflow.kept is None else subflow.kept.value,
    }


def place_of(within: int | None, numbers: Numbers) -> int | None:
    """The number of the child run for which this task run stands; None for the run itself, and where its record was lost."""
    return None if within is None else numbers.get(within)
