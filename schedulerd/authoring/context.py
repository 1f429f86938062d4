"""Where the present code stands: drawing a graph, within a flow run, within a task run, or outside everything."""

from __future__ import annotations

from contextvars import ContextVar
from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from contextvars import Token
    from datetime import datetime
    from typing import Any, Final, Protocol

    from schedulerd.authoring.flows import AnyFlow
    from schedulerd.authoring.futures import Future
    from schedulerd.authoring.graphs import Flow
    from schedulerd.authoring.known import Known
    from schedulerd.authoring.recording import Ended, Recorder
    from schedulerd.authoring.runners import TaskRunner
    from schedulerd.authoring.running import TaskRun
    from schedulerd.authoring.workers import Workers

    class Witness(Protocol):
        """Who is told of the runs in plain Python, each from its context to its end."""

        def context(self, flow: AnyFlow) -> FlowContext:
            """The context in which a run of the flow is to take place."""
            ...

        def ended(self, context: FlowContext, state: Ended, value: Any) -> None:
            """That run came to this state, and gave this value."""
            ...

        def cut_short(self, context: FlowContext, error: BaseException) -> None:
            """That run was ended by what ends more than a flow: a cancellation, an exit."""
            ...


def wait(seconds: float) -> None:
    """Wait that long; a signal's handler may raise out of it."""
    from threading import Event  # late: only a task that is tried again needs it

    Event().wait(seconds)


WITHIN = 1_000_000


class Facts:
    """What is known of a flow run from outside: under the daemon from its request, in plain Python what is made up here.

    `attempt` counts from 1; `due_at` is when it was due; `schedule` is the name of the schedule that made it, if one did.
    `hooks_after` are the final states, as they are recorded, whose hooks the daemon has called after the run's process.
    `parent_id` is the run whose code asked for it, `root_id` the first above it; of a child run within the same process
    both are found by `around`, the facts of its parent.
    """

    __slots__ = (
        *("_around", "_id", "_root_id", "_parent_id", "attempt", "due_at", "hooks_after", "is_by_daemon"),
        *("name", "schedule"),
    )

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002  Prefect's name
        name: str = "",
        attempt: int = 1,
        due_at: datetime | None = None,
        schedule: str | None = None,
        hooks_after: Collection[str] = (),
        parent_id: str | None = None,
        root_id: str | None = None,
        around: Facts | None = None,
    ) -> None:
        self._id = id
        self._parent_id = parent_id
        self._root_id = root_id
        self._around = around
        self.name = name
        self.attempt = attempt
        self.due_at = due_at
        self.schedule = schedule
        self.hooks_after = hooks_after
        self.is_by_daemon = id is not None

    @property
    def id(self) -> str:
        """The run's id, a UUID; in plain Python one of its own."""
        if self._id is None:
            from os import urandom

            from schedulerd.clock import microseconds, moment
            from schedulerd.domain.ids import RANDOM_BITS, uuid7  # late: seldom asked for

            entropy = int.from_bytes(urandom(10)) >> (80 - RANDOM_BITS)
            self._id = str(uuid7(moment(microseconds()), entropy=entropy))
        return self._id

    @property
    def parent_id(self) -> str | None:
        """The id of the run whose code asked for it."""
        return self._parent_id if self._around is None else self._around.id

    @property
    def root_id(self) -> str:
        """The id of the first run above it; its own where there is none."""
        return self._root_id or self.id if self._around is None else self._around.root_id


