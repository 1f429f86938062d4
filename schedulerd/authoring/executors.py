"""Where the tasks of a graph run: one after the other in the thread of the flow, or beside each other elsewhere."""

from __future__ import annotations

import os
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from schedulerd.authoring.outcomes import is_cancellation
from schedulerd.authoring.runners import ThreadPoolTaskRunner

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from schedulerd.authoring.agenda import Agenda, Turn
    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.graph_task_runs import GraphTaskRun
    from schedulerd.authoring.outcomes import TaskOutcome
    from schedulerd.authoring.runners import TaskRunner

    Ended = tuple[Turn, TaskOutcome | None, BaseException | None]


class Executor:
    """Where tasks run. `caution` is what a run is to say about it, if anything."""

    is_sequential = True
    caution = ""

    def carry_out(
        self,
        agenda: Agenda,
        prepared: Callable[[Turn], GraphTaskRun | None],
        settle: Callable[[Turn, TaskOutcome | None], None],
    ) -> None:
        """Run all turns of an agenda, one after the other."""
        agenda.carry_out(prepared, settle)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class LocalExecutor(Executor):
    """One task after the other, in the thread of the flow: the default."""


class LocalDaskExecutor(Executor):
    """Tasks that do not depend on each other beside each other, in at most `num_workers` threads or processes.

    The name is Prefect 1's; Dask itself is not needed. `scheduler` may be "threads", "processes", or "sync" (one after
    the other).
    """

    def __init__(self, scheduler: str = "threads", num_workers: int | None = None, **more: Any) -> None:
        kinds = {"threads": "threads", "threading": "threads", "processes": "processes"}
        kinds |= {"multiprocessing": "processes", "sync": "sync", "synchronous": "sync"}
        if scheduler not in kinds:
            raise ValueError(f'scheduler must be "threads", "processes" or "sync", not {scheduler!r}')
        self.scheduler = kinds[scheduler]
        self.num_workers = _workers(num_workers if num_workers is not None else more.pop("n_workers", None))
        self.is_sequential = self.scheduler == "sync"

    def _pool(self, context: FlowContext) -> TaskRunner:
        """What attempts the tasks of this flow run."""
        if self.scheduler != "processes":
            return ThreadPoolTaskRunner().start()
        from schedulerd.authoring.process_runner import (
            ProcessPoolTaskRunner,  # late: it loads multiprocessing
        )

        pool = ProcessPoolTaskRunner(self.num_workers)
        pool.begin(context)
        return pool

    def carry_out(
        self,
        agenda: Agenda,
        prepared: Callable[[Turn], GraphTaskRun | None],
        settle: Callable[[Turn, TaskOutcome | None], None],
    ) -> None:
        """Run all turns of an agenda, as many beside each other as there are workers.

        What is to run is decided in this thread only; the threads attempt.
        """
        pool = self._pool(agenda.context)
        ended: SimpleQueue[Ended] = SimpleQueue()
        going_on: set[Turn] = set()
        try:
            while True:
                while len(going_on) < self.num_workers and (turn := _next(agenda, going_on)) is not None:
                    if (run := prepared(turn)) is not None:
                        going_on.add(turn)
                        _hand_over(pool, turn, run, ended)
                if not going_on:
                    return
                try:
                    turn, outcome, error = ended.get(timeout=agenda.seconds_to_next())
                except Empty:
                    continue
                if turn not in going_on:  # its time was over, and it ended after all
                    continue
                going_on.discard(turn)
                if error is not None:
                    raise error
                settle(turn, outcome)
        except BaseException as cut:
            _cut_short(going_on, cut)
            raise
        finally:
            pool.end()


class DaskExecutor(LocalDaskExecutor):
    """The workers of a Dask cluster, as Prefect 1 has it: see `DaskTaskRunner` of `schedulerd.task_runners`."""

    def __init__(
        self,
        address: str | None = None,
        cluster_class: Any = None,
        cluster_kwargs: dict[str, Any] | None = None,
        adapt_kwargs: dict[str, Any] | None = None,
        client_kwargs: dict[str, Any] | None = None,
        debug: bool = False,
        performance_report_path: str | None = None,
        **more: Any,
    ) -> None:
        if more:
            raise TypeError(f"DaskExecutor() does not know {', '.join(more)}")
        from schedulerd.authoring.dask_runner import DaskTaskRunner  # late: it is dear to load

        super().__init__("threads", _MOST_TURNS)
        self.runner = DaskTaskRunner(address, cluster_class, cluster_kwargs, adapt_kwargs, client_kwargs)
        if performance_report_path is not None:
            self.caution = "no performance report is written: that is Dask's own, with its dashboard"

    def _pool(self, context: FlowContext) -> TaskRunner:
        """A connection to the cluster for this flow run."""
        pool = self.runner.start()
        pool.begin(context)
        return pool


_MOST_TURNS = 256  # that wait for a cluster at a time, each in a thread


def executor_of(given: Any) -> Executor:
    """The executor that a flow was given, an instance or a class; raises `TypeError` for what is none."""
    if isinstance(given, type) and issubclass(given, Executor):
        given = given()
    if not isinstance(given, Executor):
        raise TypeError(f"executor must be an executor such as LocalDaskExecutor(), not {given!r}")
    return given


def _next(agenda: Agenda, going_on: set[Turn]) -> Turn | None:
    """A turn that can be taken now; waited for where nothing else goes on."""
    return agenda.ready() if going_on else agenda.next_turn()


def _cut_short(going_on: set[Turn], error: BaseException) -> None:
    """Record those that go on as cancelled, where the whole run is."""
    for turn in going_on if is_cancellation(error) else ():
        if turn.run is not None:
            turn.run.abandoned(error)


def _hand_over(pool: TaskRunner, turn: Turn, run: GraphTaskRun, ended: SimpleQueue[Ended]) -> None:
    def attempt() -> None:
        try:
            outcome = turn.attempt(run)
        except BaseException as error:  # border: it ends more than the task; the flow's thread raises it
            ended.put((turn, None, error))
        else:
            ended.put((turn, outcome, None))

    run.elsewhere = run.elsewhere or pool.elsewhere
    run.abandon = lambda outcome: ended.put((turn, outcome, None))
    pool.run(attempt)


def _workers(given: Any) -> int:
    if given is None:
        return max(4, os.cpu_count() or 1)
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ValueError(f"num_workers must be a whole number of at least 1, not {given!r}")
    return int(given)
