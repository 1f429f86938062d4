"""A task run within a flow run, and its attempts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from schedulerd.domain.failures import Failure
from schedulerd.domain.results import ResultKind
from schedulerd.domain.states import TaskState


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskAttempt:
    """What is known of when an attempt of a task run began and ended; `number` is the task run's."""

    number: int
    attempt: int
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskRun:
    """What is known of one task run; `number` counts the task runs of its flow run from 1.

    `call` tells this call of the task from others of the run, where the value that it came to is `kept`. While it is taken
    in, `within` is the task run that stands for the child run in which it runs. Of one that was tried again `attempts` are
    known, each from its beginning to its end, as far as it has ended.
    """

    number: int
    name: str
    state: TaskState
    attempt: int = 1
    map_index: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    upstream: tuple[int, ...] = ()
    message: str = ""
    failure: Failure | None = None
    result_preview: str | None = None
    call: str | None = None
    kept: ResultKind | None = None
    within: int | None = None
    attempts: tuple[TaskAttempt, ...] = ()


def whole_attempts(task: TaskRun, told: Iterable[TaskAttempt]) -> tuple[TaskAttempt, ...]:
    """The attempts of a task run by what was told of its own; none where it was not tried again, or not all is known.

    In another attempt of its run a task begins anew: an end before the beginning is one of an earlier time.
    """
    if task.attempt == 1 and task.state is not TaskState.RETRYING:
        return ()
    known = {one.attempt: one for one in told}
    found = [_whole(task, known.get(attempt), attempt) for attempt in range(1, task.attempt + 1)]
    is_known = all(one.started_at for one in found) and all(one.ended_at for one in found[:-1])
    return tuple(found) if is_known and known else ()


def _whole(task: TaskRun, told: TaskAttempt | None, attempt: int) -> TaskAttempt:
    started_at = task.started_at if attempt == 1 else told.started_at if told else None
    ended_at = told.ended_at if told else None
    if started_at is not None and ended_at is not None and ended_at < started_at:
        ended_at = None
    if ended_at is None and attempt == task.attempt:
        ended_at = task.ended_at
    return TaskAttempt(number=task.number, attempt=attempt, started_at=started_at, ended_at=ended_at)
