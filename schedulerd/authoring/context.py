"""Where the present code stands: drawing a graph, within a flow run, within a task run, or outside everything."""

from __future__ import annotations

from contextvars import ContextVar
from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from schedulerd.authoring.graphs import Flow
    from schedulerd.authoring.recording import Recorder
    from schedulerd.authoring.running import TaskRun


def wait(seconds: float) -> None:
    """Wait that long; a signal's handler may raise out of it."""
    from threading import Event  # late: only a task that is tried again needs it

    Event().wait(seconds)


class FlowContext:
    """A flow run under way: its name, where it is recorded, its clock, and the numbers of its task runs.

    `now` gives microseconds since 1970; `pause` waits between the attempts of a task. `culprit` is the last exception
    that ended a task, with the task's name, so that the flow's failure can name it too.
    """

    __slots__ = ("culprit", "name", "now", "numbers", "pause", "recorder")

    def __init__(
        self, name: str, recorder: Recorder, *, now: Callable[[], int], pause: Callable[[float], None] = wait
    ) -> None:
        self.name = name
        self.recorder = recorder
        self.now = now
        self.pause = pause
        self.numbers = count(1)
        self.culprit: tuple[BaseException | None, str] = (None, "")

    def nested(self, name: str) -> FlowContext:
        """A flow that runs inline within this one: recorded in the same place, numbered on."""
        inner = FlowContext(name, self.recorder, now=self.now, pause=self.pause)
        inner.numbers = self.numbers
        return inner

    def log(self, level: int, message: str) -> None:
        """Record a line of schedulerd's own about this run."""
        task = task_run.get()
        number = None if task is None else task.number
        self.recorder.log(level, "schedulerd.run", message, self.now(), task=number, stream="system")

    def task_of(self, error: BaseException) -> str | None:
        """The task that this exception came out of, if it came out of one."""
        culprit, name = self.culprit
        return name if culprit is error else None


drawing: Final[ContextVar[Flow | None]] = ContextVar("drawing", default=None)
flow_run: Final[ContextVar[FlowContext | None]] = ContextVar("flow_run", default=None)
task_run: Final[ContextVar[TaskRun | None]] = ContextVar("task_run", default=None)