class FlowContext:
    """A flow run under way: its name, where it is recorded, its clock, and the numbers of its task runs.

    `now` gives microseconds since 1970; `pause` waits between the attempts of a task. `culprit` is the last exception
    that ended a task, with the task's name, so that the flow's failure can name it too. `futures` are the tasks that
    were submitted, `runner` where they run, of `runner_kind` where that is not the flow's; `workers` are processes for
    tasks that ask for one of their own. `known` holds how tasks ended that are not to run again, by name and count.
    `within` is the number of the task run that stands for it, where it is a child run in the process of its parent;
    task runs of child runs have `numbers_within`, which those of another attempt of the same run do not have.
    """

    __slots__ = (
        *("culprit", "facts", "flow", "futures", "known", "log_prints", "name", "now", "numbers"),
        "numbers_within",
        *(
            "has_futures",
            "parameters",
            "pause",
            "recorder",
            "runner",
            "runner_kind",
            "started_at",
            "tags",
            "within",
            "witness",
            "workers",
        ),
    )

    def __init__(
        self,
        name: str,
        recorder: Recorder,
        *,
        now: Callable[[], int],
        pause: Callable[[float], None] = wait,
        facts: Facts | None = None,
    ) -> None:
        self.name = name
        self.recorder = recorder
        self.now = now
        self.pause = pause
        self.facts = Facts() if facts is None else facts
        self.numbers: Iterator[int] = count(1)
        self.numbers_within: Iterator[int] = count(self.facts.attempt * WITHIN + 1)
        self.culprit: tuple[BaseException | None, str] = (None, "")
        self.flow: AnyFlow | None = None
        self.parameters: Mapping[str, Any] = {}
        self.tags: tuple[str, ...] = ()
        self.log_prints = False
        self.within: int | None = None
        self.started_at = 0
        self.futures: set[Future] = set()
        self.has_futures = False
        self.runner: TaskRunner | None = None
        self.runner_kind: TaskRunner | None = None
        self.workers: Workers | None = None
        self.known: Known | None = None
        self.witness: Witness | None = None

    def nested(self, name: str) -> FlowContext:
        """A flow that runs within this one, in the same process: recorded in the same place."""
        facts = Facts(around=self.facts)
        inner = FlowContext(name, self.recorder, now=self.now, pause=self.pause, facts=facts)
        inner.numbers = inner.numbers_within = self.numbers_within
        inner.log_prints = self.log_prints
        inner.tags = self.tags
        return inner

    def log(self, level: int, message: str) -> None:
        """Record a line of schedulerd's own about this run."""
        task = task_run.get()
        number = None if task is None else task.number
        self.recorder.log(
            level, "schedulerd.run", message, self.now(), task=number, within=self.within, stream="system"
        )

    def shown(self, value: Any) -> str | None:
        """What people are shown of a value, where they are shown any, and there is one."""
        if value is None or not self.recorder.previews:
            return None
        from schedulerd.authoring.previews import preview  # late: loads json

        return preview(value)

    def task_of(self, error: BaseException) -> str | None:
        """The task that this exception came out of, if it came out of one."""
        culprit, name = self.culprit
        return name if culprit is error else None

    def let_go(self) -> None:
        """Wait for the tasks that were submitted and that nobody waited for; there will be no more."""
        while self.futures:
            for future in tuple(self.futures):
                future.wait()
                self.futures.discard(future)
        self.break_off()

    def break_off(self) -> None:
        """End what tasks run in, whether or not any go on."""
        if self.runner is not None:
            self.runner.end()
            self.runner = None
        if self.workers is not None:
            self.workers.end()
            self.workers = None


def step_into(context: FlowContext) -> tuple[Token[FlowContext | None], Token[TaskRun | None]]:
    """From here on the present code is that of this flow run, and of no task, even where one called the flow."""
    return flow_run.set(context), task_run.set(None)


def step_out(tokens: tuple[Token[FlowContext | None], Token[TaskRun | None]]) -> None:
    """The present code is again what it was."""
    of_flow, of_task = tokens
    flow_run.reset(of_flow)
    task_run.reset(of_task)


drawing: Final[ContextVar[Flow | None]] = ContextVar("drawing", default=None)
flow_run: Final[ContextVar[FlowContext | None]] = ContextVar("flow_run", default=None)
task_run: Final[ContextVar[TaskRun | None]] = ContextVar("task_run", default=None)
witnesses: Final[list[Witness]] = []  # of the whole process; the last one is told
