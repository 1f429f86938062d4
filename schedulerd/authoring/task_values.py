"""One call of a task's function: within its time limit, in an event loop where it needs one, in another process where it asks."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from schedulerd.authoring.task_runs import TaskRun
    from schedulerd.authoring.tasks import Task


class TaskTimedOut(TimeoutError):
    """A task did not end within its `timeout_seconds`."""

    def __init__(self, task: Task) -> None:
        super().__init__(f"task {task.name!r} did not end within {task.timeout_seconds:g} s")


def value_of(run: TaskRun) -> Any:
    """What the task returns, wherever it is to be called. Raises what it raises, and `TaskTimedOut`."""
    if run.elsewhere is not None:
        return run.elsewhere(run)
    return value_here(run)


async def value_of_async(run: TaskRun) -> Any:
    """The same for an async task within an event loop."""
    if run.elsewhere is not None:
        from asyncio import to_thread

        return await to_thread(run.elsewhere, run)
    if run.task.timeout_seconds is not None:
        return await _within_limit_async(run)
    return await run.task.run(*run.args, **run.kwargs)


def value_here(run: TaskRun) -> Any:
    """What the task returns, called in this process."""
    task = run.task
    if task.timeout_seconds is not None:
        return _in_a_loop(_within_limit_async(run)) if task.is_async else _within_limit(run)
    value = task.run(*run.args, **run.kwargs)
    return _in_a_loop(value) if task.is_async else value


def in_own_process(run: TaskRun) -> Any:
    """What the task returns, called in a process of its own."""
    from schedulerd.authoring.process_runner import in_own_process  # late: few tasks have one

    return in_own_process(run)


def _within_limit(run: TaskRun) -> Any:
    from schedulerd.authoring.time_limits import within  # late: loads threading and signal

    task = run.task
    assert task.timeout_seconds is not None
    return within(
        task.timeout_seconds,
        lambda: task.run(*run.args, **run.kwargs),
        over=lambda: TaskTimedOut(task),
        stuck=None if run.abandon is None else run.give_up,
    )


async def _within_limit_async(run: TaskRun) -> Any:
    from schedulerd.authoring.time_limits import within_async

    task = run.task
    assert task.timeout_seconds is not None
    return await within_async(
        task.timeout_seconds, lambda: task.run(*run.args, **run.kwargs), over=lambda: TaskTimedOut(task)
    )


def _in_a_loop(coroutine: Any) -> Any:
    from asyncio import run  # late: only async tasks need it

    return run(coroutine)
