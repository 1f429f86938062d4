"""One run of a graph: which task runs when, and with what."""

from __future__ import annotations

from sys import modules

from schedulerd.authoring.agenda import Agenda, Turn
from schedulerd.authoring.bindings import Each, fill, items_of
from schedulerd.authoring.graph_states import (
    Failed,
    Mapped,
    Paused,
    Pending,
    Skipped,
    State,
    States,
    Success,
    TriggerFailed,
)
from schedulerd.authoring.graph_task_runs import GraphTaskRun, through_handlers
from schedulerd.authoring.nodes import Node
from schedulerd.authoring.records import TaskRecord
from schedulerd.authoring.signals import Signal
from schedulerd.domain.graph import predecessors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.executors import Executor
    from schedulerd.authoring.graphs import Flow
    from schedulerd.authoring.nodes import Parameter
    from schedulerd.authoring.outcomes import TaskOutcome

WARNING = 30  # logging's number, without its import
MOST_UPSTREAM = 1_000  # numbers of task runs that a record names as what it came after


class Spread:
    """A node that is mapped, once it is known over how much: the states and values of its tasks, by index."""

    __slots__ = ("items", "left", "numbers", "states", "values", "waits")

    def __init__(self, size: int, items: dict[Each, list[Any]]) -> None:
        self.items = items
        self.states: list[State | None] = [None] * size
        self.values: list[Any] = [None] * size
        self.numbers: list[int] = [0] * size
        self.waits = [0] * size
        self.left = size


