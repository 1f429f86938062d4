"""What came after what in a run, and what does in a flow, as graphs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from schedulerd.domain.child_runs import AnyRun
from schedulerd.domain.flows import Flow
from schedulerd.domain.run_graphs import Plan, RunGraph, run_graph
from schedulerd.domain.runs import Run, RunFilter
from schedulerd.domain.states import RunState
from schedulerd.errors import NotFound
from schedulerd.operations.runs import RunDetails, place_of
from schedulerd.operations.selectors import find_run
from schedulerd.store.database import Database
from schedulerd.store.tasks import TaskSum
from schedulerd.store.transaction import Transaction

MEASURED: Final = 20
"""From so many runs of a flow, the newest, is told how its tasks usually do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UsualTask:
    """How the task runs of a name did: how long they took on average, and how many of `count` ended badly."""

    count: int
    bad: int
    took: timedelta | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowGraph:
    """What is known of the graph of a flow: by its definition, or else as it was in `run`; and how its tasks usually do."""

    flow: Flow
    graph: RunGraph
    run: Run | None
    usual: Mapping[str, UsualTask]


class Graphs:
    """Graphs, as somebody at an edge sees them."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def of_run(self, selector: str) -> tuple[AnyRun, RunGraph]:
        """The run that the selector names, and the graph of its task runs. Raises `NotFound` and `Ambiguous`."""
        with self._database.read() as tx:
            run = find_run(tx, selector)
            root, child = place_of(run)
            return run, run_graph(tx.tasks.tasks(root.key, child=child), _plan(tx, run))

    def of_details(self, details: RunDetails) -> RunGraph:
        """The same for a run whose tasks are known already."""
        with self._database.read() as tx:
            return run_graph(details.tasks, _plan(tx, details.run))

    def of_flow(self, name: str) -> FlowGraph:
        """The graph of the flow in force, or that of its newest run which completed with tasks. Raises `NotFound`."""
        with self._database.read() as tx:
            flow = tx.flows.get(name)
            runs = tx.runs.list(RunFilter(flows=(flow.definition.name,), limit=MEASURED))
            sums = tx.tasks.sums([run.key for run in runs])
            plan = _plan_of(flow)
            if plan is not None:
                return FlowGraph(flow=flow, graph=run_graph((), plan), run=None, usual=_usual(sums))
            run, graph = _last(tx, runs)
            return FlowGraph(flow=flow, graph=graph, run=run, usual=_usual(sums))


def _plan(tx: Transaction, run: AnyRun) -> Plan | None:
    """What was known of the run's graph before; None where its code is no longer the one in force."""
    try:
        flow = tx.flows.get(run.flow)
    except NotFound:  # a flow that was called, and is in no file that is watched
        return None
    root, _ = place_of(run)
    return _plan_of(flow) if flow.version_hash == root.version_hash else None


def _plan_of(flow: Flow) -> Plan | None:
    definition = flow.definition
    return Plan(names=definition.tasks, edges=definition.edges) if definition.tasks else None


def _last(tx: Transaction, runs: Sequence[Run]) -> tuple[Run | None, RunGraph]:
    """The newest of these runs that has tasks, before others one that completed, and its graph."""
    for run in sorted(runs, key=lambda run: run.state is not RunState.COMPLETED):
        if tasks := tx.tasks.tasks(run.key):
            return run, run_graph(tasks)
    return None, run_graph(())


def _usual(sums: Sequence[TaskSum]) -> dict[str, UsualTask]:
    by_name: dict[str, list[TaskSum]] = {}
    for one in sums:
        by_name.setdefault(one.name, []).append(one)
    return {name: _usual_task(of) for name, of in by_name.items()}


def _usual_task(sums: Sequence[TaskSum]) -> UsualTask:
    timed = sum(one.timed for one in sums)
    took = sum((one.took for one in sums), timedelta())
    return UsualTask(
        count=sum(one.count for one in sums),
        bad=sum(one.count for one in sums if one.is_bad),
        took=took / timed if timed else None,
    )
