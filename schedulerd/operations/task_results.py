"""What tasks of other runs returned, as the code of a run asks for it."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final

from schedulerd.domain.ids import RunKey
from schedulerd.domain.results import Result, ResultKind
from schedulerd.domain.runs import Run
from schedulerd.domain.states import FINAL, TaskState
from schedulerd.domain.tasks import TaskRun
from schedulerd.errors import Conflict, NotFound, NotPermitted
from schedulerd.store.transaction import Transaction

RESULT: Final = "run.result"

_MOST_BYTES: Final = 1024 * 1024
_COPY: Final = re.compile(r"(.+)-(\d+)")
_WITH_VALUE: Final = (TaskState.COMPLETED, TaskState.CACHED)
_NOTHING: Final = Result(kind=ResultKind.JSON, content=b"null")


def task_results(
    tx: Transaction, run: Run, body: Mapping[str, Any], *, asker: RunKey | None
) -> Mapping[str, Any]:
    """What a task of a run that has ended returned; of one that was mapped, all in order, or that of an `index`.

    A run may ask for what its own child runs came to; without an asker it is a person. Raises `NotFound`, `Conflict` and
    `NotPermitted`.
    """
    if run.state not in FINAL:
        raise Conflict(
            f"{run.selector} has not ended: it is {run.state}", mend="wait_for_flow_run waits for it"
        )
    parent = None if asker is None else tx.runs.by_key(asker)
    if parent is not None and run.parent != parent.id:
        raise NotPermitted(
            f"{run.selector} was not asked for by this run",
            mend="what a run may read are results of runs that it created itself",
        )
    index = body.get("index")
    found = _tasks(tx.tasks.tasks(run.key), str(body["task"]), index)
    kept = {one.call: one for one in tx.results.of_tasks(run.key)}
    results = [_result(run, one, kept) for one in found]
    if parent is not None and any(one.kind is ResultKind.PICKLE for one in results):
        _require_one_user(tx, run, parent)
    if sum(len(one.content) for one in results) > _MOST_BYTES:
        raise Conflict(
            f"{body['task']} of {run.selector} came to more than {_MOST_BYTES:,} bytes",
            mend="ask by map_index",
        )
    is_map = index is None and found[0].map_index is not None
    return {"run": str(run.id), "is_map": is_map, "values": [_told(one) for one in results]}


def _tasks(known: Sequence[TaskRun], name: str, index: Any) -> list[TaskRun]:
    """The task run of this name, those of a map; `name-2` is the second of several, as Prefect 1 calls it."""
    found = [one for one in known if one.name == name]
    copy = _COPY.fullmatch(name)
    if not found and copy is not None:
        found = [one for one in known if one.name == copy[1]]
        if not any(one.map_index is not None for one in found):
            found = found[int(copy[2]) - 1 : int(copy[2])] if int(copy[2]) else []
    if index is not None:
        found = [one for one in found if one.map_index == index]
    if not found:
        raise NotFound(
            "task", name if index is None else f"{name}[{index}]", near=sorted({one.name for one in known})
        )
    if len(found) > 1 and any(one.map_index is None for one in found):
        raise Conflict(
            f"there are {len(found)} tasks {name!r}", mend=f"name one as {name}-1, {name}-2 and so on"
        )
    return sorted(found, key=lambda one: one.map_index or 0)


def _result(run: Run, task: TaskRun, kept: Mapping[str, Result]) -> Result:
    if task.state is TaskState.SKIPPED:
        return _NOTHING
    if task.state not in _WITH_VALUE:
        why = f": {task.failure.type}: {task.failure.message}" if task.failure else ""
        raise Conflict(f"task {task.name} of {run.selector} is {task.state}{why}")
    if task.call is None or task.call not in kept:
        raise NotFound(
            "result", f"{task.name} of {run.selector}", mend="its value was not kept (`max_result`)"
        )
    return kept[task.call]


def _require_one_user(tx: Transaction, run: Run, parent: Run) -> None:
    """Reading a pickle can do anything: one user's run reads none of another's."""
    users = {tx.flows.get(one.flow).definition.surroundings.user for one in (run, parent)}
    if len(users) > 1:
        raise NotPermitted(
            f"what {run.selector} came to is a pickle, and its run is another user's",
            mend="return what JSON knows: numbers, texts, lists, objects",
        )


def _told(result: Result) -> dict[str, str]:
    kind = "json" if result.kind is not ResultKind.PICKLE else "pickle"
    return {"kind": kind, "content": b64encode(result.content).decode(), "file": result.file}
