"""A task run within a flow run."""

from dataclasses import dataclass
from datetime import datetime

from schedulerd.domain.failures import Failure
from schedulerd.domain.results import ResultKind
from schedulerd.domain.states import TaskState


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskRun:
    """What is known of one task run; `number` counts the task runs of its flow run from 1.

    `call` tells this call of the task from others of the run, where the value that it came to is `kept`. While it is taken
    in, `within` is the task run that stands for the child run in which it runs.
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
