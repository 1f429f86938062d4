"""A call of a task within a run: it runs here and now, once what it is given has ended, and is recorded."""

from __future__ import annotations

from schedulerd.authoring.options import CALL_WORDS
from schedulerd.authoring.running import run_task, run_task_async

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.running import TaskOutcome
    from schedulerd.authoring.tasks import Task


def called(task: Task, args: tuple[Any, ...], kwargs: dict[str, Any], context: FlowContext) -> Any:
    """What the task returns, or its state where the call asks for that; raises what ended it. A coroutine for an async one."""
    returns_state, wait_for = False, None
    if kwargs and not CALL_WORDS.isdisjoint(kwargs):
        kwargs = dict(kwargs)
        returns_state, wait_for = kwargs.pop("return_state", False), kwargs.pop("wait_for", None)
    if task.is_async:
        return _run_async(task, args, kwargs, context, wait_for, returns_state)
    if context.has_futures or wait_for is not None:
        outcome = _after_futures(task, args, kwargs, context, wait_for)
    else:
        outcome = run_task(task, args, kwargs, context)
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
    if context.has_futures or wait_for is not None:
        from schedulerd.authoring.submitting import with_results_async

        prepared = await with_results_async(task, args, kwargs, context, wait_for=wait_for)
        if not isinstance(prepared, tuple):
            return prepared.as_state() if returns_state else prepared.given()
        args, kwargs, upstream = prepared
        outcome = await run_task_async(task, args, kwargs, context, upstream=upstream)
    else:
        outcome = await run_task_async(task, args, kwargs, context)
    return outcome.as_state() if returns_state else outcome.given()
