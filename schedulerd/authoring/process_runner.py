"""Tasks in processes: those that a flow submits, by its task runner, or one that asks for a process of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from schedulerd.authoring.runners import TaskRunner, ThreadPoolTaskRunner, max_workers_of
from schedulerd.authoring.workers import Workers

if TYPE_CHECKING:
    from typing import Any, Self

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.runners import Job
    from schedulerd.authoring.task_runs import TaskRun


class ProcessPoolTaskRunner(TaskRunner):
    """Processes of this machine: at most `max_workers`, or as many as there are processors.

    The flow's process attempts and records the tasks, and has each called in a process: one that takes its turn with
    other tasks, until it is killed at a task's limit or goes away by itself. Arguments and results go by pickle.
    """

    def __init__(self, max_workers: int | None = None) -> None:
        self.max_workers = max_workers_of(max_workers) or os.cpu_count() or 1
        self._threads = ThreadPoolTaskRunner(self.max_workers)
        self._workers: Workers | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(max_workers={self.max_workers})"

    def start(self) -> Self:
        """A pool of its own for one flow run."""
        return type(self)(self.max_workers)

    def begin(self, context: FlowContext) -> None:
        """Make the process from which the others are forked, before there are threads."""
        self._workers = Workers(context)
        self.elsewhere = self._workers.call

    def run(self, job: Job) -> None:
        """Have the next free thread run it, which waits for the process."""
        self._threads.run(job)

    def end(self) -> None:
        """End the processes; tasks that go on in them are cancelled."""
        self._threads.end()
        if self._workers is not None:
            self._workers.end()


def in_own_process(run: TaskRun) -> Any:
    """Call the task of this run in a process of its own: what it returns; raises what it raises."""
    context = run.context
    if context.workers is None:
        context.workers = Workers(context)
    return context.workers.call_once(run)
