"""How a task runs: the one place that knows attempts, time limits, the cache, recording and failures.

Both styles hand it tasks and decide only which, when and with what.
"""

from __future__ import annotations

from schedulerd.authoring.context import task_run
from schedulerd.authoring.outcomes import Cancelled, TaskOutcome, exit_call, is_cancellation, is_clean_exit
from schedulerd.authoring.task_runs import TaskRun
from schedulerd.authoring.task_values import TaskTimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.tasks import Task

__all__ = [
    "Cancelled",
    "TaskOutcome",
    "TaskRun",
    "TaskTimedOut",
    "carry_out",
    "exit_call",
    "is_cancellation",
    "is_clean_exit",
    "run_task",
    "run_task_async",
]


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
    return carry_out(TaskRun(task, args, kwargs, context, upstream=upstream))


def carry_out(run: TaskRun) -> TaskOutcome:
    """The same for a task run that is made already."""
    token = task_run.set(run)
    try:
        while (outcome := run.attempt_once()) is None:
            run.rest()
        return outcome
    finally:
        task_run.reset(token)


async def run_task_async(
    task: Task,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    context: FlowContext,
    *,
    upstream: tuple[int, ...] = (),
) -> TaskOutcome:
    """The same for an async task within an event loop, which goes on while the task waits."""
    run = TaskRun(task, args, kwargs, context, upstream=upstream)
    token = task_run.set(run)
    try:
        while (outcome := await run.attempt_once_async()) is None:
            await run.rest_async()
        return outcome
    finally:
        task_run.reset(token)
