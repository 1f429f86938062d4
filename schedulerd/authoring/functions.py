"""The function style: a flow that is a plain Python function and runs as it goes."""

from __future__ import annotations

from schedulerd.authoring import loading
from schedulerd.authoring.context import flow_run
from schedulerd.authoring.flow_runs import FunctionRun
from schedulerd.authoring.flows import AnyFlow
from schedulerd.authoring.hooked import OF_FLOWS, Hooked, hooks_of
from schedulerd.authoring.options import CALL_WORDS, flag_of, refuse_unknown, template_of
from schedulerd.authoring.retries import Retries
from schedulerd.authoring.surroundings import SURROUNDINGS
from schedulerd.authoring.wrapping import doc_of, is_async_function, name_of, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import timedelta
    from typing import Any, Self, Unpack, overload

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.hooked import Given, Hook
    from schedulerd.authoring.retries import Delay
    from schedulerd.authoring.runners import TaskRunner
    from schedulerd.authoring.schedules import Schedule
    from schedulerd.authoring.states import State
    from schedulerd.authoring.surroundings import Surroundings

_KNOWN = (
    *("name", "version", "description", "tags", "schedule", "timeout_seconds", "retries"),
    *(
        "retry_delay_seconds",
        "retry_on_crash",
        "flow_run_name",
        "task_runner",
        "validate_parameters",
        "log_prints",
        "result_storage",
    ),
    *("pool", "priority", "max_running", "heartbeat"),
    *OF_FLOWS,
    *SURROUNDINGS,
)


