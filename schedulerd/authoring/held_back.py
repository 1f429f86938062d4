"""Tasks that do not run, since what they need did not complete."""

from __future__ import annotations

from schedulerd.authoring.outcomes import TaskOutcome
from schedulerd.authoring.records import TaskRecord
from schedulerd.authoring.refusals import TaskNotReady

TYPE_CHECKING = False
if TYPE_CHECKING:
    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.futures import Future
    from schedulerd.authoring.tasks import Task

_ENDED = {"timed_out": "timed out", "cancelled": "was cancelled"}


def hold_back(
    task: Task,
    context: FlowContext,
    *,
    cause: Future,
    upstream: tuple[int, ...] = (),
    map_index: int | None = None,
    number: int | None = None,
) -> TaskOutcome:
    """Record that a task cannot run, since `cause` did not complete. Whoever asks for its result is told of the first cause."""
    number = next(context.numbers) if number is None else number
    message = f"{cause.name} did not complete"
    record = TaskRecord(
        number,
        task.name,
        "upstream_failed",
        context.now(),
        within=context.within,
        map_index=map_index,
        upstream=upstream,
        message=message,
    )
    context.recorder.task(record)
    name = repr(task.name) if map_index is None else f"{task.name!r}[{map_index}]"
    error = _not_ready(name, cause)
    return TaskOutcome(number, "upstream_failed", attempts=0, error=error, message=message)


def _not_ready(task: str, cause: Future) -> TaskNotReady:
    ended = cause.outcome
    assert ended is not None  # it was waited for
    error = ended.error
    first = error.first if isinstance(error, TaskNotReady) else f"task {cause.name!r} {_how(ended)}"
    raised = TaskNotReady(f"task {task} did not run, as {first}", first=first)
    raised.__cause__ = error.__cause__ if isinstance(error, TaskNotReady) else error
    return raised


def _how(ended: TaskOutcome) -> str:
    failure, state = ended.failure, ended.as_state()
    word = _ENDED.get(state.word, state.word)
    said = f"{failure.type}: {failure.message}" if failure is not None else state.message
    return f"{word}: {said}" if said else word
