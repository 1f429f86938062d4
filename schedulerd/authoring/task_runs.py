"""A task run under way: its attempts, its time limit, the cache, and what is recorded of it."""

from __future__ import annotations

from schedulerd.authoring.outcomes import TaskOutcome, exit_call, is_cancellation, is_clean_exit
from schedulerd.authoring.records import TaskRecord
from schedulerd.authoring.task_values import TaskTimedOut, in_own_process, value_of, value_of_async

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.keeping import Kept
    from schedulerd.authoring.known import Earlier
    from schedulerd.authoring.states import State
    from schedulerd.authoring.tasks import Task
    from schedulerd.domain.failures import Failure


class TaskRun:
    """A task run under way: carries out its attempts, decides whether there is another, and records each state.

    `number` is given to one that has its number already, `index` to one that is the how-manieth call of its task for
    sure. `abandon` is called with the outcome when the task, in a thread, goes on though its time is over. `elsewhere`
    calls the task in another process, where it is to run in one; `told` is what came from there of an exception.
    """

    __slots__ = (
        *("args", "attempt", "context", "kwargs", "map_index", "name", "number", "pause", "started_at"),
        *(
            "_call",
            "_index",
            "_is_given_up",
            "_key",
            "abandon",
            "elsewhere",
            "tags",
            "task",
            "told",
            "upstream",
        ),
    )

    def __init__(
        self,
        task: Task,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        context: FlowContext,
        *,
        upstream: tuple[int, ...] = (),
        map_index: int | None = None,
        number: int | None = None,
        index: int | None = None,
        abandon: Callable[[TaskOutcome], None] | None = None,
    ) -> None:
        self.task = task
        self.args = args
        self.kwargs = kwargs
        self.context = context
        self.upstream = upstream
        self.map_index = map_index
        self.number = next(context.numbers) if number is None else number
        self.name = task.name if task.run_name is None else _named(task, args, kwargs)
        self.tags = task.tags
        self.attempt = 0
        self.pause = 0.0
        self.started_at = 0
        self.abandon = abandon
        self.elsewhere: Callable[[TaskRun], Any] | None = in_own_process if task.own_process else None
        self.told: tuple[BaseException, Failure] | None = None
        self._key: str | None = None
        self._is_given_up = False
        self._call: str | None = None
        known = context.known
        self._index = index if known is None or index is not None else known.next_index(task.name)

    # -- attempts -----------------------------------------------------------------------------------------------

    def attempt_once(self) -> TaskOutcome | None:
        """Carry out one attempt: the outcome, or None when there is to be another after `pause` seconds."""
        if (outcome := self._begin()) is not None:
            return outcome
        try:
            value = value_of(self)
        except Exception as error:
            return self._failed(error)
        except BaseException as error:
            self.cut_short(error)
            raise
        return self._returned(value)

    async def attempt_once_async(self) -> TaskOutcome | None:
        """The same for an async task within an event loop."""
        if (outcome := self._begin()) is not None:
            return outcome
        try:
            value = await value_of_async(self)
        except Exception as error:
            return self._failed(error)
        except BaseException as error:
            self.cut_short(error)
            raise
        return self._returned(value)

    def rest(self) -> None:
        """Wait before the next attempt."""
        try:
            self.context.pause(self.pause)
        except BaseException as error:
            self.cut_short(error)
            raise

    async def rest_async(self) -> None:
        """Wait before the next attempt, while the event loop goes on."""
        from asyncio import sleep

        try:
            await sleep(self.pause)
        except BaseException as error:
            self.cut_short(error)
            raise

    # -- what an attempt comes to -------------------------------------------------------------------------------

    def _begin(self) -> TaskOutcome | None:
        """Start the next attempt, unless the value is known from before."""
        self.attempt += 1
        if self.context.known is not None and self.attempt == 1 and (found := self._found()) is not None:
            return found
        if self.task.caching is not None and self.attempt == 1 and (found := self._cached()) is not None:
            return found
        at = self._record("running")
        if self.attempt == 1:
            self.started_at = at
        if self.task.hooks is not None:
            self._call_hooks("running")
        return None

    def _call_hooks(self, word: str, *, data: Any = None, failure: Failure | None = None) -> None:
        from schedulerd.authoring.states import State

        self._call_hooks_for(State.recorded(word, data=data, failure=failure))

    def _call_hooks_for(self, state: State) -> None:
        from schedulerd.authoring.run_contexts import TaskRunInfo

        assert self.task.hooks is not None
        self.task.hooks.call(self.task, TaskRunInfo(self), state, self.context)

    def _found(self) -> TaskOutcome | None:
        """What it came to in an earlier attempt of the flow run, where it completed."""
        known = self.context.known
        assert known is not None
        assert self._index is not None
        self._call = known.call(self.task.name, self._index, self.args, self.kwargs)
        earlier = known.found(self._call)
        if earlier is None:
            return None
        try:
            value = earlier.load()
        except Exception as error:  # a class that has changed since, or a file that is gone
            self.context.log(_WARNING, f"{self.name} runs again: what it came to cannot be read: {error!r}")
            return None
        self._complete("completed", value, message="completed in an earlier attempt", earlier=earlier)
        return TaskOutcome(self.number, "completed", attempts=0, value=value)

    def _cached(self) -> TaskOutcome | None:
        caching = self.task.caching
        assert caching is not None
        self._key = caching.key_of(self)
        found = caching.find(self._key, now=self.context.now())
        if found is None:
            return None
        value = found[0]
        self._complete("cached", value)
        return TaskOutcome(self.number, "cached", attempts=0, value=value)

    def _returned(self, value: Any) -> TaskOutcome | None:
        """The attempt returned: a value, or a state that the task made itself."""
        if type(value).__name__ in _MADE and (outcome := self._made(value)) is not None:
            return outcome
        if self.task.hooks is not None:
            self._call_hooks("completed", data=value)
        self._remember(value, ended_at=self._complete("completed", value))
        return TaskOutcome(self.number, "completed", attempts=self.attempt, value=value)

    def _remember(self, value: Any, *, ended_at: int) -> None:
        """It came to this value: keep it in the task's cache, and for another attempt of the flow in this process."""
        if self._key is not None and self.task.caching is not None:
            self.task.caching.keep(self._key, value, self)
        if self._call is not None and self.context.known is not None:
            self.context.known.keep(self._call, value, began_at=self.started_at, ended_at=ended_at)

    def _made(self, value: Any) -> TaskOutcome | None:
        from schedulerd.authoring.futures import Future
        from schedulerd.authoring.states import State

        if isinstance(value, Future):
            return self._returned(value.result())
        if not isinstance(value, State):
            return None
        word, message = value.word, value.message or ""
        if self.task.hooks is not None:
            self._call_hooks_for(value)
        error = None
        if value.is_completed():
            ended_at = self._complete(word, value.data, message=message)
            self._remember(value.data, ended_at=ended_at)
        else:
            error = value.result(raise_on_failure=False)
            self.context.culprit = (error, self.name)
            self._record(word, message=message, failure=value.failure)
        return TaskOutcome(
            self.number,
            word,
            attempts=self.attempt,
            value=value.data if value.is_completed() else None,
            error=error,
            failure=value.failure,
            message=message,
            made=value,
        )

    def _failed(self, error: Exception) -> TaskOutcome | None:
        """The attempt raised: the outcome, or None when there is another attempt."""
        failure = self._failure(error)
        retries = self.task.retries_given
        state = "timed_out" if type(error) is TaskTimedOut else "failed"
        if self.attempt <= retries.limit and self._may_retry(error, state, failure):
            self.pause = retries.pause_after(self.attempt)
            text = f"retry {self.attempt} of {retries.limit} in {self.pause:g} s"
            self._record("retrying", message=text, failure=failure)
            return None
        text = "" if self.attempt == 1 else f"failed {self.attempt} times"
        if self.task.hooks is not None:
            self._call_hooks(state, data=error, failure=failure)
        self._record(state, message=text, failure=failure)
        self.context.culprit = (error, self.name)
        return TaskOutcome(
            self.number, state, attempts=self.attempt, error=error, failure=failure, message=text
        )

    def _may_retry(self, error: Exception, state: str, failure: Failure) -> bool:
        condition = self.task.retries_given.condition
        if condition is None:
            return True
        from schedulerd.authoring.states import State

        try:
            return bool(condition(self.task, self, State.recorded(state, data=error, failure=failure)))
        except Exception as broken:
            self.context.log(
                _ERROR, f"retry_condition_fn of {self.name} raised {broken!r}: no further attempt"
            )
            return False

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

    def abandoned(self, error: BaseException) -> None:
        """The run ends while this goes on in a thread: record that, and nothing that it does from here on."""
        self.cut_short(error)
        self._is_given_up = True

    def give_up(self) -> None:
        """It does not end though its time is over: record that, and nothing that it does from here on."""
        assert self.abandon is not None
        message = "it goes on, and is no longer waited for"
        self._record("timed_out", message=message)
        self._is_given_up = True
        error = TaskTimedOut(self.task)
        self.abandon(
            TaskOutcome(self.number, "timed_out", attempts=self.attempt, error=error, message=message)
        )

    def _complete(self, state: str, value: Any, *, message: str = "", earlier: Earlier | None = None) -> int:
        """Record that it came to this value, now or earlier, and keep that where values are kept; when that was.

        A secret is neither shown nor kept.
        """
        if self.task.is_secret:
            return self._record(state, message=message, earlier=earlier)
        if self.context.recorder.keeper is None or self._call is None:
            return self._record(state, message=message, result=self.context.shown(value), earlier=earlier)
        from schedulerd.authoring.keeping import keep_or_tell

        shown, kept = keep_or_tell(value, self.context, f"the result of {self.name}", storage=self._storage())
        return self._record(state, message=message, result=shown, kept=kept, earlier=earlier)

    def _storage(self) -> str | None:
        """Where a large value of it is kept: as the task says, else as its flow does."""
        caching = self.task.caching
        own = None if caching is None else caching.storage
        return own or getattr(self.context.flow, "result_storage", None)

    # -- recording ----------------------------------------------------------------------------------------------

    def _record(
        self,
        state: str,
        *,
        message: str = "",
        failure: Failure | None = None,
        result: str | None = None,
        kept: Kept | None = None,
        earlier: Earlier | None = None,
    ) -> int:
        """Record the state; when that was."""
        context = self.context
        at = earlier.ended_at if earlier and earlier.ended_at else context.now()
        if self._is_given_up:
            return at
        context.recorder.task(
            TaskRecord(
                self.number,
                self.name,
                state,
                at,
                began_at=earlier.began_at if earlier else None,
                within=context.within,
                attempt=self.attempt or 1,
                map_index=self.map_index,
                upstream=self.upstream,
                message=message,
                failure=failure,
                result=result,
                call=None if kept is None else self._call,
                kept=kept,
            )
        )
        return at

    def _failure(self, error: BaseException) -> Failure:
        from schedulerd.authoring.failures import describe_failure  # late: loads dataclasses and traceback

        if self.told is not None and self.told[0] is error:
            return self.told[1]
        return describe_failure(error, task=self.name, called=self.task.fn)


_MADE = frozenset({"State", "Future"})
_WARNING, _ERROR = 30, 40


def _named(task: Task, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    from schedulerd.authoring.run_names import name_of_run  # late: few tasks name their runs

    return name_of_run(task.run_name, task.fn, args, kwargs, otherwise=task.name)
