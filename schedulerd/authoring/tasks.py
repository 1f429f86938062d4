"""A task: a function that is recorded, retried, and can stand in a graph."""

from __future__ import annotations

from schedulerd.authoring import loading
from schedulerd.authoring.context import drawing, flow_run
from schedulerd.authoring.options import (
    flag_of,
    refuse_unknown,
    tags_of,
    task_timeout_of,
    template_of,
)
from schedulerd.authoring.retries import Retries
from schedulerd.authoring.running import run_task, run_task_async
from schedulerd.authoring.wrapping import doc_of, is_async_function, name_of, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta
    from typing import Any, Self, overload

    from schedulerd.authoring.caching import Caching
    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.futures import Future, FutureList
    from schedulerd.authoring.graphs import Flow
    from schedulerd.authoring.nodes import Node
    from schedulerd.authoring.retries import Delay
    from schedulerd.authoring.running import TaskOutcome

_CACHING = ("cache_policy", "cache_key_fn", "cache_expiration", "refresh_cache", "persist_result")
_KNOWN = (
    *("name", "description", "tags", "retries", "retry_delay_seconds", "retry_jitter_factor"),
    *("retry_condition_fn", "timeout_seconds", "task_run_name", "log_prints", "version"),
    *(*_CACHING, "max_retries", "retry_delay", "log_stdout", "timeout", "cache_for"),
)
# The names of Prefect 1 for the same things.
_SAME = {
    "max_retries": "retries",
    "retry_delay": "retry_delay_seconds",
    "log_stdout": "log_prints",
    "timeout": "timeout_seconds",
    "cache_for": "cache_expiration",
}
_RESERVED = frozenset({"return_state", "wait_for"})


class Task:
    """A function as a task. What calling it does depends on where the call stands.

    Inside `with Flow(...)` it draws a node, within a running flow or task it runs and is recorded, outside everything
    it just runs the function.
    """

    __name__: str

    def __init__(
        self,
        fn: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Iterable[str] = (),
        version: str | None = None,
        retries: int | None = 0,
        retry_delay_seconds: Delay | None = 0,
        retry_jitter_factor: float | None = None,
        retry_condition_fn: Callable[..., Any] | None = None,
        timeout_seconds: float | timedelta | None = None,
        task_run_name: str | Callable[..., Any] | None = None,
        log_prints: bool | None = None,
        **caching: Any,
    ) -> None:
        if not callable(fn):
            raise TypeError(f"a task is made of a function, not of {fn!r}")
        self.fn = fn
        self.name = name or name_of(fn)
        self.description = doc_of(fn) if description is None else description
        self.tags = tags_of(tags)
        self.version = version
        self.retries_given = Retries(
            retries, retry_delay_seconds, jitter=retry_jitter_factor, condition=retry_condition_fn
        )
        self.timeout_seconds = task_timeout_of(timeout_seconds)
        self.run_name = template_of("task_run_name", task_run_name)
        self.log_prints = flag_of("log_prints", log_prints)
        self.caching = _caching(caching)
        if self.log_prints:
            from schedulerd.authoring.prints import log_prints as watch_prints

            watch_prints()
        self.is_async = is_async_function(fn)
        self._options = {
            "name": name,
            "description": description,
            "tags": tags,
            "version": version,
            "retries": retries,
            "retry_delay_seconds": retry_delay_seconds,
            "retry_jitter_factor": retry_jitter_factor,
            "retry_condition_fn": retry_condition_fn,
            "timeout_seconds": timeout_seconds,
            "task_run_name": task_run_name,
            "log_prints": log_prints,
            **caching,
        }
        wrap(self, fn)
        _refuse_reserved(self)

    def __repr__(self) -> str:
        return f"<Task {self.name!r}>"

    @property
    def retries(self) -> int:
        """How many attempts there may be after the first."""
        return self.retries_given.limit

    def delay_after(self, attempt: int) -> float:
        """Seconds to wait after the attempt of this number; the last of a list of delays is repeated."""
        return self.retries_given.delay_after(attempt)

    def with_options(self, **options: Any) -> Self:
        """The same task with other options; what is not given stays as it is."""
        _check(options)
        return type(self)(self.fn, **{**self._options, **options})

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, wherever this stands: nothing is drawn or recorded."""
        return self.fn(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Draw a node, run and record, or just run; see the class. `return_state=True` gives the state, and never raises.

        `wait_for`: tasks or futures that must have completed before.
        """
        if (flow := drawing.get()) is not None:
            return flow.draw(self, args, kwargs)
        if (context := flow_run.get()) is not None:
            return self._recorded(args, kwargs, context)
        if loading.is_loading():
            return loading.placeholder(is_async=self.is_async)
        if kwargs and not _RESERVED.isdisjoint(kwargs):
            from schedulerd.authoring.submitting import loose_context

            return self._recorded(args, kwargs, loose_context())
        return self.fn(*args, **kwargs)

    def submit(self, *args: Any, wait_for: Any = None, return_state: bool = False, **kwargs: Any) -> Any:
        """Have the task run beside the flow, where the flow's task runner runs it: its `Future`, at once.

        It begins when the futures among its arguments have ended; when one of them failed it never does, and its state
        is NotReady. With `return_state` this waits, and gives its state.
        """
        if loading.is_loading():
            return loading.placeholder()
        from schedulerd.authoring.submitting import context_here, submit

        future: Future = submit(self, args, kwargs, context_here(), wait_for=wait_for)
        return future.wait() if return_state else future

    def map(self, *args: Any, wait_for: Any = None, return_state: bool = False, **kwargs: Any) -> Any:
        """Submit the task once for each item of its arguments, all of the same length: their futures, in order.

        What is no iterable, a text, and what stands in `unmapped` is given whole to each.
        """
        if loading.is_loading() and drawing.get() is None:
            return loading.placeholder()
        from schedulerd.authoring.submitting import context_here, map_task

        futures: FutureList = map_task(self, args, kwargs, context_here(), wait_for=wait_for)
        return [future.wait() for future in futures] if return_state else futures

    def set_upstream(self, task: Any, flow: Flow | None = None) -> None:
        """Let this task run only after that one (or those, in a list), in the flow that is being drawn."""
        self._node(flow).set_upstream(task)

    def set_downstream(self, task: Any, flow: Flow | None = None) -> None:
        """Let that task (or those, in a list) run only after this one, in the flow that is being drawn."""
        self._node(flow).set_downstream(task)

    def _node(self, flow: Flow | None) -> Node:
        flow = flow if flow is not None else drawing.get()
        if flow is None:
            raise ValueError(
                f"{self.name} stands in no flow here: do this inside `with Flow(...)`, or give flow="
            )
        return flow.add(self)

    def _recorded(self, args: tuple[Any, ...], kwargs: dict[str, Any], context: FlowContext) -> Any:
        returns_state, wait_for = False, None
        if kwargs and not _RESERVED.isdisjoint(kwargs):
            kwargs = dict(kwargs)
            returns_state, wait_for = kwargs.pop("return_state", False), kwargs.pop("wait_for", None)
        if self.is_async:
            return _run_async(self, args, kwargs, context, wait_for, returns_state)
        if context.futures or wait_for is not None:
            outcome = _after_futures(self, args, kwargs, context, wait_for)
        else:
            outcome = run_task(self, args, kwargs, context)
        if returns_state:
            return outcome.as_state()
        if outcome.state == "completed":
            return outcome.value
        return outcome.given()


