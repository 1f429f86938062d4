"""The graph style: a flow that is drawn first, inside `with Flow(...)`, and run later."""

from __future__ import annotations

from schedulerd.authoring import loading
from schedulerd.authoring.context import drawing, flow_run, step_into, step_out
from schedulerd.authoring.drawing import Drawing
from schedulerd.authoring.flows import ERROR, INFO, AnyFlow
from schedulerd.authoring.imperative import Imperative
from schedulerd.authoring.names import require_names
from schedulerd.domain.graph import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextvars import Token
    from types import TracebackType
    from typing import Any, Self

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.executors import Executor
    from schedulerd.authoring.graph_runs import GraphRun
    from schedulerd.authoring.graph_states import State
    from schedulerd.authoring.nodes import Node, Parameter
    from schedulerd.authoring.schedules import Schedule
    from schedulerd.authoring.subflows import Subflow

    Handlers = Callable[..., Any] | Iterable[Callable[..., Any]] | None


class Flow(Imperative, AnyFlow):
    """A graph of tasks: `with Flow("name") as flow:` draws it, `flow.run()` runs it.

    `executor`: where its tasks run; by default one after the other, in this thread. `result` is what tasks keep their
    values in that have none of their own. `run_config`, `storage`, `validate` and an object as `environment` are
    Prefect's, and have no effect here; a dict as `environment` are variables of its runs. `state_handlers` are called
    with the flow and its states before and after when it begins and ends, `on_failure` with the flow and its state.
    """

    style = "graph"
    state_handlers: tuple[Callable[..., Any], ...] = ()
    on_failure: Callable[..., Any] | None = None

    def __init__(
        self,
        name: str,
        schedule: Schedule | Iterable[Schedule] | None = None,
        executor: Executor | None = None,
        *,
        description: str = "",
        tags: Iterable[str] = (),
        timeout_seconds: float | str | None = None,
        pool: str | None = None,
        priority: int = 0,
        max_running: int | None = None,
        heartbeat: str | Mapping[str, str] | None = None,
        tasks: Iterable[Any] = (),
        edges: Iterable[Any] = (),
        reference_tasks: Iterable[Any] | None = None,
        result: Any = None,
        state_handlers: Handlers = None,
        on_failure: Callable[..., Any] | None = None,
        run_config: Any = None,
        storage: Any = None,
        environment: Any = None,
        validate: bool | None = None,
        **surroundings: Any,
    ) -> None:
        if hasattr(environment, "items"):
            surroundings["environment"] = environment
        Drawing.__init__(self)
        self._drawings: list[Token[Flow | None]] = []
        self._references: list[Node] | None = None
        self.executor = executor
        self.result = result
        self._set_handlers(state_handlers, on_failure)
        self.run_config = run_config
        self.storage = storage
        AnyFlow.__init__(
            self,
            name,
            schedule=schedule,
            description=description,
            tags=tags,
            timeout_seconds=timeout_seconds,
            pool=pool,
            priority=priority,
            max_running=max_running,
            surroundings=surroundings,
            heartbeat=heartbeat,
        )
        for task in tasks:
            self.add_task(task)
        for edge in edges:
            self.add_edge(*edge)
        if reference_tasks is not None:
            self.set_reference_tasks(reference_tasks)

    def _set_handlers(self, state_handlers: Handlers, on_failure: Callable[..., Any] | None) -> None:
        if state_handlers is not None or on_failure is not None:
            from schedulerd.authoring.graph_options import (  # late: few flows have any
                function_of,
                handlers_of,
            )

            self.state_handlers = handlers_of(state_handlers)
            self.on_failure = None if on_failure is None else function_of("on_failure", on_failure)

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

    def run(
        self,
        parameters: Mapping[str, Any] | None = None,
        run_on_schedule: bool | None = None,
        executor: Executor | None = None,
        runner_cls: Any = None,
        **more: Any,
    ) -> Any:
        """Run the graph here and now and return its `State`; needs no daemon.

        Parameters are given as a dict or by name. Raises `ValueError` for those that are missing or unknown.
        A flow with a schedule runs at its times, and this does not return before there are no more;
        `run_on_schedule=False` runs it once, now.
        """
        if drawing.get() is not None:
            raise RuntimeError(
                f"flow {self.name!r} cannot run inside `with Flow(...)`: run it after the block"
            )
        if loading.is_loading():
            loading.note_done(self, "run", () if parameters is None else (parameters,), more)
            return loading.placeholder()
        given = {**(parameters or {}), **more}
        if self.schedules and flow_run.get() is None and run_on_schedule is not False:
            from schedulerd.authoring.on_schedule import run_at_times, wants_schedule  # late: loads datetime

            if wants_schedule(run_on_schedule):
                return run_at_times(self, given, executor)
        return self.run_once(given, self._context(), executor)

    def run_once(
        self, parameters: Mapping[str, Any], context: FlowContext, executor: Executor | None = None
    ) -> State:
        """Run in that context and tell how it ended."""
        outer = flow_run.get()
        subflow = None if outer is None else self._subflow(parameters, context, outer)
        try:
            state = self.perform(parameters, context, executor)
        except BaseException as error:
            if context.witness is not None:
                context.witness.cut_short(context, error)
            if subflow is not None:
                subflow.cut_short(error)
            raise
        if context.witness is not None:
            context.witness.ended(context, state, self.value(state))
        if subflow is not None:
            subflow.ended(
                "completed" if state.is_successful() else state.word,
                message=state.message or "",
                failure=state.failure,
                value=self.value(state),
            )
        context.log(INFO if state.is_successful() else ERROR, f"{self.name}: {state.name}: {state.message}")
        return state

    def _subflow(self, parameters: Mapping[str, Any], context: FlowContext, outer: FlowContext) -> Subflow:
        from schedulerd.authoring.subflows import Subflow  # late: few graphs run within another flow

        context.parameters = {
            parameter.name: value for parameter, value in self.inputs_for(parameters).items()
        }
        subflow = Subflow(self, context, outer)
        subflow.begin((), context.parameters)
        subflow.started()
        return subflow

    def perform(
        self, parameters: Mapping[str, Any], context: FlowContext, executor: Executor | None = None
    ) -> State:
        """Run within `context`; the state's result holds the states of the tasks."""
        from schedulerd.authoring.graph_runs import GraphRun  # late: drawing does not need it

        inputs = self.inputs_for(parameters)
        self.order()  # edges may have been added since the end of the block
        context.flow = self
        context.started_at = context.now()
        context.parameters = {parameter.name: value for parameter, value in inputs.items()}
        if self.tags:
            context.tags = tuple(dict.fromkeys((*context.tags, *self.tags)))
        graph = GraphRun(self, inputs, context)
        tokens = step_into(context)
        try:
            return self._carried_out(graph, context, executor or self.executor)
        finally:
            step_out(tokens)
            context.break_off()

    def _carried_out(self, graph: GraphRun, context: FlowContext, executor: Executor | None) -> State:
        def carry_out() -> State:
            graph.carry_out(executor)
            return graph.state()

        if not self.state_handlers and self.on_failure is None:
            return carry_out()
        from schedulerd.authoring.flow_handlers import run_handled  # late: few flows have any

        return run_handled(self, context, carry_out)

    def hooked_ends(self) -> frozenset[str]:
        """The final states of its runs, as they are recorded, for which it has handlers."""
        if self.state_handlers:
            return frozenset({"completed", "failed", "timed_out", "crashed", "cancelled"})
        return frozenset() if self.on_failure is None else frozenset({"failed", "timed_out", "crashed"})

    def references(self) -> list[Node]:
        """The tasks that decide the flow's state: those that were set, else those that none comes after."""
        if self._references is not None:
            return list(self._references)
        return [self.nodes[number] for number in terminal(len(self.nodes), self.edges)]

    def value(self, state: State) -> Any:
        """What the reference tasks returned: the value of a single one, else those that are not None by name."""
        nodes = [node for node in self.references() if not node.task.is_secret]
        if not state.is_successful() or not hasattr(state.result, "keys"):  # a handler's own, perhaps
            return None
        values = {node.name: state.result[node].result for node in nodes}
        given = {name: value for name, value in values.items() if value is not None}
        return next(iter(given.values()), None) if len(nodes) == 1 else given or None

    def inputs_for(self, given: Mapping[str, Any]) -> dict[Node | Parameter, Any]:
        """The values of all parameters; raises `ValueError` for those that are missing or unknown."""
        required = [name for name, parameter in self.inputs.items() if parameter.required]
        require_names(self.name, given, known=self.inputs, required=required)
        return {
            parameter: parameter.read(given.get(name, parameter.default))
            for name, parameter in self.inputs.items()
        }
