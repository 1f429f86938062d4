"""The graph of a run: its task runs as nodes, those of a mapped task as one, and which came after which. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from schedulerd.domain.graph import predecessors, topological_order
from schedulerd.domain.states import UNFINISHED_TASKS, WORST_FIRST, TaskState
from schedulerd.domain.tasks import TaskRun

Edges = Sequence[tuple[int, int]]

FOLDED_ABOVE: Final = 300
"""Where there are more nodes, those of one name that are equally far from the beginning are one."""

_MANY: Final = 1_000  # a graph records no more of what comes before

MOST_NODES: Final = 400
MOST_EDGES: Final = 1_500


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The nodes of a flow that were known before the run, by name, and pairs (before, after) of their places."""

    names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunNode:
    """One task run, or with `is_group` all of a mapped task: how many of them are in which state, the worst first.

    `key` is its own within the graph, and stays while the run goes on. `task` is the number of the task run, or of the first
    of several; it is None for what has not begun, which is in no state.
    """

    key: str
    name: str
    task: int | None
    is_group: bool
    counts: Mapping[TaskState, int]

    @property
    def state(self) -> TaskState | None:
        """The worst state of its task runs."""
        return next(iter(self.counts), None)

    @property
    def total(self) -> int:
        """How many task runs it is."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """How many of them have ended, however."""
        return sum(number for state, number in self.counts.items() if state not in UNFINISHED_TASKS)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunGraph:
    """Nodes, and edges as pairs (before, after) of places among them; `left_out` task runs and edges are not in it."""

    nodes: tuple[RunNode, ...]
    edges: tuple[tuple[int, int], ...]
    left_out: int = 0
    edges_left_out: int = 0


def run_graph(tasks: Sequence[TaskRun], plan: Plan | None = None) -> RunGraph:
    """The graph of these task runs; by the plan of their flow, where there is one that all of them are of."""
    if plan is not None and (groups := _planned(tasks, plan)) is not None:
        planned = [_node(f"n{place}", name, groups[place]) for place, name in enumerate(plan.names)]
        return _bounded(planned, set(plan.edges))
    return _unplanned(tasks)


def _node(key: str, name: str, tasks: Sequence[TaskRun], *, is_folded: bool = False) -> RunNode:
    counts = Counter(task.state for task in tasks)
    return RunNode(
        key=key,
        name=name,
        task=tasks[0].number if tasks else None,
        is_group=is_folded or (bool(tasks) and tasks[0].map_index is not None),
        counts={state: counts[state] for state in WORST_FIRST if state in counts},
    )


# -- by a plan ----------------------------------------------------------------------------------------------------


def _planned(tasks: Sequence[TaskRun], plan: Plan) -> list[list[TaskRun]] | None:
    """The task runs of each node; None where one of them is of none, because it has a name of its own, say.

    Nodes of the same name are told apart by what they come after; where that is the same too, they are alike.
    """
    before = predecessors(len(plan.names), plan.edges)
    groups: list[list[TaskRun]] = [[] for _ in plan.names]
    of_name: dict[str, list[TaskRun]] = {}
    for task in tasks:
        of_name.setdefault(task.name, []).append(task)
    node_of: dict[int, int] = {}
    for place in topological_order(len(plan.names), plan.edges):
        known = of_name.get(plan.names[place], [])
        fitting = [task for task in known if _comes_after(task, before[place], node_of)]
        groups[place] = _of_one_node(fitting)
        taken = {task.number for task in groups[place]}
        of_name[plan.names[place]] = [task for task in known if task.number not in taken]
        node_of |= dict.fromkeys(taken, place)
    return groups if len(node_of) == len(tasks) else None


def _comes_after(task: TaskRun, before: Sequence[int], node_of: Mapping[int, int]) -> bool:
    """Are the task runs before this one of just these nodes? Of very many, not all are recorded."""
    found = {node_of.get(number) for number in task.upstream}
    return found == set(before) or (len(task.upstream) >= _MANY and found <= set(before))


def _of_one_node(fitting: Sequence[TaskRun]) -> list[TaskRun]:
    """The first of them; or of a mapped task the first with each index."""
    if not fitting or fitting[0].map_index is None:
        return list(fitting[:1])
    by_index: dict[int | None, TaskRun] = {}
    for task in fitting:
        by_index.setdefault(task.map_index, task)
    return sorted(by_index.values(), key=lambda task: task.number)


# -- without one --------------------------------------------------------------------------------------------------


def _unplanned(tasks: Sequence[TaskRun]) -> RunGraph:
    layers = _layers(tasks)
    mapped = [None if task.map_index is None else (task.name, layers[task.number]) for task in tasks]
    is_large = len(set(mapped)) - 1 + mapped.count(None) > FOLDED_ABOVE
    groups: dict[tuple[str, int] | int, list[TaskRun]] = {}
    for task, of in zip(tasks, mapped, strict=True):
        key = (task.name, layers[task.number]) if is_large else of or task.number
        groups.setdefault(key, []).append(task)
    place_of = {task.number: place for place, group in enumerate(groups.values()) for task in group}
    nodes = [
        _node(f"t{group[0].number}", group[0].name, group, is_folded=len(group) > 1)
        for group in groups.values()
    ]
    edges = {
        (place_of[number], place_of[task.number])
        for task in tasks
        for number in task.upstream
        if number in place_of and number < task.number
    }
    return _bounded(nodes, edges)


def _layers(tasks: Sequence[TaskRun]) -> dict[int, int]:
    """How many came one after the other up to each. A task run comes after such with lower numbers only."""
    layers: dict[int, int] = {}
    for task in sorted(tasks, key=lambda task: task.number):
        layers[task.number] = 1 + max(
            (layers.get(number, -1) for number in task.upstream if number < task.number), default=-1
        )
    return layers


def _bounded(nodes: Sequence[RunNode], edges: set[tuple[int, int]]) -> RunGraph:
    """No more of it than is drawn: the first nodes, in an order in which they can run."""
    if len(nodes) > MOST_NODES:
        chosen = topological_order(len(nodes), edges)[:MOST_NODES]
        place_of = dict(zip(chosen, count()))
        left_out = sum(max(1, node.total) for node in nodes) - sum(max(1, nodes[one].total) for one in chosen)
        nodes = [nodes[one] for one in chosen]
        edges = {(place_of[a], place_of[b]) for a, b in edges if a in place_of and b in place_of}
    else:
        left_out = 0
    shown = sorted(edges)[:MOST_EDGES]
    return RunGraph(
        nodes=tuple(nodes), edges=tuple(shown), left_out=left_out, edges_left_out=len(edges) - len(shown)
    )
