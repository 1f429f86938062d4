"""How a flow of the function style runs: its attempts, its time limit, and its place within another flow."""

from __future__ import annotations

from sys import modules

from schedulerd.authoring.context import FlowContext, step_into, step_out
from schedulerd.authoring.running import is_cancellation
from schedulerd.authoring.subflows import Subflow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from schedulerd.authoring.functions import FunctionFlow
    from schedulerd.authoring.states import State

INFO, ERROR = 20, 40  # logging's numbers, without its import


class FlowTimedOut(TimeoutError):
    """A flow did not end within its `timeout_seconds`."""

    def __init__(self, flow: FunctionFlow) -> None:
        super().__init__(f"flow {flow.name!r} did not end within {flow.timeout_seconds:g} s")


class FunctionRun:
    """One run of a flow, in its context; `outer` is the flow run that it stands in, where there is one."""

    def __init__(self, flow: FunctionFlow, context: FlowContext, *, outer: FlowContext | None) -> None:
        self._flow = flow
        self._context = context
        self._outer = outer
        self._subflow = None if outer is None else Subflow(flow, context, outer)
        self._attempt = 1
        context.flow = flow
        context.tags = tuple(dict.fromkeys((*context.tags, *flow.tags, *_present_tags())))
        if flow.log_prints is not None:
            context.log_prints = flow.log_prints
        if flow.retries and context.known is None:
            from schedulerd.authoring.known import Known

            context.known = Known()

    # -- called by user code ------------------------------------------------------------------------------------

    def called(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], *, wait_for: Any, returns_state: bool
    ) -> Any:
        """Run with these arguments and return what the function does, or raise; or the state, where that is wanted."""
        args, kwargs = self._given(args, kwargs, wait_for)
        state = self._begin(args, kwargs)
        if state is not None:
            return state if returns_state else state.result()
        try:
            state = self.state(args, kwargs)
        except BaseException as error:
            self._cut_short(error)
            raise
        self._end(state)
        return state if returns_state else state.result()

    async def called_async(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], *, wait_for: Any, returns_state: bool
    ) -> Any:
        """The same for an async flow."""
        args, kwargs = self._given(args, kwargs, wait_for)
        state = self._begin(args, kwargs)
        if state is not None:
            return state if returns_state else state.result()
        try:
            state = await self.state_async(args, kwargs)
        except BaseException as error:
            self._cut_short(error)
            raise
        self._end(state)
        return state if returns_state else state.result()

    def _given(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], wait_for: Any
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with their futures waited for, and made to fit the hints of the function."""
        if self._outer is not None and (self._outer.has_futures or wait_for is not None):
            from schedulerd.authoring.submitting import results_of

            *several, _ = results_of([*args, *kwargs.values(), wait_for])
            args, kwargs = tuple(several[: len(args)]), dict(zip(kwargs, several[len(args) :], strict=True))
        if (args or kwargs) and self._flow.validates and getattr(self._flow.fn, "__annotations__", None):
            from schedulerd.authoring.parameters import validated  # late: loads inspect and typing

            return validated(self._flow.fn, args, kwargs, flow=self._flow.name)
        return args, kwargs

    # -- within its context -------------------------------------------------------------------------------------

    def state(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> State:
        """Run, again where it fails and may, and return the state that it comes to."""
        tokens = step_into(self._context)
        try:
            self._call_hooks_at_begin()
            while True:
                try:
                    state = self._ended(self._call(args, kwargs))
                except Exception as error:
                    state = self._failed(error)
                if (pause := self._pause_before_next(state)) is None:
                    self._call_hooks(state)
                    return state
                self._context.pause(pause)
        except BaseException as error:
            self._call_hooks_at_cancellation(error)
            raise
        finally:
            step_out(tokens)
            self._context.break_off()

    async def state_async(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> State:
        """The same for an async flow, while the event loop goes on."""
        from asyncio import sleep, to_thread

        tokens = step_into(self._context)
        try:
            self._call_hooks_at_begin()
            while True:
                try:
                    value = await self._call_async(args, kwargs)
                    state = (
                        await to_thread(self._ended, value)
                        if self._context.has_futures
                        else self._ended(value)
                    )
                except Exception as error:
                    state = self._failed(error)
                if (pause := self._pause_before_next(state)) is None:
                    self._call_hooks(state)
                    return state
                await sleep(pause)
        except BaseException as error:
            self._call_hooks_at_cancellation(error)
            raise
        finally:
            step_out(tokens)
            self._context.break_off()

    def prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note in the context that the run begins now, with these arguments, and its name."""
        context, flow = self._context, self._flow
        context.started_at = context.now()
        if args or flow.run_name is not None:
            from schedulerd.authoring.run_names import arguments_of, name_of_run

            try:
                context.parameters = arguments_of(flow.fn, args, kwargs)
            except TypeError:  # the call itself says so
                return
            if flow.run_name is not None:
                context.facts.name = name_of_run(flow.run_name, flow.fn, args, kwargs, otherwise=flow.name)
        else:
            context.parameters = kwargs

    def _call_hooks_at_begin(self) -> None:
        if self._flow.hooks is not None:
            from schedulerd.authoring.states import State

            self._call_hooks(State.recorded("running"))

    def _call_hooks_at_cancellation(self, error: BaseException) -> None:
        if self._flow.hooks is not None and is_cancellation(error):
            from schedulerd.authoring.states import State

            self._call_hooks(State.recorded("cancelled", message="cancelled"))

    def _call_hooks(self, state: State) -> None:
        """Call the hooks for this state, unless the daemon makes another attempt, or calls them itself."""
        flow, context = self._flow, self._context
        if flow.hooks is None or state.word in context.facts.hooks_after:
            return
        tried_again = context.facts.is_by_daemon and context.facts.attempt <= flow.retries
        if tried_again and (state.is_failed() or (state.is_crashed() and flow.retry_on_crash)):
            return
        from schedulerd.authoring.run_contexts import FlowRunInfo

        flow.hooks.call(flow, FlowRunInfo(context), state, context)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        flow = self._flow
        if not flow.timeout_seconds or self._context.facts.is_by_daemon:
            return flow.fn(*args, **kwargs)
        from schedulerd.authoring.time_limits import within  # late: loads threading and signal

        return within(flow.timeout_seconds, lambda: flow.fn(*args, **kwargs), over=lambda: FlowTimedOut(flow))

    async def _call_async(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        flow = self._flow
        if not flow.timeout_seconds or self._context.facts.is_by_daemon:
            return await flow.fn(*args, **kwargs)
        from schedulerd.authoring.time_limits import within_async

        return await within_async(
            flow.timeout_seconds, lambda: flow.fn(*args, **kwargs), over=lambda: FlowTimedOut(flow)
        )

    def _ended(self, value: Any) -> State:
        """The state by what was returned, once all that was submitted has ended."""
        from schedulerd.authoring.states import State, StateType

        context = self._context
        if not context.has_futures and not _may_decide(value):
            return State(StateType.COMPLETED, data=value)
        from schedulerd.authoring.final_states import final_state

        state = final_state(value)
        context.let_go()
        return state

    def _failed(self, error: Exception) -> State:
        from schedulerd.authoring.failures import describe_failure  # late: loads dataclasses and traceback
        from schedulerd.authoring.states import State

        context = self._context
        context.let_go()
        word = "timed_out" if isinstance(error, FlowTimedOut) else "failed"
        failure = describe_failure(error, task=context.task_of(error), called=self._flow.fn)
        text = f"{failure.type}: {failure.message}" if failure.message else failure.type
        return State.recorded(word, message=text, data=error, failure=failure)

    def _pause_before_next(self, state: State) -> float | None:
        """Seconds before another attempt; None when there is none to be."""
        retries = self._flow.retries_given
        if self._context.facts.is_by_daemon:
            return None  # there a retry is a process of its own, and the daemon's
        if not (state.is_failed() or state.is_crashed()) or self._attempt > retries.limit:
            return None
        pause = retries.pause_after(self._attempt)
        text = f"attempt {self._attempt} failed ({state.message}); retry {self._attempt} of {retries.limit} in {pause:g} s"
        self._context.log(ERROR, f"{self._flow.name}: {text}")
        self._attempt += 1
        self._context.facts.attempt += 1
        if self._context.known is not None:
            self._context.known.again()
        return pause

    # -- what is told of it -------------------------------------------------------------------------------------

    def _begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> State | None:
        """It begins, unless it is a subflow that completed in an earlier attempt: then that is the state."""
        self.prepare(args, kwargs)
        if self._subflow is None:
            return None
        self._subflow.begin(args, kwargs)
        if (found := self._subflow.found()) is None:
            self._subflow.started()
            return None
        from schedulerd.authoring.states import State, StateType

        return State(StateType.COMPLETED, data=found[0])

    def _end(self, state: State) -> None:
        if self._context.witness is not None:
            self._context.witness.ended(self._context, state, self._flow.value(state))
        if self._subflow is not None:
            self._end_subflow(self._subflow, state)
        elif state.is_completed():
            self._context.log(INFO, f"{self._flow.name}: completed")
        else:
            self._context.log(ERROR, f"{self._flow.name}: {state.word}: {state.message}")

    def _end_subflow(self, subflow: Subflow, state: State) -> None:
        subflow.ended(
            "completed" if state.is_completed() else state.word,
            attempt=self._attempt,
            message=state.message or "",
            failure=state.failure,
            value=self._flow.value(state),
        )
        if isinstance(state.data, BaseException):
            assert self._outer is not None
            self._outer.culprit = (state.data, self._context.culprit[1] or self._flow.name)

    def _cut_short(self, error: BaseException) -> None:
        """It was ended by what ends the whole run."""
        if self._context.witness is not None:
            self._context.witness.cut_short(self._context, error)
        if self._subflow is None or self._outer is None:
            self._context.log(ERROR, f"{self._flow.name}: ended by {type(error).__name__}")
            return
        self._outer.culprit = self._context.culprit
        self._subflow.cut_short(error, attempt=self._attempt)


def _may_decide(value: Any) -> bool:
    """Can this be a state, or futures, or states? Told without loading what those are."""
    kind = type(value)
    return kind in (list, tuple, set, frozenset) or kind.__name__ in ("State", "Future", "FutureList")


def _present_tags() -> tuple[str, ...]:
    """Those of `with tags(...)`, where that was ever used."""
    tagging = modules.get("schedulerd.authoring.tagging")
    return () if tagging is None else tagging.present_tags.get()
