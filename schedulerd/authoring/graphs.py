"""The graph style: a flow that is drawn first, inside `with Flow(...)`, and run later."""

from __future__ import annotations

from schedulerd.authoring import loading
from schedulerd.authoring.bindings import bind, fill
from schedulerd.authoring.context import drawing, flow_run
from schedulerd.authoring.flows import ERROR, INFO, AnyFlow
from schedulerd.authoring.graph_states import Failed, State, States, Success, state_of
from schedulerd.authoring.names import require_names
from schedulerd.authoring.nodes import Node, Parameter
from schedulerd.authoring.running import hold_back, run_task
from schedulerd.authoring.tasks import Task
from schedulerd.domain.graph import Cyclic, predecessors, terminal, topological_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextvars import Token
    from types import TracebackType
    from typing import Any, Self, Unpack

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.schedules import Schedule
    from schedulerd.authoring.surroundings import Surroundings


class Flow(AnyFlow):
    """A graph of tasks: `with Flow("name") as flow:` draws it, `flow.run()` runs it."""

    style = "graph"

    def __init__(
        self,
        name: str,
        schedule: Schedule | Iterable[Schedule] | None = None,
        *,
        description: str = "",
        tags: Iterable[str] = (),
        timeout_seconds: float | str | None = None,
        pool: str | None = None,
        priority: int = 0,
        max_running: int | None = None,
        **surroundings: Unpack[Surroundings],
    ) -> None:
        self.nodes: list[Node] = []
        self.edges: dict[tuple[int, int], None] = {}  # in the order drawn, each once
        self.inputs: dict[str, Parameter] = {}
        self._bare: dict[int, Node] = {}
        self._drawings: list[Token[Flow | None]] = []
        super().__init__(
            name,
            schedule=schedule,
            description=description,
            tags=tags,
            timeout_seconds=timeout_seconds,
            pool=pool,
            priority=priority,
            max_running=max_running,
            surroundings=surroundings,
        )

    def __repr__(self) -> str:
        return f"<Flow {self.name!r}>"

    def __enter__(self) -> Self:
        self._drawings.append(drawing.set(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        drawing.reset(self._drawings.pop())
        if kind is None:
            self.order()

    def draw(self, task: Task, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Node:
        """A new node: the task with these arguments, after those that they come from and after `upstream_tasks`."""
        before = kwargs.pop("upstream_tasks", ())
        sources: list[Node | Parameter] = []
        bound_args = tuple(bind(value, self._take, sources) for value in args)
        bound_kwargs = {key: bind(value, self._take, sources) for key, value in kwargs.items()}
        sources += self._each(before)
        if loading.is_loading():
            _require_fit(task, args, kwargs)
        node = self._new(task)
        node.args, node.kwargs = bound_args, bound_kwargs
        for source in sources:
            if isinstance(source, Node):
                self.edges[source.number, node.number] = None
        return node

    def add(self, task: Task) -> Node:
        """The node of a task that stands in the graph by itself, uncalled; made when it is first met."""
        known = self._bare.get(id(task))
        if known is None:
            known = self._bare[id(task)] = self._new(task)
        return known

    def take(self, parameter: Parameter) -> Parameter:
        """Make a parameter one of this flow's inputs."""
        if self.inputs.setdefault(parameter.name, parameter) is not parameter:
            raise ValueError(f"flow {self.name!r} has two parameters named {parameter.name!r}")
        return parameter

    def connect(self, before: Any, after: Any) -> None:
        """Let one task, or several in a list, run before another, or before several."""
        for first in self._each(before):
            for second in self._each(after):
                if isinstance(first, Node) and isinstance(second, Node):
                    self.edges[first.number, second.number] = None

    def order(self) -> list[int]:
        """The numbers of the nodes in the order in which they run; raises `ValueError` when they go in a circle."""
        try:
            return topological_order(len(self.nodes), self.edges)
        except Cyclic as error:
            circle = " → ".join(self.nodes[number].name for number in (*error.cycle, error.cycle[0]))
            raise ValueError(f"the tasks of flow {self.name!r} go in a circle: {circle}") from None

    def run(self, parameters: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """Run the graph here and now, one task after the other, and return its `State`; needs no daemon.

        Parameters are given as a dict or by name. Raises `ValueError` for those that are missing or unknown.
        """
        if drawing.get() is not None:
            raise RuntimeError(
                f"flow {self.name!r} cannot run inside `with Flow(...)`: run it after the block"
            )
        if loading.is_loading():
            loading.note_done(self, "run", () if parameters is None else (parameters,), more)
            return loading.placeholder()
        context, outer = self._context(), flow_run.get()
        if outer is not None:
            outer.log(INFO, f"flow {self.name} runs within {outer.name}")
        state = self.perform({**(parameters or {}), **more}, context)
        context.log(INFO if state.is_successful() else ERROR, f"{self.name}: {state.name}: {state.message}")
        return state

    def perform(self, parameters: Mapping[str, Any], context: FlowContext) -> State:
        """Run within `context`; the state's result holds the states of the tasks."""
        graph = _GraphRun(self, self._inputs(parameters), context)
        token = flow_run.set(context)
        try:
            for number in self.order():
                graph.run(self.nodes[number])
        finally:
            flow_run.reset(token)
        return graph.state()

    def references(self) -> list[Node]:
        """The tasks that decide the flow's state: those that none comes after."""
        return [self.nodes[number] for number in terminal(len(self.nodes), self.edges)]

    def value(self, state: State) -> Any:
        """What the reference tasks returned: the value of a single one, else those that are not None by name."""
        nodes = self.references()
        values = {node.name: state.result[node].result for node in nodes} if state.is_successful() else {}
        given = {name: value for name, value in values.items() if value is not None}
        return next(iter(given.values()), None) if len(nodes) == 1 else given or None

    def _new(self, task: Task) -> Node:
        node = Node(self, task, len(self.nodes))
        self.nodes.append(node)
        return node

    def _take(self, source: Node | Task | Parameter) -> Node | Parameter:
        if isinstance(source, Parameter):
            return self.take(source)
        if isinstance(source, Task):
            return self.add(source)
        if source.flow is not self:
            raise ValueError(f"{source.name} stands in flow {source.flow.name!r}, not in {self.name!r}")
        return source

    def _each(self, given: Any) -> list[Node | Parameter]:
        several = () if given is None else given if isinstance(given, list | tuple | set) else (given,)
        for one in several:
            if not isinstance(one, Node | Task | Parameter):
                raise TypeError(f"only tasks can be put before or after each other, not {one!r}")
        return [self._take(one) for one in several]

    def _inputs(self, given: Mapping[str, Any]) -> dict[Node | Parameter, Any]:
        required = [name for name, parameter in self.inputs.items() if parameter.required]
        require_names(self.name, given, known=self.inputs, required=required)
        return {parameter: given.get(name, parameter.default) for name, parameter in self.inputs.items()}


class _GraphRun:
    """One run of a graph: what is known so far."""

    def __init__(self, flow: Flow, inputs: Mapping[Node | Parameter, Any], context: FlowContext) -> None:
        self._flow = flow
        self._context = context
        self._before = predecessors(len(flow.nodes), flow.edges)
        self._values: dict[Node | Parameter, Any] = dict(inputs)
        self._states = States({parameter: Success(result=value) for parameter, value in inputs.items()})
        self._run_numbers: dict[int, int] = {}
        self._failed: list[Node] = []

    def run(self, node: Node) -> None:
        """Run a node whose turn it is, or note that it cannot run."""
        before = self._before[node.number]
        upstream = tuple(self._run_numbers[number] for number in before)
        for number in before:
            if not self._states[self._flow.nodes[number]].is_successful():
                self._hold_back(node, upstream, cause=self._flow.nodes[number])
                return
        args = tuple(fill(value, self._values) for value in node.args)
        kwargs = {key: fill(value, self._values) for key, value in node.kwargs.items()}
        outcome = run_task(node.task, args, kwargs, self._context, upstream=upstream)
        self._run_numbers[node.number] = outcome.number
        self._states[node] = state_of(outcome)
        if outcome.is_successful:
            self._values[node] = outcome.value
        else:
            self._failed.append(node)

    def state(self) -> State:
        """The flow's state: that of its reference tasks, which are those that none comes after."""
        flow, states = self._flow, self._states
        if all(states[node].is_successful() for node in flow.references()):
            return Success(_counted(len(flow.nodes)), states)
        first = states[self._failed[0]]
        names = ", ".join(node.name for node in self._failed)
        message = f"{len(self._failed)} of {_tasks(len(flow.nodes))} failed: {names}"
        return Failed(message, states, failure=first.failure)

    def _hold_back(self, node: Node, upstream: tuple[int, ...], *, cause: Node) -> None:
        outcome = hold_back(node.task, self._context, cause=cause.name, upstream=upstream)
        self._run_numbers[node.number] = outcome.number
        self._states[node] = state_of(outcome)


def _require_fit(task: Task, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raise `TypeError` where the task is drawn, if its function cannot take these arguments.

    Only while loading, where it makes the file's error: in a plain run the call itself says it, and inspect is dear.
    """
    from inspect import signature

    try:
        expected = signature(task.fn)
    except (TypeError, ValueError):  # some functions written in C have none
        return
    try:
        expected.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{task.name}(): {error}") from None


def _tasks(number: int) -> str:
    return "1 task" if number == 1 else f"{number} tasks"


def _counted(number: int) -> str:
    if number == 0:
        return "the flow has no tasks"
    return "1 task completed" if number == 1 else f"all {number} tasks completed"
