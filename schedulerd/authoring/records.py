"""What a run tells of its task runs, and of the flows that are called within it, as values."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from schedulerd.authoring.keeping import Kept
    from schedulerd.domain.failures import Failure


class TaskRecord:
    """That a task run is in a state: what is left out has its usual value. The later record of a task run replaces the earlier.

    `at` is in microseconds since 1970; `state` a value of `TaskState`; `number` counts the task runs of the process from
    1. `within` is the number of the task run that stands for the child run in which it runs; None: in the run itself.
    `began_at` is given to one that completed in an earlier attempt, with the time at which it ended there as `at`.
    `kept` is what a keeper made of its value, and `call` tells the call of the task from others of the run.
    """

    __slots__ = (
        "at",
        "attempt",
        "began_at",
        "call",
        "failure",
        "kept",
        "map_index",
        "message",
        "name",
        "number",
        "result",
        "state",
        "upstream",
        "within",
    )

    def __init__(
        self,
        number: int,
        name: str,
        state: str,
        at: int,
        *,
        began_at: int | None = None,
        within: int | None = None,
        attempt: int = 1,
        map_index: int | None = None,
        upstream: tuple[int, ...] = (),
        message: str = "",
        failure: Failure | None = None,
        result: str | None = None,
        call: str | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.number = number
        self.name = name
        self.state = state
        self.at = at
        self.began_at = began_at
        self.within = within
        self.attempt = attempt
        self.map_index = map_index
        self.upstream = upstream
        self.message = message
        self.failure = failure
        self.result = result
        self.call = call
        self.kept = kept


class FlowRecord:
    """That a child run, of a flow called within another, is in a state: that of the task run which stands for it.

    Without an `id` it is the one that made this call in an earlier attempt, and completed.
    """

    __slots__ = ("flow", "id", "parameters", "tags", "task")

    def __init__(
        self,
        task: TaskRecord,
        *,
        id: str | None,  # noqa: A002  Prefect's name
        flow: str,
        parameters: Mapping[str, Any] | None = None,
        tags: tuple[str, ...] = (),
    ) -> None:
        self.task = task
        self.id = id
        self.flow = flow
        self.parameters = parameters or {}
        self.tags = tags
