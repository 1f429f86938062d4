"""How a task or flow of the graph style ended: the states of Prefect 1, as classes."""

from __future__ import annotations

from schedulerd.authoring.nodes import Node
from schedulerd.authoring.tasks import Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from schedulerd.authoring.running import TaskOutcome
    from schedulerd.domain.failures import Failure


class State:
    """A state with its message and result.

    `result` is what a task returned, or the exception that it raised; for a flow, the states by task:
    `state.result[task].result`.
    """

    word: ClassVar[str] = "pending"

    def __init__(
        self,
        message: str | None = None,
        result: Any = None,
        *,
        failure: Failure | None = None,
        **more: Any,
    ) -> None:
        self.message = message or ""
        self.result = result
        self.failure = failure
        self.context = more.get("context") or {}

    def __repr__(self) -> str:
        return f'<{type(self).__name__}: "{self.message}">'

    @property
    def name(self) -> str:
        """The word by which it is recorded."""
        return self.word

    def is_pending(self) -> bool:
        """Does it wait for its turn?"""
        return isinstance(self, Pending)

    def is_scheduled(self) -> bool:
        """Does it wait for its time?"""
        return isinstance(self, Scheduled)

    def is_retrying(self) -> bool:
        """Does it wait for another attempt?"""
        return isinstance(self, Retrying)

    def is_running(self) -> bool:
        """Does it run?"""
        return isinstance(self, Running)

    def is_finished(self) -> bool:
        """Has it ended?"""
        return isinstance(self, Finished)

    def is_successful(self) -> bool:
        """Did it succeed? What was skipped did."""
        return isinstance(self, Success)

    is_completed = is_successful

    def is_skipped(self) -> bool:
        """Was it left out?"""
        return isinstance(self, Skipped)

    def is_cached(self) -> bool:
        """Was its value known from before?"""
        return isinstance(self, Cached)

    def is_mapped(self) -> bool:
        """Does it stand for the tasks of a `.map()`?"""
        return isinstance(self, Mapped)

    def is_looped(self) -> bool:
        """Does it go round once more?"""
        return isinstance(self, Looped)

    def is_failed(self) -> bool:
        """Did it fail, itself or because something before it did?"""
        return isinstance(self, Failed)


class Pending(State):
    """It waits for its turn."""


class Scheduled(Pending):
    """It waits for its time, `start_time`."""

    word = "scheduled"

    def __init__(
        self, message: str | None = None, result: Any = None, start_time: Any = None, **more: Any
    ) -> None:
        super().__init__(message, result, **more)
        self.start_time = start_time


class Retrying(Scheduled):
    """It waits for another attempt."""

    word = "retrying"

    def __init__(
        self,
        message: str | None = None,
        result: Any = None,
        start_time: Any = None,
        run_count: int | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message, result, start_time, **more)
        self.run_count = run_count


class Paused(Scheduled):
    """It waits for a person."""

    word = "paused"


class Running(State):
    """It runs."""

    word = "running"


class Finished(State):
    """It has ended."""


class Success(Finished):
    """It completed."""

    word = "completed"


class Cached(Success):
    """Its value was known from before."""

    word = "cached"


class Mapped(Success):
    """All tasks of a `.map()` were made; `map_states` are theirs."""

    def __init__(
        self, message: str | None = None, result: Any = None, map_states: Any = None, **more: Any
    ) -> None:
        super().__init__(message, result, **more)
        self.map_states = list(map_states or [])


class Skipped(Success):
    """It was left out: what comes after it is, too, unless it says otherwise."""

    word = "skipped"


class Looped(Finished):
    """It goes round once more."""

    word = "running"

    def __init__(
        self, message: str | None = None, result: Any = None, loop_count: int = 1, **more: Any
    ) -> None:
        super().__init__(message, result, **more)
        self.loop_count = loop_count


class Failed(Finished):
    """It failed."""

    word = "failed"


class TimedOut(Failed):
    """It did not end within its limit."""

    word = "timed_out"


class TriggerFailed(Failed):
    """It did not run, since what came before it did not end as its trigger asks."""

    word = "upstream_failed"


class ValidationFailed(Failed):
    """What it was given, or returned, is not valid."""


class Cancelled(Finished):
    """It was cancelled."""

    word = "cancelled"


_BY_WORD = {
    kind.word: kind for kind in (Success, Cached, Skipped, Failed, TimedOut, TriggerFailed, Cancelled)
}


def state_of(outcome: TaskOutcome) -> State:
    """The state of a task run that ended like this."""
    result = outcome.value if outcome.is_successful else outcome.error
    message = outcome.message
    if not message and outcome.error is not None:
        message = f"{type(outcome.error).__name__}: {outcome.error}"
    return _BY_WORD.get(outcome.state, Failed)(message, result, failure=outcome.failure)


class States(dict[object, State]):
    """The states of a flow's nodes and parameters. A task that was drawn once stands for its node."""

    def __missing__(self, key: object) -> State:
        nodes = [node for node in self if isinstance(node, Node) and node.task is key]
        if len(nodes) == 1:
            return self[nodes[0]]
        if isinstance(key, Task) and nodes:
            raise KeyError(
                f"{key.name} stands {len(nodes)} times in this flow: use what each call of it returned"
            )
        raise KeyError(key)
