"""How a task runs: the one place that knows attempts, recording and failures."""

from __future__ import annotations

from schedulerd.authoring.context import task_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.tasks import Task
    from schedulerd.domain.failures import Failure


class Cancelled(BaseException):
    """The run was asked to stop. Raised in the main thread, by a signal handler."""


class TaskOutcome:
    """How a task run ended: `value` where it completed, `error` and `failure` where it did not."""

    __slots__ = ("attempts", "error", "failure", "number", "state", "value")

    def __init__(
        self,
        number: int,
        state: str,
        *,
        attempts: int,
        value: Any = None,
        error: Exception | None = None,
        failure: Failure | None = None,
    ) -> None:
        self.number = number
        self.state = state
        self.attempts = attempts
        self.value = value
        self.error = error
        self.failure = failure


def run_task(
    task: Task,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    context: FlowContext,
    *,
    upstream: tuple[int, ...] = (),
) -> TaskOutcome:
    """Run a task to its end, with its retries, and record it.

    An `Exception` of the task is in the outcome. What is meant to end the whole run (a cancellation, `sys.exit`) is
    recorded and raised. An async task gets an event loop of its own.
    """
    run = TaskRun(task, context, upstream)
    token = task_run.set(run)
    try:
        while True:
            run.begin()
            try:
                value = task.run(*args, **kwargs)
                if task.is_async:
                    value = _in_a_loop(value)
            except Exception as error:
                if (outcome := run.failed(error)) is not None:
                    return outcome
                pause = run.pause()
            except BaseException as error:
                run.cut_short(error)
                raise
            else:
                return run.completed(value)
            run.rest(pause)
    finally:
        task_run.reset(token)


async def run_task_async(
    task: Task, args: tuple[Any, ...], kwargs: Mapping[str, Any], context: FlowContext
) -> TaskOutcome:
    """The same for an async task within an event loop, which goes on while the task waits."""
    from asyncio import sleep  # late: whoever awaits this has loaded it

    run = TaskRun(task, context, ())
    token = task_run.set(run)
    try:
        while True:
            run.begin()
            try:
                value = await task.run(*args, **kwargs)
            except Exception as error:
                if (outcome := run.failed(error)) is not None:
                    return outcome
                pause = run.pause()
            except BaseException as error:
                run.cut_short(error)
                raise
            else:
                return run.completed(value)
            try:
                await sleep(pause)
            except BaseException as error:
                run.cut_short(error)
                raise
    finally:
        task_run.reset(token)


class TaskRun:
    """A task run under way: decides whether there is another attempt, and records each state."""

    __slots__ = ("attempt", "context", "name", "number", "task", "upstream")

    def __init__(self, task: Task, context: FlowContext, upstream: tuple[int, ...]) -> None:
        self.task = task
        self.context = context
        self.upstream = upstream
        self.name = task.name
        self.number = next(context.numbers)
        self.attempt = 0

    def begin(self) -> None:
        """Start the next attempt."""
        self.attempt += 1
        self._record("running")

    def completed(self, value: Any) -> TaskOutcome:
        """The attempt returned."""
        self._record("completed", result=self._preview(value))
        return TaskOutcome(self.number, "completed", attempts=self.attempt, value=value)

    def failed(self, error: Exception) -> TaskOutcome | None:
        """The attempt raised: the outcome, or None when there is another attempt."""
        failure = self._failure(error)
        if self.attempt <= self.task.retries:
            text = f"retry {self.attempt} of {self.task.retries} in {self.pause():g} s"
            self._record("retrying", message=text, failure=failure)
            return None
        text = "" if self.attempt == 1 else f"failed {self.attempt} times"
        self._record("failed", message=text, failure=failure)
        self.context.culprit = (error, self.name)
        return TaskOutcome(self.number, "failed", attempts=self.attempt, error=error, failure=failure)

    def cut_short(self, error: BaseException) -> None:
        """The attempt was ended by something that ends the whole run."""
        if is_cancellation(error):
            self._record("cancelled")
            return
        self.context.culprit = (error, self.name)
        if isinstance(error, SystemExit):
            state = "completed" if is_clean_exit(error) else "failed"
            self._record(state, message=f"the task called {exit_call(error)}")
        else:
            self._record("failed", failure=self._failure(error))

    def pause(self) -> float:
        """Seconds to wait after the present attempt."""
        return self.task.delay_after(self.attempt)

    def rest(self, seconds: float) -> None:
        """Wait before the next attempt."""
        try:
            self.context.pause(seconds)
        except BaseException as error:
            self.cut_short(error)
            raise

    def _record(
        self, state: str, *, message: str = "", failure: Failure | None = None, result: str | None = None
    ) -> None:
        context = self.context
        context.recorder.task(
            self.number,
            self.name,
            state,
            context.now(),
            attempt=self.attempt,
            upstream=self.upstream,
            message=message,
            failure=failure,
            result=result,
        )

    def _failure(self, error: BaseException) -> Failure:
        from schedulerd.authoring.failures import describe_failure  # late: loads dataclasses and traceback

        return describe_failure(error, task=self.name, called=self.task.fn)

    def _preview(self, value: Any) -> str | None:
        if value is None or not self.context.recorder.previews:
            return None
        from schedulerd.authoring.previews import preview  # late: loads json

        return preview(value)


def is_cancellation(error: BaseException) -> bool:
    """Was the run asked to stop, from outside or by Ctrl-C?"""
    if isinstance(error, Cancelled | KeyboardInterrupt):
        return True
    kind = type(error)  # by name: asyncio costs more to import than everything else here
    return kind.__name__ == "CancelledError" and kind.__module__ == "asyncio.exceptions"


def is_clean_exit(error: SystemExit) -> bool:
    """Would the interpreter end with status 0? A text, even an empty one, means 1."""
    return error.code is None or (isinstance(error.code, int) and error.code == 0)


def exit_call(error: SystemExit) -> str:
    """The call of `sys.exit` as the user may have written it, for messages."""
    from schedulerd.authoring.previews import readable  # late: seldom needed

    return f"sys.exit({0 if error.code is None else readable(error.code)})"


def _in_a_loop(coroutine: Any) -> Any:
    from asyncio import run  # late: only async tasks need it

    return run(coroutine)