class FunctionFlow(AnyFlow, Hooked):
    """A function as a flow: calling it runs it here and now, returns its value or raises; needs no daemon.

    Calling an async one returns a coroutine, as calling the function would.
    """

    style = "function"

    __name__: str
    fn: Callable[..., Any]

    def __init__(
        self,
        fn: Callable[..., Any],
        *,
        name: str | None = None,
        version: str | None = None,
        description: str | None = None,
        tags: Iterable[str] = (),
        schedule: Schedule | Iterable[Schedule] | None = None,
        timeout_seconds: float | timedelta | str | None = None,
        retries: int | None = 0,
        retry_delay_seconds: Delay | None = 0,
        retry_on_crash: bool | None = None,
        flow_run_name: str | Callable[..., Any] | None = None,
        task_runner: TaskRunner | type[TaskRunner] | None = None,
        validate_parameters: bool | None = True,
        log_prints: bool | None = None,
        result_storage: Any = None,
        pool: str | None = None,
        priority: int = 0,
        max_running: int | None = None,
        heartbeat: str | Mapping[str, str] | None = None,
        on_running: Given = None,
        on_completion: Given = None,
        on_failure: Given = None,
        on_cancellation: Given = None,
        on_crashed: Given = None,
        **surroundings: Unpack[Surroundings],
    ) -> None:
        if not callable(fn):
            raise TypeError(f"a flow is made of a function, not of {fn!r}")
        self.fn = fn
        self.is_async = is_async_function(fn)
        self.version = version
        self.retries_given: Retries = Retries(retries, retry_delay_seconds)
        self.retry_on_crash = bool(flag_of("retry_on_crash", retry_on_crash))
        self.run_name = template_of("flow_run_name", flow_run_name)
        self.validates = flag_of("validate_parameters", validate_parameters) is not False
        self.log_prints = flag_of("log_prints", log_prints)
        self.result_storage = None if result_storage is None else _storage_of(result_storage)
        super().__init__(
            name if name is not None else name_of(fn).replace("_", "-"),
            schedule=schedule,
            description=doc_of(fn) if description is None else description,
            tags=tags,
            timeout_seconds=timeout_seconds,
            pool=pool,
            priority=priority,
            max_running=max_running,
            surroundings=surroundings,
            heartbeat=heartbeat,
        )
        self.task_runner = _runner_of(task_runner)
        hooks = {
            "on_running": on_running,
            "on_completion": on_completion,
            "on_failure": on_failure,
            "on_cancellation": on_cancellation,
            "on_crashed": on_crashed,
        }
        self.hooks = hooks_of(hooks)
        self._options = {
            "name": name,
            "version": version,
            "description": description,
            "tags": tags,
            "schedule": schedule,
            "timeout_seconds": timeout_seconds,
            "retries": retries,
            "retry_delay_seconds": retry_delay_seconds,
            "retry_on_crash": retry_on_crash,
            "flow_run_name": flow_run_name,
            "task_runner": task_runner,
            "validate_parameters": validate_parameters,
            "log_prints": log_prints,
            "result_storage": result_storage,
            "pool": pool,
            "priority": priority,
            "max_running": max_running,
            "heartbeat": heartbeat,
            **hooks,
            **surroundings,
        }
        if self.log_prints:
            from schedulerd.authoring.prints import log_prints as watch_prints

            watch_prints()
        wrap(self, fn)

    def __repr__(self) -> str:
        return f"<flow {self.name!r}>"

    @property
    def retries(self) -> int:
        """How many attempts there may be after the first."""
        return self.retries_given.limit

    def on_cancellation(self, hook: Hook) -> Hook:
        """Call this when the flow has been cancelled."""
        return self._hooked("on_cancellation", hook)

    def on_crashed(self, hook: Hook) -> Hook:
        """Call this when the process of its run went away, or it returned the state Crashed."""
        return self._hooked("on_crashed", hook)

    def hooked_ends(self) -> frozenset[str]:
        """The final states of its runs, as they are recorded, for which it has hooks."""
        return frozenset() if self.hooks is None else self.hooks.ends()

    def with_options(self, **options: Any) -> Self:
        """The same function as another flow, with other options; what is not given stays as it is."""
        refuse_unknown("flow", options, known=_KNOWN)
        return type(self)(self.fn, **{**self._options, **options})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the flow with these arguments. `return_state=True` gives its state instead, and never raises.

        Within another flow it is a subflow: it has a run of its own, in the same process, for which a task of the other's
        run stands.
        """
        if loading.is_loading():
            loading.note_done(self, "call", args, kwargs)
            return loading.placeholder(is_async=self.is_async)
        returns_state, wait_for = False, None
        if kwargs and not CALL_WORDS.isdisjoint(kwargs):
            returns_state, wait_for = kwargs.pop("return_state", False), kwargs.pop("wait_for", None)
        outer = flow_run.get()
        run = FunctionRun(self, self._context(), outer=outer)
        if self.is_async:
            if outer is None:
                return _folding(run, args, kwargs, wait_for=wait_for, returns_state=returns_state)
            return run.called_async(args, kwargs, wait_for=wait_for, returns_state=returns_state)
        try:
            return run.called(args, kwargs, wait_for=wait_for, returns_state=returns_state)
        except Exception as error:
            if outer is None:
                _fold(error)
            raise

    def perform(self, parameters: Mapping[str, Any], context: FlowContext) -> State:
        """Run within `context`, with parameters from JSON: the state by what the function returned, or raised.

        Raises what ends more than the flow, a cancellation or `sys.exit`.
        """
        from schedulerd.authoring.parameters import coerced  # late: loads inspect and typing

        kwargs = coerced(self.fn, parameters, flow=self.name, validates=self.validates)
        run = FunctionRun(self, context, outer=None)
        run.prepare((), kwargs)
        if self.is_async:
            from asyncio import run as run_loop  # late: only async flows need it

            return run_loop(run.state_async((), kwargs))
        return run.state((), kwargs)

    def value(self, state: State) -> Any:
        """What the function returned."""
        return state.data if state.is_completed() else None


async def _folding(run: FunctionRun, *args: Any, **kwargs: Any) -> Any:
    """What an async flow gives; what it raises, without our own frames."""
    try:
        return await run.called_async(*args, **kwargs)
    except Exception as error:
        _fold(error)
        raise


def _fold(error: BaseException) -> None:
    from schedulerd.authoring.failures import fold  # late: loads dataclasses and traceback

    fold(error)


def _storage_of(given: Any) -> str | None:
    from schedulerd.authoring.storages import storage_of  # late: few flows name one

    return storage_of("result_storage", given)


def _runner_of(given: Any) -> TaskRunner | None:
    if given is None:
        return None
    from schedulerd.authoring.runners import runner_of  # late: loads threading

    return runner_of(given)


if TYPE_CHECKING:

    @overload
    def flow(fn: Callable[..., Any], /) -> FunctionFlow: ...

    @overload
    def flow(
        *,
        name: str | None = None,
        version: str | None = None,
        description: str | None = None,
        tags: Iterable[str] = (),
        schedule: Schedule | Iterable[Schedule] | None = None,
        timeout_seconds: float | timedelta | str | None = None,
        retries: int | None = 0,
        retry_delay_seconds: Delay | None = 0,
        retry_on_crash: bool | None = None,
        flow_run_name: str | Callable[..., Any] | None = None,
        task_runner: TaskRunner | type[TaskRunner] | None = None,
        validate_parameters: bool | None = True,
        log_prints: bool | None = None,
        result_storage: Any = None,
        pool: str | None = None,
        priority: int = 0,
        max_running: int | None = None,
        heartbeat: str | Mapping[str, str] | None = None,
        on_running: Given = None,
        on_completion: Given = None,
        on_failure: Given = None,
        on_cancellation: Given = None,
        on_crashed: Given = None,
        **surroundings: Unpack[Surroundings],
    ) -> Callable[[Callable[..., Any]], FunctionFlow]: ...


def flow(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a flow: `@flow`, or `@flow(name="etl", schedule=Cron("0 6 * * *"))`."""
    refuse_unknown("flow", options, known=_KNOWN)
    if fn is not None:
        return FunctionFlow(fn, **options)
    return lambda fn: FunctionFlow(fn, **options)


flow.from_source = FunctionFlow.from_source  # type: ignore[attr-defined]  # Prefect 3 has it on the decorator too