def _after_futures(
    task: Task, args: tuple[Any, ...], kwargs: dict[str, Any], context: FlowContext, wait_for: Any
) -> TaskOutcome:
    """Run a task with arguments that may be futures, once those have ended."""
    from schedulerd.authoring.submitting import with_results

    prepared = with_results(task, args, kwargs, context, wait_for=wait_for)
    if isinstance(prepared, tuple):
        args, kwargs, upstream = prepared
        return run_task(task, args, kwargs, context, upstream=upstream)
    return prepared


async def _run_async(
    task: Task,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    context: FlowContext,
    wait_for: Any,
    returns_state: bool,
) -> Any:
    if context.futures or wait_for is not None:
        from schedulerd.authoring.submitting import with_results_async

        prepared = await with_results_async(task, args, kwargs, context, wait_for=wait_for)
        if not isinstance(prepared, tuple):
            return prepared.as_state() if returns_state else prepared.given()
        args, kwargs, upstream = prepared
        outcome = await run_task_async(task, args, kwargs, context, upstream=upstream)
    else:
        outcome = await run_task_async(task, args, kwargs, context)
    return outcome.as_state() if returns_state else outcome.given()


if TYPE_CHECKING:

    @overload
    def task(fn: Callable[..., Any], /) -> Task: ...

    @overload
    def task(
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Iterable[str] = (),
        version: str | None = None,
        retries: int | None = 0,
        retry_delay_seconds: Delay | None = 0,
        retry_jitter_factor: float | None = None,
        retry_condition_fn: Callable[..., Any] | None = None,
        timeout_seconds: float | timedelta | None = None,
        task_run_name: str | Callable[..., Any] | None = None,
        log_prints: bool | None = None,
        cache_policy: Any = None,
        cache_key_fn: Callable[..., Any] | None = None,
        cache_expiration: timedelta | None = None,
        refresh_cache: bool | None = None,
        persist_result: bool | None = None,
        max_retries: int = 0,
        retry_delay: timedelta | float = 0,
        log_stdout: bool = False,
        timeout: float | None = None,
        cache_for: timedelta | None = None,
    ) -> Callable[[Callable[..., Any]], Task]: ...


def task(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a task: `@task`, or `@task(retries=3, retry_delay_seconds=10)`.

    `max_retries`, `retry_delay`, `log_stdout`, `timeout` and `cache_for` are the names of Prefect 1 for the same things.
    """
    _check(options)
    if fn is not None:
        return Task(fn, **options)
    return lambda fn: Task(fn, **options)


def _check(options: dict[str, Any]) -> None:
    refuse_unknown("task", options, known=_KNOWN)
    for old, new in _SAME.items():
        _translate(options, old=old, new=new)


def _translate(options: dict[str, Any], *, old: str, new: str) -> None:
    if old not in options:
        return
    if new in options:
        raise TypeError(f"task() takes {new} or {old}, not both: they are the same")
    options[new] = options.pop(old)


def _caching(options: dict[str, Any]) -> Caching | None:
    """How its values are kept and found again; None where they are not."""
    refuse_unknown("task", options, known=_CACHING)
    if all(value is None for value in options.values()):
        return None
    from schedulerd.authoring.caching import caching_of  # late: most tasks are not cached

    return caching_of(**options)


def _refuse_reserved(task: Task) -> None:
    code = getattr(task.fn, "__code__", None)
    names = () if code is None else code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    for name in _RESERVED.intersection(names):
        raise ValueError(f"task {task.name!r} has an argument {name}: that name is kept for calls of tasks")
