"""`.submit()` and `.map()`: tasks that run beside the flow, each as soon as what it is given has ended."""

from __future__ import annotations

from contextvars import copy_context
from threading import Lock

from schedulerd.authoring.annotations import allow_failure, unmapped
from schedulerd.authoring.context import flow_run
from schedulerd.authoring.futures import Future, FutureList, UpstreamFailed, futures_in, resolved
from schedulerd.authoring.held_back import hold_back
from schedulerd.authoring.refusals import MappingLengthMismatch, MappingMissingIterable
from schedulerd.authoring.running import TaskOutcome, TaskRun, carry_out, is_cancellation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Prepared = tuple[tuple[Any, ...], dict[str, Any], tuple[int, ...]]

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.runners import TaskRunner
    from schedulerd.authoring.tasks import Task


def submit(
    task: Task,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    context: FlowContext,
    *,
    wait_for: Any = None,
    map_index: int | None = None,
) -> Future:
    """Have the task run beside the flow once all futures among its arguments, and in `wait_for`, have ended.

    When one of them did not complete it does not run, unless that one stands in `allow_failure`.
    """
    runner_of(context)  # what it raises, a cluster that is away, the flow meets here
    future = Future(task.name, next(context.numbers))
    context.has_futures = True
    context.futures.add(future)
    job = _Job(task, args, kwargs, context, future, wait_for=wait_for, map_index=map_index)
    job.begin()
    future.add_done_callback(context.futures.discard)  # of a long loop only those that go on are held
    return future


class _Job:
    """One task that was submitted."""

    __slots__ = (
        *("_args", "_context", "_future", "_index", "_kwargs", "_left", "_lock", "_map_index", "_task"),
        *("_elsewhere", "_variables", "_wait_for", "_waits"),
    )

    def __init__(
        self,
        task: Task,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        context: FlowContext,
        future: Future,
        *,
        wait_for: Any,
        map_index: int | None,
    ) -> None:
        self._task = task
        self._args = args
        self._kwargs = kwargs
        self._context = context
        self._future = future
        self._wait_for = wait_for
        self._map_index = map_index
        self._index = None if context.known is None else context.known.next_index(task.name)
        self._waits = futures_in((args, dict(kwargs), wait_for))
        self._left = len(self._waits)
        self._lock = Lock()
        self._variables = copy_context()  # where it was submitted, not where the last of its futures ended

    def begin(self) -> None:
        """Go on as soon as all that it waits for has ended."""
        if not self._waits:
            self._hand_over()
        for wait in self._waits:
            wait.add_done_callback(self._one_less)

    def _one_less(self, _: Future) -> None:
        with self._lock:
            self._left -= 1
            if self._left:
                return
        self._hand_over()

    def _hand_over(self) -> None:
        runner = runner_of(self._context)
        self._elsewhere = runner.elsewhere
        runner.run(self._run)

    def _run(self) -> None:
        self._future.settle(self._variables.run(self._outcome))

    def _outcome(self) -> TaskOutcome:
        context, task, number = self._context, self._task, self._future.number
        upstream = tuple(dict.fromkeys(wait.number for wait in self._waits))
        try:
            args = tuple([resolved(value) for value in self._args])
            kwargs = {key: resolved(value) for key, value in self._kwargs.items()}
            resolved(self._wait_for)
        except UpstreamFailed as error:
            return hold_back(
                task,
                context,
                cause=error.future,
                upstream=upstream,
                map_index=self._map_index,
                number=number,
            )
        run = TaskRun(
            task,
            args,
            kwargs,
            context,
            upstream=upstream,
            map_index=self._map_index,
            number=number,
            index=self._index,
            abandon=self._future.settle,
        )
        run.elsewhere = run.elsewhere or self._elsewhere
        try:
            return carry_out(run)
        except BaseException as error:  # border: it ends this task; whoever asks for the result meets it
            state = "cancelled" if is_cancellation(error) else "failed"
            return TaskOutcome(number, state, attempts=1, error=error)


def runner_of(context: FlowContext) -> TaskRunner:
    """Where the submitted tasks of a flow run run: the flow's own kind of runner, or threads."""
    if context.runner is None:
        from schedulerd.authoring.runners import ThreadPoolTaskRunner

        kind = context.runner_kind or (None if context.flow is None else context.flow.task_runner)
        runner = (kind or ThreadPoolTaskRunner()).start()
        try:
            runner.begin(context)
        except BaseException:
            runner.end()
            raise
        context.runner = runner
    return context.runner


