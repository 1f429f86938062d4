"""A task run of the graph style: what its signals, state handlers and kept results make of its attempts."""

from __future__ import annotations

from schedulerd.authoring.graph_states import (
    Cached,
    Failed,
    Looped,
    Paused,
    Retrying,
    Running,
    State,
    Success,
    state_of,
)
from schedulerd.authoring.graph_states import Pending as Waiting
from schedulerd.authoring.outcomes import TaskOutcome
from schedulerd.authoring.signals import ENDRUN, FAIL, Signal
from schedulerd.authoring.task_runs import TaskRun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from schedulerd.authoring.graphs import Flow
    from schedulerd.authoring.tasks import Task

A_SECOND = 1_000_000


class GraphTaskRun(TaskRun):
    """A task run of a graph: `ended` is its state, once it has one that its outcome does not tell.

    `is_looping`: the next attempt is to follow at once; `loop_result` is what the last one gave on. `paused`: the next
    attempt waits for somebody's approval; `is_resumed`: that was given.
    """

    __slots__ = ("_now", "ended", "is_looping", "is_resumed", "loop_count", "loop_result", "paused", "pauses")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ended: State | None = None
        self.is_looping = False
        self.loop_count = 1
        self.loop_result: Any = None
        self.paused: Paused | None = None
        self.pauses = 0
        self.is_resumed = False
        self._now: State = Waiting()

    def state(self, outcome: TaskOutcome) -> State:
        """Its state, ended as `outcome` says."""
        return state_of(outcome) if self.ended is None else self.ended

    def carry_out(self) -> TaskOutcome | None:
        """Attempt it, and again for as long as it loops: the outcome, or None when it is to be tried again later."""
        while (outcome := self.attempt_once()) is None and self.is_looping:
            pass
        return outcome

    def _begin(self) -> TaskOutcome | None:
        is_first = self.attempt == 0 and not self.is_looping
        self.is_looping = False
        task = self.task
        if is_first and task.target is not None and task.checkpoint and (found := self._kept()) is not None:
            return self._end_in(found)
        if (found_before := super()._begin()) is not None:
            return found_before
        if task.state_handlers:
            asked = self._through_handlers(Running("starting"))
            if asked.is_finished():
                return self._end_in(asked)
        return None

    def _returned(self, value: Any) -> TaskOutcome | None:
        task = self.task
        if task.state_handlers:
            success = Success(result=value)
            asked = self._through_handlers(success)
            if asked is not success:
                return self._end_in(asked)
        if task.checkpoint and (task.target is not None or task.result is not None):
            try:
                self._keep(value)
            except Exception as error:  # border: serializers and names are the user's, and disks are full
                return self._failed(error)
        return super()._returned(value)

    def _failed(self, error: Exception) -> TaskOutcome | None:
        if isinstance(error, Signal):
            return self._signalled(error)
        return self._failed_in(Failed(str(error), error), error)

    # -- signals ------------------------------------------------------------------------------------------------

    def _signalled(self, signal: Signal) -> TaskOutcome | None:
        state = signal.state
        if isinstance(state, Looped):
            self._loop(state)
            return None
        if isinstance(state, Paused):
            return self._pause(state)
        if isinstance(state, Retrying):
            return self._try_again(state)
        if isinstance(signal, FAIL) and not isinstance(signal, ENDRUN):
            return self._failed_in(state, signal)
        return self._end_in(self._through_handlers(state), error=signal)

    def _loop(self, state: Looped) -> None:
        self.loop_result = state.result
        self.loop_count += 1
        self.attempt = 0
        self.is_looping = True

    def _pause(self, state: Paused) -> TaskOutcome | None:
        asked = self._through_handlers(state)
        if asked is not state:
            return self._end_in(asked)
        self.attempt -= 1  # what is paused has not failed: its retries are left to it
        self.pause_in(state)
        return None

    def pause_in(self, state: Paused) -> None:
        """Its next attempt waits for somebody's approval."""
        self.paused = state
        self.pauses += 1
        self._record("pending", message=f"waits for approval: {state.message or self.name}")

    def seconds_paused(self) -> float | None:
        """How long it waits for somebody at most; None for as long as it takes."""
        start_time = None if self.paused is None else self.paused.start_time
        return (
            None if start_time is None else max(0.001, start_time.timestamp() - self.context.now() / A_SECOND)
        )

    def resume(self) -> None:
        """Somebody approved."""
        self.paused, self.is_resumed = None, True

    def refuse(self, error: Exception) -> TaskOutcome:
        """It is not to go on, or nobody could be asked: it ends, and is not tried again."""
        self.paused = None
        return self._end_in(
            self._through_handlers(Failed(f"{type(error).__name__}: {error}", error)), error=error
        )

    def _try_again(self, state: Retrying) -> TaskOutcome | None:
        asked = self._through_handlers(state)
        if asked is not state:
            return self._end_in(asked)
        now = self.context.now()
        start_time = state.start_time
        self.pause = 0.0 if start_time is None else max(0.0, start_time.timestamp() - now / A_SECOND)
        text = f"retry in {self.pause:g} s" + (f": {state.message}" if state.message else "")
        self._record("retrying", message=text)
        return None

    def _failed_in(self, state: State, error: Exception) -> TaskOutcome | None:
        """It failed: there is another attempt where it has retries, unless a handler makes something else of it."""
        limit = self.task.retries_given.limit
        if self.task.state_handlers:
            new = Retrying(state.message, error) if self.attempt <= limit else state
            asked = self._through_handlers(new)
            if asked is not new:
                return self._end_in(asked, error=error)
        outcome = super()._failed(error)
        if outcome is not None and (isinstance(error, Signal) or state.result is not error):
            state.failure = outcome.failure
            self.ended = state
        return outcome

    def _end_in(self, state: State, *, error: Exception | None = None) -> TaskOutcome:
        """It ends in this state, which the task, or a handler, made."""
        if not state.is_finished():
            state = Failed(f"a task cannot end in the state {type(state).__name__}", error)
        is_bad = not state.is_successful()
        cause = state.result if isinstance(state.result, BaseException) else error
        if is_bad:
            self.context.culprit = (cause, self.name)
            state.failure = state.failure or (None if cause is None else self._failure(cause))
        self._tell_hooks(state, cause)
        if type(state) is Success or type(state) is Cached:
            self._complete(state.word, state.result, message=state.message)
        else:
            self._record(state.word, message=state.message, failure=state.failure)
        self.ended = state
        return TaskOutcome(
            self.number,
            state.word,
            attempts=self.attempt,
            value=None if is_bad else state.result,
            error=cause if is_bad else None,
            failure=state.failure,
            message=state.message,
        )

    def _tell_hooks(self, state: State, cause: BaseException | None) -> None:
        if self.task.hooks is None:
            return
        if isinstance(state, Failed):
            self._call_hooks("failed", data=cause, failure=state.failure)
        elif type(state) is Success:
            self._call_hooks("completed", data=state.result)

    # -- handlers -----------------------------------------------------------------------------------------------

    def _through_handlers(self, new: State) -> State:
        self._now, new = new, through_handlers(self.task, self._now, new)
        self._now = new
        return new

    # -- results ------------------------------------------------------------------------------------------------

    def _kept(self) -> State | None:
        from schedulerd.authoring.kept_results import kept_value  # late: few tasks keep results by name

        try:
            return kept_value(self)
        except Exception as error:  # border: a file that is damaged, or a name that cannot be made
            return Failed(f"its kept result cannot be read: {error}", error)

    def _keep(self, value: Any) -> None:
        from schedulerd.authoring.kept_results import keep_value

        keep_value(self, value)


def through_handlers(subject: Task | Flow, old: State, new: State) -> State:
    """What the state handlers of a task or flow, in their order, make of going from `old` to `new`."""
    for handler in subject.state_handlers:
        try:
            made = handler(subject, old, new)
        except Signal as signal:
            made = signal.state
        except Exception as error:  # border: a handler of the user's; its error is the task's
            return Failed(f"a state handler raised {type(error).__name__}: {error}", error)
        if made is None:
            continue
        if not isinstance(made, State):
            return Failed(f"a state handler must return a state, not {made!r}")
        new = made
    return new