class GraphRun:
    """One run of a graph: what is known so far, and whose turn it is.

    A node has its turn when all before it have ended. One that is mapped is spread out as soon as it is known over how
    much; each of its tasks then waits for the items that it is given, and goes before what was ready earlier, so that
    one item goes through a row of mapped tasks before the next.
    """

    def __init__(self, flow: Flow, inputs: Mapping[Node | Parameter, Any], context: FlowContext) -> None:
        self._flow = flow
        self._context = context
        self._agenda = Agenda(context)
        self._before = predecessors(len(flow.nodes), flow.edges)
        self._after: list[list[int]] = [[] for _ in flow.nodes]
        for first, second in flow.edges:
            self._after[first].append(second)
        self._waits = [len(before) for before in self._before]
        self._ended: list[State | None] = [None] * len(flow.nodes)
        self._spread: dict[int, Spread] = {}
        self._values: dict[Node | Parameter, Any] = dict(inputs)
        self._states = States({parameter: Success(result=value) for parameter, value in inputs.items()})
        self._numbers: list[tuple[int, ...]] = [()] * len(flow.nodes)
        self._failed: list[tuple[Node, int | None, State]] = []

    # -- going on -----------------------------------------------------------------------------------------------

    def carry_out(self, executor: Executor | None) -> None:
        """Run all tasks to their ends, where the executor runs them: by default one after the other, here."""
        for node in self._flow.nodes:
            if not self._waits[node.number]:
                self._ready(node)
        if executor is not None:
            from schedulerd.authoring.executors import executor_of  # late: loads threading

            executor = executor_of(executor)
            if executor.caution:
                self._context.log(WARNING, executor.caution)
        if executor is None or executor.is_sequential:
            self._agenda.carry_out(self.prepared, self.settle)
        else:
            executor.carry_out(self._agenda, self.prepared, self.settle)

    def prepared(self, turn: Turn) -> GraphTaskRun | None:
        """The task run of a turn, ready to be attempted; None when it has ended without one."""
        if turn.refusal is not None:
            assert turn.run is not None
            self.settle(turn, turn.run.refuse(turn.refusal))
            return None
        if turn.run is not None:
            return turn.run
        node, index = turn.node, turn.index
        if node.is_mapped and index is None:
            self._spread_out(node)
            return None
        upstream = self._upstream_numbers(node, index)
        verdict = self._verdict(node, self._states_before(node, index))
        paused: Paused | None = None
        if isinstance(verdict, Paused):
            verdict, paused = None, verdict
        if verdict is None:
            try:
                args, kwargs = self._arguments(node, index)
            except Exception as error:  # border: items and containers of the user's
                verdict = Failed(f"its arguments cannot be made: {error}", error)
            else:
                turn.run = GraphTaskRun(
                    node.task, args, kwargs, self._context, upstream=upstream, map_index=index
                )
                if paused is None:
                    return turn.run
                turn.run.pause_in(paused)
                self._agenda.hold(turn)
                return None
        self._end_unrun(node, index, verdict, upstream)
        return None

    def settle(self, turn: Turn, outcome: TaskOutcome | None) -> None:
        """A turn is over: the task has ended, or waits for its next attempt."""
        assert turn.run is not None
        if outcome is None and turn.run.paused is not None:
            self._agenda.hold(turn)
        elif outcome is None:
            self._agenda.wait(turn)
        else:
            self._end(turn.node, turn.index, turn.run.state(outcome), outcome.number)

    # -- what comes before --------------------------------------------------------------------------------------

    def _states_before(self, node: Node, index: int | None) -> list[tuple[int, State]]:
        found: list[tuple[int, State]] = []
        for number in self._before[node.number]:
            spread = self._spread.get(number) if index is not None and number in node.items_of else None
            state = self._ended[number] if spread is None or index is None else spread.states[index]
            found.append((number, Mapped() if state is None else state))
        return found

    def _verdict(self, node: Node, before: list[tuple[int, State]]) -> State | None:
        """The state in which a task ends without having run, by those before it; None when it is to run."""
        if all(type(state) is Success for _, state in before) and node.task.trigger is None:
            return None
        task = node.task
        each = [(number, one) for number, state in before for one in _each_of(state)]
        if task.skip_on_upstream_skip and any(isinstance(state, Skipped) for _, state in each):
            return Skipped("something before it was skipped")
        if task.trigger is not None:
            return self._triggered(node, before)
        for number, state in each:
            if not state.is_successful() and number not in node.tolerates:
                return TriggerFailed(f"{self._flow.nodes[number].name} did not complete")
        return None

    def _triggered(self, node: Node, before: list[tuple[int, State]]) -> State | None:
        from schedulerd.authoring.imperative import Edge
        from schedulerd.authoring.triggers import refused

        nodes = self._flow.nodes
        edges = {Edge(nodes[number], node, mapped=number in node.items_of): state for number, state in before}
        return refused(node.task, edges)

    def _upstream_numbers(self, node: Node, index: int | None) -> tuple[int, ...]:
        numbers: list[int] = []
        for number in self._before[node.number]:
            spread = self._spread.get(number) if index is not None and number in node.items_of else None
            if spread is None or index is None:
                numbers += self._numbers[number]
            else:
                numbers.append(spread.numbers[index])
        return tuple(numbers[:MOST_UPSTREAM])

    def _arguments(self, node: Node, index: int | None) -> tuple[tuple[Any, ...], dict[str, Any]]:
        values = self._values
        if index is None:
            args = tuple([fill(value, values) for value in node.args])
            return args, {key: fill(value, values) for key, value in node.kwargs.items()}
        items = self._spread[node.number].items
        return (
            tuple([items[v][index] if type(v) is Each else fill(v, values) for v in node.args]),
            {k: items[v][index] if type(v) is Each else fill(v, values) for k, v in node.kwargs.items()},
        )

    # -- mapped nodes -------------------------------------------------------------------------------------------

    def _ready(self, node: Node) -> None:
        """All that a node waits for is there. One that is mapped is spread out before anything else goes on."""
        if node.is_mapped:
            self._agenda.add_next(node)
        else:
            self._agenda.add(node)

    def _spread_out(self, node: Node) -> None:
        whole = [
            (n, s)
            for n, s in self._states_before(node, None)
            if n not in self._spread or n not in node.items_of
        ]
        is_whole = len(whole) == len(self._before[node.number])
        verdict = self._verdict(node, whole) if is_whole or node.task.trigger is None else None
        if verdict is None or isinstance(verdict, Paused):  # each of its tasks is asked about
            verdict = None
            try:
                size, items = self._sizes(node)
            except Exception as error:  # border: what is mapped over is the user's
                verdict = Failed(str(error), error)
        if verdict is not None:
            self._end_unrun(node, None, verdict, self._upstream_numbers(node, None))
            return
        spread = self._spread[node.number] = Spread(size, items)
        sources = [self._spread[number] for number in node.items_of if number in self._spread]
        self._tell_spread(node)
        for index in range(size):
            spread.waits[index] = sum(source.states[index] is None for source in sources)
            if not spread.waits[index]:
                self._agenda.add(node, index)
        if not size:
            self._record_empty(node)
            self._end_node(node, Mapped("nothing to map over", [], map_states=[]))

    def _sizes(self, node: Node) -> tuple[int, dict[Each, list[Any]]]:
        """Over how much a node is mapped, the shortest of its arguments, and the items of each."""
        items: dict[Each, list[Any]] = {}
        for value in (*node.args, *node.kwargs.values()):
            if type(value) is Each:
                items[value] = self._items(node, value)
        lengths = [len(several) for several in items.values()]
        for number in node.items_of:
            if number in self._spread:
                lengths.append(len(self._spread[number].states))
            else:  # one of `upstream_tasks`, whose value may be anything: it counts where it is a list
                value = self._values.get(self._flow.nodes[number])
                lengths += [len(value)] if isinstance(value, list | tuple) else []
        if not lengths:
            raise TypeError(f"{node.name} has nothing to map over")
        return min(lengths), items

    def _items(self, node: Node, each: Each) -> list[Any]:
        source = each.bound
        if isinstance(source, Node) and source.number in node.items_of and source.number in self._spread:
            return self._spread[source.number].values
        return items_of(fill(source, self._values))

    def _tell_spread(self, node: Node) -> None:
        """Nodes that are given its items one by one wait for it no longer."""
        for number in self._after[node.number]:
            if node.number in self._flow.nodes[number].items_of:
                self._one_less(number)

    # -- ends ---------------------------------------------------------------------------------------------------

    def _end_unrun(self, node: Node, index: int | None, verdict: State, upstream: tuple[int, ...]) -> None:
        if node.task.state_handlers:
            verdict = through_handlers(node.task, Pending(), verdict)
        number = next(self._context.numbers)
        if isinstance(verdict, Failed) and isinstance(verdict.result, Exception):
            from schedulerd.authoring.failures import (
                describe_failure,
            )  # late: loads dataclasses and traceback

            if not isinstance(verdict.result, Signal):
                verdict.failure = describe_failure(verdict.result, task=node.name, called=node.task.fn)
        self._context.recorder.task(
            TaskRecord(
                number,
                node.task.name,
                verdict.word,
                self._context.now(),
                within=self._context.within,
                map_index=index,
                upstream=upstream,
                message=verdict.message,
                failure=verdict.failure,
            )
        )
        self._end(node, index, verdict, number)

    def _record_empty(self, node: Node) -> None:
        number = next(self._context.numbers)
        self._context.recorder.task(
            TaskRecord(
                number,
                node.task.name,
                "completed",
                self._context.now(),
                within=self._context.within,
                upstream=self._upstream_numbers(node, None),
                message="nothing to map over",
            )
        )
        self._numbers[node.number] = (number,)

    def _end(self, node: Node, index: int | None, state: State, number: int) -> None:
        if isinstance(state, Failed) and not isinstance(state, TriggerFailed):
            self._failed.append((node, index, state))
            _raise_where_wanted(state)
        if index is None:
            self._numbers[node.number] = (number,)
            self._end_node(node, state)
            return
        spread = self._spread[node.number]
        spread.states[index], spread.values[index], spread.numbers[index] = state, state.result, number
        spread.left -= 1
        for follower in self._after[node.number]:
            following = self._spread.get(follower)
            if following is None or node.number not in self._flow.nodes[follower].items_of:
                continue
            if index < len(following.waits):
                following.waits[index] -= 1
                if not following.waits[index]:
                    self._agenda.add_next(self._flow.nodes[follower], index)
        if not spread.left:
            self._numbers[node.number] = tuple(spread.numbers)
            self._end_node(node, Mapped("", list(spread.values), map_states=spread.states))

    def _end_node(self, node: Node, state: State) -> None:
        number = node.number
        self._ended[number] = state
        self._states[node] = state
        self._values[node] = state.result
        is_spread = number in self._spread
        for follower in self._after[number]:
            if not (is_spread and number in self._flow.nodes[follower].items_of):
                self._one_less(follower)

    def _one_less(self, number: int) -> None:
        self._waits[number] -= 1
        if not self._waits[number]:
            self._ready(self._flow.nodes[number])

    # -- the flow's state ---------------------------------------------------------------------------------------

    def state(self) -> State:
        """The flow's state: that of its reference tasks."""
        flow, states = self._flow, self._states
        each = [one for node in flow.references() for one in _each_of(states[node])]
        if all(state.is_successful() for state in each):
            return Success(self._said_of_success(), states)
        failed = {node.number: node.name for node, _, _ in self._failed}
        names = ", ".join(failed.values())
        if failed:
            message = f"{len(failed)} of {_tasks(len(flow.nodes))} failed: {names}"
            failure = self._failed[0][2].failure
        else:
            first = next(state for state in each if not state.is_successful())
            message, failure = first.message, first.failure
        return Failed(message, states, failure=failure)

    def _said_of_success(self) -> str:
        total = len(self._flow.nodes)
        if total == 0:
            return "the flow has no tasks"
        each = [one for node in self._flow.nodes for one in _each_of(self._states[node])]
        skipped = sum(isinstance(state, Skipped) for state in each)
        if self._failed or not all(state.is_successful() for state in each):
            return "the reference tasks completed"
        text = "1 task completed" if total == 1 else f"all {total} tasks completed"
        return f"{text} ({skipped} skipped)" if skipped else text


def _raise_where_wanted(state: State) -> None:
    """Within `raise_on_exception()`, raise what a task raised."""
    values = modules.get("schedulerd.authoring.context_values")
    if values is None or not isinstance(state.result, BaseException):
        return
    if values.ContextValues().get("raise_on_exception"):
        raise state.result


def _each_of(state: State) -> list[State]:
    """The states that a state stands for: those of a `.map()`, or itself."""
    return state.map_states if isinstance(state, Mapped) else [state]


def _tasks(number: int) -> str:
    return "1 task" if number == 1 else f"{number} tasks"
