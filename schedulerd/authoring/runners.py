"""Where submitted tasks of a flow run: threads by default; one after the other; or processes."""

from __future__ import annotations

import threading
from contextvars import copy_context
from queue import SimpleQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.task_runs import TaskRun

    Job = Callable[[], None]


class TaskRunner:
    """Runs jobs. One belongs to one flow run: `start` gives a fresh one, `end` lets it go.

    `elsewhere` is what calls the tasks where they do not run in this process; a job waits for it.
    """

    elsewhere: Callable[[TaskRun], Any] | None = None

    def start(self) -> Self:
        """A runner of this kind for one flow run."""
        raise NotImplementedError

    def begin(self, context: FlowContext) -> None:
        """The first task of this flow run is about to be submitted."""

    def run(self, job: Job) -> None:
        """Run this, now or soon, within the present context variables."""
        raise NotImplementedError

    def end(self) -> None:
        """There will be no more jobs."""


class ThreadPoolTaskRunner(TaskRunner):
    """Threads of this process, as many as there are tasks to run, or at most `max_workers`."""

    def __init__(self, max_workers: int | None = None) -> None:
        self.max_workers = max_workers_of(max_workers)
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0  # threads that wait, less the jobs that wait for one

    def __repr__(self) -> str:
        return f"{type(self).__name__}(max_workers={self.max_workers})"

    def start(self) -> Self:
        """A pool of its own for one flow run."""
        return type(self)(self.max_workers)

    def run(self, job: Job) -> None:
        """Have the next free thread run it; a new one where none is free and there may be more."""
        context = copy_context()
        with self._lock:
            self._idle -= 1
            wanted = self._idle < 0 and (self.max_workers is None or self._threads < self.max_workers)
            if wanted:
                self._threads += 1
                self._idle += 1
        self._jobs.put(lambda: context.run(job))
        if wanted:
            # A daemon thread: a task that does not end by itself must not keep the process.
            threading.Thread(target=self._work, name=f"task-{self._threads}", daemon=True).start()

    def end(self) -> None:
        """Let the threads end, each after its job."""
        with self._lock:
            for _ in range(self._threads):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            with self._lock:
                self._idle += 1


class ConcurrentTaskRunner(ThreadPoolTaskRunner):
    """Prefect 2's name of it."""


class SequentialTaskRunner(TaskRunner):
    """One task after the other, in the thread that submits it."""

    def start(self) -> Self:
        """Itself: it holds nothing."""
        return self

    def run(self, job: Job) -> None:
        """Run it now."""
        job()


def max_workers_of(given: Any) -> int | None:
    """How many tasks may run side by side; None where that is not said."""
    if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < 1):
        raise ValueError(f"max_workers must be a whole number of at least 1, or None, not {given!r}")
    return given


def runner_of(given: Any) -> TaskRunner | None:
    """The runner that a flow was given: an instance or a class, as Prefect 2 takes it; None for the default."""
    if isinstance(given, type) and issubclass(given, TaskRunner):
        given = given()
    if given is not None and not isinstance(given, TaskRunner):
        raise TypeError(f"task_runner must be a task runner such as ThreadPoolTaskRunner(), not {given!r}")
    return given
