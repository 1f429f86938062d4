"""A task: a function that is recorded, retried, and can stand in a graph."""

from __future__ import annotations

from schedulerd.authoring import loading
from schedulerd.authoring.context import drawing, flow_run
from schedulerd.authoring.hooked import Hooked, hooks_of, task_hooks_in
from schedulerd.authoring.options import (
    CALL_WORDS,
    DRAWING_WORDS,
    flag_of,
    tags_of,
    task_timeout_of,
    template_of,
)
from schedulerd.authoring.retries import Retries
from schedulerd.authoring.task_calls import called
from schedulerd.authoring.task_options import CACHING, caching_given, check_options
from schedulerd.authoring.wrapping import doc_of, is_async_function, name_of, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import timedelta
    from typing import Any, Self, overload

    from schedulerd.authoring.futures import Future, FutureList
    from schedulerd.authoring.graphs import Flow
    from schedulerd.authoring.hooked import Given
    from schedulerd.authoring.nodes import Node
    from schedulerd.authoring.retries import Delay


class Task(Hooked):
    """A function as a task. What calling it does depends on where the call stands.

    Inside `with Flow(...)` it draws a node, within a running flow or task it runs and is recorded, outside everything
    it just runs the function. A class derived from this one is a task too, whose function is its method `run`.
    """

    __name__: str
    # Options of the graph style: `graph_options.py` sets those that are given.
    trigger: Callable[..., Any] | None = None
    skip_on_upstream_skip = True
    nout: int | None = None
    slug: str | None = None
    state_handlers: tuple[Callable[..., Any], ...] = ()
    result: Any = None
    target: Any = None
    checkpoint = True
    own_process = False
    is_secret = False  # what it returns is shown nowhere

    def __init__(
        self,
        fn: Callable[..., Any] | None = None,
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
        own_process: bool | None = None,
        **more: Any,
    ) -> None:
        if more:
            check_options(more)
            retries, retry_delay_seconds = (
                more.pop("retries", retries),
                more.pop("retry_delay_seconds", retry_delay_seconds),
            )
            log_prints, timeout_seconds = (
                more.pop("log_prints", log_prints),
                more.pop("timeout_seconds", timeout_seconds),
            )
        caching = {key: more.pop(key) for key in CACHING if key in more}
        hooks = task_hooks_in(more)
        self.hooks = hooks_of(hooks)
        derived = fn is None and type(self).run is not Task.run
        fn = self.run if derived else fn
        if not callable(fn):
            raise TypeError(f"a task is made of a function, not of {fn!r}")
        self.fn = fn
        self.name = name or (type(self).__name__ if derived else name_of(fn))
        self.description = doc_of(fn) if description is None else description
        self.tags = tags_of(tags)
        self.version = version
        self.retries_given = Retries(
            retries, retry_delay_seconds, jitter=retry_jitter_factor, condition=retry_condition_fn
        )
        self.timeout_seconds = task_timeout_of(timeout_seconds)
        self.run_name = template_of("task_run_name", task_run_name)
        self.log_prints = flag_of("log_prints", log_prints)
        self.own_process = bool(flag_of("own_process", own_process))
        self.caching = caching_given(caching)
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
            "own_process": own_process,
            **caching,
            **hooks,
            **more,
        }
        if more:
            from schedulerd.authoring.graph_options import set_graph_options  # late: most tasks have none

            set_graph_options(self, more)
        wrap(self, fn)
        _refuse_reserved(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @property
    def options(self) -> Mapping[str, Any]:
        """What it was given, under the names of `@task`."""
        return self._options

    @property
    def retries(self) -> int:
        """How many attempts there may be after the first."""
        return self.retries_given.limit

    def delay_after(self, attempt: int) -> float:
        """Seconds to wait after the attempt of this number; the last of a list of delays is repeated."""
        return self.retries_given.delay_after(attempt)

    def with_options(self, **options: Any) -> Self:
        """The same task with other options; what is not given stays as it is."""
        check_options(options)
        if self._is_derived:
            return self.copy(**options)
        return type(self)(self.fn, **{**self._options, **options})

    def copy(self, **options: Any) -> Self:
        """The same task once more, with other options where they are given."""
        from copy import copy  # late: few tasks are copied

        made = copy(self)
        check_options(options)
        Task.__init__(made, None if self._is_derived else self.fn, **{**self._options, **options})
        return made

    @property
    def _is_derived(self) -> bool:
        return type(self).run is not Task.run

    @property
    def argument_names(self) -> tuple[str, ...]:
        """The names of its function's arguments, as far as they are known."""
        fn = self.fn
        while hasattr(fn, "__wrapped__"):
            fn = fn.__wrapped__
        code = getattr(fn, "__code__", None)
        return () if code is None else code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

    @property
    def logger(self) -> Any:
        """The logger of the present run."""
        from schedulerd.authoring.logs import get_run_logger

        return get_run_logger()

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, wherever this stands: nothing is drawn or recorded."""
        return self.fn(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Draw a node, run and record, or just run; see the class. `return_state=True` gives the state, and never raises.

        `wait_for`: tasks or futures that must have completed before.
        """
        if (flow := drawing.get()) is not None:
            return (_flow_in(self, kwargs) or flow).draw(self, args, kwargs)
        if kwargs and not DRAWING_WORDS.isdisjoint(kwargs) and (flow := _flow_in(self, kwargs)) is not None:
            return flow.draw(self, args, kwargs)
        if (context := flow_run.get()) is not None:
            return called(self, args, kwargs, context)
        if loading.is_loading():
            return loading.placeholder(is_async=self.is_async)
        if kwargs and not CALL_WORDS.isdisjoint(kwargs):
            from schedulerd.authoring.submitting import loose_context

            return called(self, args, kwargs, loose_context())
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

        What is no iterable, a text, and what stands in `unmapped` is given whole to each. Inside `with Flow(...)` this
        draws a node that stands for a task run for each item; there texts are mapped over too, and the shortest wins.
        """
        if (flow := _flow_in(self, kwargs) or drawing.get()) is not None:
            return flow.draw(self, args, kwargs, is_mapped=True)
        if loading.is_loading():
            return loading.placeholder()
        from schedulerd.authoring.submitting import context_here, map_task

        futures: FutureList = map_task(self, args, kwargs, context_here(), wait_for=wait_for)
        return [future.wait() for future in futures] if return_state else futures

    def set_upstream(
        self, task: Any, flow: Flow | None = None, key: str | None = None, mapped: bool = False
    ) -> None:
        """Let this task run only after that one (or those, in a list), in the flow that is being drawn.

        With `key` it is given what that one returns, as that argument.
        """
        self._node(flow).set_upstream(task, key=key, mapped=mapped)

    def set_downstream(
        self, task: Any, flow: Flow | None = None, key: str | None = None, mapped: bool = False
    ) -> None:
        """Let that task (or those, in a list) run only after this one, in the flow that is being drawn."""
        self._node(flow).set_downstream(task, key=key, mapped=mapped)

    def set_dependencies(self, flow: Flow | None = None, *args: Any, **kwargs: Any) -> None:
        """Let it run after `upstream_tasks`, before `downstream_tasks`, and be given `keyword_tasks`."""
        self._node(flow).set_dependencies(None, *args, **kwargs)

    def bind(
        self,
        *args: Any,
        mapped: bool = False,
        upstream_tasks: Iterable[Any] | None = None,
        flow: Flow | None = None,
        **kwargs: Any,
    ) -> Self:
        """Give these arguments to the one node that stands for this task in the flow; the task itself."""
        names = self.argument_names[1:] if self._is_derived else self.argument_names
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        self._node(flow).set_dependencies(keyword_tasks=given, upstream_tasks=upstream_tasks, mapped=mapped)
        return self

    def _node(self, flow: Flow | None) -> Node:
        flow = flow if flow is not None else drawing.get()
        if flow is None:
            raise ValueError(
                f"{self.name} stands in no flow here: do this inside `with Flow(...)`, or give flow="
            )
        return flow.add(self)


def _flow_in(task: Task, kwargs: dict[str, Any]) -> Flow | None:
    """The flow that a call names by `flow=`; raises `ValueError` for words of drawing where nothing is drawn."""
    words = DRAWING_WORDS.intersection(kwargs).difference(task.argument_names)
    if not words:
        return None
    flow: Any = kwargs["flow"] if "flow" in words else drawing.get()
    if flow is None:
        raise ValueError(
            f"{task.name}({', '.join(sorted(words))}) draws, and stands in no flow here: do this inside "
            "`with Flow(...)`, or give flow="
        )
    if not hasattr(flow, "draw"):
        raise TypeError(f"flow= must be a Flow, not {flow!r}")
    found: Flow = flow
    return found


if TYPE_CHECKING:

    @overload
    def task(fn: Callable[..., Any], /, **options: Any) -> Task: ...

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
        own_process: bool | None = None,
        cache_policy: Any = None,
        cache_key_fn: Callable[..., Any] | None = None,
        cache_expiration: timedelta | None = None,
        refresh_cache: bool | None = None,
        persist_result: bool | None = None,
        result_storage: Any = None,
        max_retries: int = 0,
        retry_delay: timedelta | float = 0,
        log_stdout: bool = False,
        timeout: float | None = None,
        cache_for: timedelta | None = None,
        trigger: Callable[..., Any] | None = None,
        skip_on_upstream_skip: bool = True,
        nout: int | None = None,
        slug: str | None = None,
        state_handlers: Iterable[Callable[..., Any]] | None = None,
        on_failure: Given = None,
        on_running: Given = None,
        on_completion: Given = None,
        result: Any = None,
        target: Any = None,
        checkpoint: bool | None = None,
        retry_on: type[BaseException] | Iterable[type[BaseException]] | None = None,
        cache_key: str | None = None,
    ) -> Callable[[Callable[..., Any]], Task]: ...


def task(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a task: `@task`, or `@task(retries=3, retry_delay_seconds=10)`.

    `max_retries`, `retry_delay`, `log_stdout`, `timeout` and `cache_for` are the names of Prefect 1 for the same things.
    """
    check_options(options)
    if fn is not None:
        return Task(fn, **options)
    return lambda fn: Task(fn, **options)


def _refuse_reserved(task: Task) -> None:
    for name in CALL_WORDS.intersection(task.argument_names):
        raise ValueError(f"task {task.name!r} has an argument {name}: that name is kept for calls of tasks")
