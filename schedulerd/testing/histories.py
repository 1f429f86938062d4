"""What became of a run, as a test looks at it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schedulerd.authoring.serializing import deserialize
from schedulerd.domain.child_runs import AnyRun, ChildRun
from schedulerd.domain.failures import Failure
from schedulerd.domain.runs import Move
from schedulerd.errors import Conflict, NotFound
from schedulerd.operations.operations import Operations
from schedulerd.operations.reruns import Value
from schedulerd.operations.runs import LineFilter, RunDetails


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskHistory:
    """One task run. `state` and what is said of it are those of its last attempt; `attempt` counts from 1."""

    number: int
    name: str
    state: str
    attempt: int
    map_index: int | None
    message: str
    failure: Failure | None
    _value: Value | None = field(default=None, repr=False)

    @property
    def result(self) -> Any:
        """What the task returned; None where it returned nothing, or did not complete."""
        return _read(self._value)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunHistory:
    """A run, as the store remembers it.

    `name` is how people name it (`etl#1`), `state` what it came to (`completed`, `failed`, ...), `states` all that it went
    through; `log` are the messages of its log, `moves` the states with their times and reasons. `children` are the runs of
    flows that it called, or asked for; a child run within its process has no moves of its own.
    """

    name: str
    id: str
    flow: str
    state: str
    message: str
    parameters: Mapping[str, Any]
    attempt: int
    states: tuple[str, ...]
    moves: tuple[Move, ...] = field(repr=False)
    tasks: tuple[TaskHistory, ...]
    log: tuple[str, ...]
    failure: Failure | None
    children: tuple["RunHistory", ...] = ()
    _value: Value | None = field(default=None, repr=False)

    @property
    def result(self) -> Any:
        """What the flow returned; None where it returned nothing, or did not complete."""
        return _read(self._value)

    @property
    def is_completed(self) -> bool:
        """Did it end well?"""
        return self.state == "completed"

    def task(self, name: str, index: int | None = None) -> TaskHistory:
        """The task run of this name, of a mapped task that of one item. Raises `LookupError` unless there is one."""
        found = [one for one in self.tasks if one.name == name and index in (None, one.map_index)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(dict.fromkeys(one.name for one in self.tasks)) or "none"
        what = (
            f"{self.name} has {len(found)} task runs {name!r}"
            if found
            else f"{self.name} has no task {name!r}"
        )
        raise LookupError(f"{what}; its tasks are: {known}")


def _read(value: Value | None) -> Any:
    return None if value is None else deserialize("json" if value.is_json else "pickle", value.content)


def history_of(ask: Operations, selector: str) -> RunHistory:
    """The history of the run that is named, as it is now."""
    details = ask.runs.details(selector)
    run = details.run
    page = ask.runs.last_lines(run, LineFilter(), limit=None)
    return RunHistory(
        name=run.selector,
        id=str(run.id),
        flow=run.flow,
        state=run.state.value,
        message=run.reason,
        parameters=run.parameters,
        attempt=run.attempt,
        states=_states(details),
        moves=details.moves,
        tasks=tuple(
            TaskHistory(
                number=one.number,
                name=one.name,
                state=one.state.value,
                attempt=one.attempt,
                map_index=one.map_index,
                message=one.message,
                failure=one.failure,
                _value=_of_task(ask, run, one.call),
            )
            for one in details.tasks
        ),
        log=tuple(line.line.message for line in page.lines),
        failure=run.failure,
        children=tuple(history_of(ask, child.selector) for child in details.children),
        _value=_of_flow(ask, run.selector),
    )


def _states(details: RunDetails) -> tuple[str, ...]:
    if isinstance(details.run, ChildRun):
        return ("running", *([details.run.state.value] if details.run.ended_at is not None else []))
    return ("scheduled", *(move.to.value for move in details.moves))


def _of_flow(ask: Operations, selector: str) -> Value | None:
    try:
        return ask.reruns.result(selector)
    except (NotFound, Conflict):
        return None


def _of_task(ask: Operations, run: AnyRun, call: str | None) -> Value | None:
    try:
        return ask.reruns.of_call(run, call)
    except NotFound:
        return None
