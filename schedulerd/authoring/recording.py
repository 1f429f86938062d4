"""What a run tells: its task states, log lines and results, one call a record."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from schedulerd.authoring.context import flow_run, task_run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from schedulerd.authoring.keeping import Keeper, Kept
    from schedulerd.authoring.records import FlowRecord, TaskRecord
    from schedulerd.domain.failures import Failure


class Ended(Protocol):
    """A state of either style, as it is recorded: by its `word`, a value of `TaskState`."""

    failure: Failure | None

    @property
    def word(self) -> str:
        """The word by which it is recorded."""
        ...

    @property
    def message(self) -> str | None:
        """What there is to say of it."""
        ...


class Recorder(Protocol):
    """Where a run is recorded: the journal of a run under the daemon, or the console.

    `previews` tells whether previews of results are wanted, for they cost more than the rest of a small task. Values are
    kept by `keeper`, where there is one.
    """

    previews: bool
    keeper: Keeper | None

    def task(self, record: TaskRecord) -> None:
        """A task run is in a state."""
        ...

    def flow(self, record: FlowRecord) -> None:
        """A flow that was called within the run is in a state."""
        ...

    def log(
        self,
        level: int,
        logger: str,
        message: str,
        at: int,
        *,
        task: int | None = None,
        within: int | None = None,
        stream: str = "logging",
    ) -> None:
        """A line was logged, by the task run of that number or by a flow: that of the run, or one `within` it."""
        ...

    def result(self, preview: str, at: int, *, task: int | None = None, kept: Kept | None = None) -> None:
        """The flow run, or the task run of that number, returned this."""
        ...

    def tell(self, kind: str, summary: str, at: int, said: Mapping[str, Any]) -> None:
        """The run tells something beside its log: a record of that kind, in a journal; its summary, on a console."""
        ...


class RecordHandler(logging.Handler):
    """Hands Python's log records to a recorder, each with the number of the task run that logged it.

    Made before there is a recorder it waits for one, and records nothing.
    """

    def __init__(self, recorder: Recorder | None = None) -> None:
        super().__init__()
        self.recorder = recorder

    def emit(self, record: logging.LogRecord) -> None:
        """Record the line; what cannot be formatted is reported on stderr, as logging does, and never raised."""
        if self.recorder is None:
            return
        try:
            task, flow = task_run.get(), flow_run.get()
            self.recorder.log(
                record.levelno,
                record.name,
                self.format(record),
                int(record.created * 1_000_000),
                task=None if task is None else task.number,
                within=None if flow is None else flow.within,
            )
        except Exception:  # border: a bad log call must not end the run; handleError prints its traceback
            self.handleError(record)