def map_task(
    task: Task, args: tuple[Any, ...], kwargs: Mapping[str, Any], context: FlowContext, *, wait_for: Any
) -> FutureList:
    """Submit the task once for each item of its arguments; those in `unmapped` are given whole to each.

    Raises `MappingMissingIterable` when there is nothing to map over, `MappingLengthMismatch` for unequal lengths.
    """
    sources = [value for value in (*args, *kwargs.values()) if type(value) is Future]
    args = tuple(_items(value) for value in args)
    if sources:  # they have ended; that the items come from them is recorded
        wait_for = [wait_for, *sources]
    kwargs = {key: _items(value) for key, value in kwargs.items()}
    lengths = {
        **{f"argument {number}": len(value) for number, value in enumerate(args, 1) if type(value) is _Items},
        **{key: len(value) for key, value in kwargs.items() if type(value) is _Items},
    }
    if not lengths:
        raise MappingMissingIterable(
            f"task {task.name!r} has nothing to map over: none of its arguments is a list, or another iterable"
        )
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise MappingLengthMismatch(f"task {task.name!r} cannot be mapped over unequal lengths: {said}")
    return FutureList(
        submit(
            task,
            tuple(value[index] if type(value) is _Items else value for value in args),
            {key: value[index] if type(value) is _Items else value for key, value in kwargs.items()},
            context,
            wait_for=wait_for,
            map_index=index,
        )
        for index in range(next(iter(lengths.values())))
    )


class _Items(list["Any"]):
    """An argument that is mapped over."""


def _items(value: Any) -> Any:
    """An argument as its items, where it is mapped over: any iterable but a text or bytes."""
    if isinstance(value, unmapped):
        return value.value
    if isinstance(value, allow_failure):
        inner = _items(value.value)
        return _Items(allow_failure(one) for one in inner) if type(inner) is _Items else value
    if isinstance(value, Future):
        value = value.result()
    if isinstance(value, str | bytes | bytearray) or not hasattr(value, "__iter__"):
        return value
    return _Items(value)


def loose_context() -> FlowContext:
    """The context of tasks that are submitted outside any flow run."""
    from schedulerd.authoring.console import console_context

    return console_context("")


def context_here() -> FlowContext:
    """The present flow run's context, else one for loose tasks."""
    return flow_run.get() or loose_context()


def with_results(
    task: Task, args: tuple[Any, ...], kwargs: Mapping[str, Any], context: FlowContext, *, wait_for: Any
) -> Prepared | TaskOutcome:
    """The arguments of a call with their futures waited for and replaced, and the numbers of the tasks that they are of.

    An outcome instead when one of them did not complete: then the task cannot run.
    """
    waits = futures_in((args, dict(kwargs), wait_for))
    for future in waits:
        future.wait()
    return _prepared(task, args, kwargs, context, wait_for=wait_for, waits=waits)


async def with_results_async(
    task: Task, args: tuple[Any, ...], kwargs: Mapping[str, Any], context: FlowContext, *, wait_for: Any
) -> Prepared | TaskOutcome:
    """The same, while the event loop goes on."""
    from asyncio import to_thread

    waits = futures_in((args, dict(kwargs), wait_for))
    for future in waits:
        if not future.done:
            await to_thread(future.wait)
    return _prepared(task, args, kwargs, context, wait_for=wait_for, waits=waits)


def _prepared(
    task: Task,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    context: FlowContext,
    *,
    wait_for: Any,
    waits: list[Future],
) -> Prepared | TaskOutcome:
    upstream = tuple(dict.fromkeys(wait.number for wait in waits))
    try:
        resolved(wait_for)
        given = {key: resolved(value) for key, value in kwargs.items()}
        return tuple([resolved(value) for value in args]), given, upstream
    except UpstreamFailed as error:
        outcome = hold_back(task, context, cause=error.future, upstream=upstream)
        outcome.error = error.future.state.result(raise_on_failure=False)
        return outcome


def results_of(values: list[Any]) -> list[Any]:
    """The values with their futures waited for and replaced; raises what ended one of them."""
    for future in futures_in(values):
        future.wait()
    try:
        return [resolved(value) for value in values]
    except UpstreamFailed as error:
        raise error.future.state.result(raise_on_failure=False) from None
