"""A task: a function that is recorded, retried, and can stand in a graph."""

from __future__ import annotations

from schedulerd.authoring import loading
from schedulerd.authoring.context import drawing, flow_run
from schedulerd.authoring.options import refuse_unknown, seconds_of, tags_of
from schedulerd.authoring.running import run_task, run_task_async
from schedulerd.authoring.wrapping import doc_of, is_async_function, name_of, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import timedelta
    from typing import Any, overload

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.graphs import Flow
    from schedulerd.authoring.nodes import Node

_KNOWN = ("name", "description", "tags", "retries", "retry_delay_seconds", "max_retries", "retry_delay")


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
        retries: int | None = 0,
        retry_delay_seconds: float | timedelta | Sequence[float | timedelta] | None = 0,
    ) -> None:
        if not callable(fn):
            raise TypeError(f"a task is made of a function, not of {fn!r}")
        retries = 0 if retries is None else retries
        if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
            raise ValueError(f"retries must be a whole number from 0, not {retries!r}")
        self.fn = fn
        self.name = name or name_of(fn)
        self.description = doc_of(fn) if description is None else description
        self.tags = tags_of(tags)
        self.retries = retries
        self.is_async = is_async_function(fn)
        self._delays = _delays(retry_delay_seconds)
        wrap(self, fn)

    def __repr__(self) -> str:
        return f"<Task {self.name!r}>"

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, wherever this stands: nothing is drawn or recorded."""
        return self.fn(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Draw a node, run and record, or just run; see the class."""
        if (flow := drawing.get()) is not None:
            return flow.draw(self, args, kwargs)
        if (context := flow_run.get()) is not None:
            return self._recorded(args, kwargs, context)
        if loading.is_loading():
            return loading.placeholder(is_async=self.is_async)
        return self.fn(*args, **kwargs)

    def delay_after(self, attempt: int) -> float:
        """Seconds to wait after the attempt of this number; the last of a list of delays is repeated."""
        return self._delays[min(attempt, len(self._delays)) - 1]

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
        if self.is_async:
            return _result_async(self, args, kwargs, context)
        outcome = run_task(self, args, kwargs, context)
        if outcome.error is not None:
            raise outcome.error
        return outcome.value


async def _result_async(
    task: Task, args: tuple[Any, ...], kwargs: dict[str, Any], context: FlowContext
) -> Any:
    outcome = await run_task_async(task, args, kwargs, context)
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


if TYPE_CHECKING:

    @overload
    def task(fn: Callable[..., Any], /) -> Task: ...

    @overload
    def task(
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Iterable[str] = (),
        retries: int | None = 0,
        retry_delay_seconds: float | timedelta | Sequence[float | timedelta] | None = 0,
        max_retries: int = 0,
        retry_delay: timedelta | float = 0,
    ) -> Callable[[Callable[..., Any]], Task]: ...


def task(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a task: `@task`, or `@task(retries=3, retry_delay_seconds=10)`.

    `max_retries` and `retry_delay` are the names of Prefect 1 for the same two things.
    """
    refuse_unknown("task", options, known=_KNOWN)
    _translate(options, old="max_retries", new="retries")
    _translate(options, old="retry_delay", new="retry_delay_seconds")
    if fn is not None:
        return Task(fn, **options)
    return lambda fn: Task(fn, **options)


def _translate(options: dict[str, Any], *, old: str, new: str) -> None:
    if old not in options:
        return
    if new in options:
        raise TypeError(f"task() takes {new} or {old}, not both: they are the same")
    options[new] = options.pop(old)


def _delays(given: Any) -> tuple[float, ...]:
    given = 0 if given is None else given
    several = given if isinstance(given, list | tuple) else (given,)
    if not several:
        raise ValueError("retry_delay_seconds must not be an empty list")
    return tuple(seconds_of("retry_delay_seconds", delay) for delay in several)
