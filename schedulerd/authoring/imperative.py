"""A flow put together call by call, without `with Flow(...)`: Prefect 1's imperative API."""

from __future__ import annotations

from schedulerd.authoring.drawing import Drawing
from schedulerd.authoring.nodes import Node, Parameter
from schedulerd.authoring.tasks import Task
from schedulerd.domain.graph import predecessors, terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from schedulerd.authoring.graph_states import State


class Edge(tuple["Any", ...]):
    """Two tasks of which one comes before the other, and the argument that the second is given of the first."""

    __slots__ = ()

    def __new__(
        cls,
        upstream_task: Any,
        downstream_task: Any,
        key: str | None = None,
        mapped: bool = False,
        flattened: bool = False,
    ) -> Edge:
        """An edge; equal to another that says the same."""
        return super().__new__(cls, (upstream_task, downstream_task, key, mapped, flattened))

    upstream_task = property(lambda self: self[0])
    downstream_task = property(lambda self: self[1])
    key = property(lambda self: self[2])
    mapped = property(lambda self: self[3])
    flattened = property(lambda self: self[4])


class Imperative(Drawing):
    """What a flow can be asked and told about its tasks, call by call."""

    _references: list[Node] | None

    def add_task(self, task: Any) -> Node | Parameter:
        """Let the task stand in this flow: its node."""
        return self._each([task])[0]

    def add_edge(
        self,
        upstream_task: Any,
        downstream_task: Any,
        key: str | None = None,
        mapped: bool = False,
        flattened: bool = False,
        validate: bool | None = None,
    ) -> Edge:
        """Let one task run before another; with `key` its value is that argument of the other."""
        from schedulerd.authoring.annotations import flatten

        source = flatten(upstream_task) if flattened else upstream_task
        self.link(source, downstream_task, key=key, is_mapped=mapped)
        self.order()
        return Edge(upstream_task, downstream_task, key, mapped, flattened)

    def chain(self, *tasks: Any, validate: bool | None = None) -> list[Edge]:
        """Let these tasks run one after the other."""
        return [self.add_edge(first, tasks[number]) for number, first in enumerate(tasks[:-1], 1)]

    def update(self, flow: Imperative, merge_parameters: bool = False, validate: bool | None = None) -> None:
        """Add the tasks and edges of another flow to this one, as they are there.

        Parameters of one name are an error, unless `merge_parameters` makes them one.
        """
        from schedulerd.authoring.grafting import graft

        graft(flow, self, merge_parameters=merge_parameters)

    def replace(self, old: Any, new: Any, validate: bool | None = None) -> None:
        """Let another task stand where one stands: with its arguments, before and after the same."""
        node = self.node_of(old)
        if not isinstance(new, Task):
            raise TypeError(f"a task is replaced by a task, not by {new!r}")
        self._bare.pop(id(node.task), None)
        self._bare[id(new)] = node
        node.task, node.name = new, new.name

    def set_reference_tasks(self, tasks: Iterable[Any]) -> None:
        """Let these tasks decide the flow's state."""
        given = list(tasks)
        self._references = [self.node_of(task) for task in given] or None

    def reference_tasks(self) -> set[Node]:
        """The tasks that decide the flow's state."""
        return set(self.references())

    def references(self) -> list[Node]:
        """The same in the order drawn."""
        raise NotImplementedError

    @property
    def tasks(self) -> set[Node | Parameter]:
        """All tasks of this flow, its parameters among them."""
        return {*self.nodes, *self.inputs.values()}

    def get_tasks(
        self,
        name: str | None = None,
        slug: str | None = None,
        tags: Iterable[str] | None = None,
        task_type: type | None = None,
    ) -> list[Node | Parameter]:
        """The tasks of this name, slug, type, and with all these tags, in the order drawn; a filter left out takes all."""
        wanted = set(tags or ())
        known: list[Node | Parameter] = [*self.inputs.values(), *self.nodes]
        return [
            one
            for one in known
            if (name is None or one.name == name)
            and (slug is None or one.slug == slug)
            and wanted.issubset(one.tags)
            and (task_type is None or isinstance(getattr(one, "task", one), task_type))
        ]

    def parameters(self) -> set[Parameter]:
        """The flow's inputs."""
        return set(self.inputs.values())

    def sorted_tasks(self) -> tuple[Node, ...]:
        """The tasks in the order in which they run."""
        return tuple(self.nodes[number] for number in self.order())

    def root_tasks(self) -> set[Node]:
        """The tasks that come after none."""
        before = predecessors(len(self.nodes), self.edges)
        return {node for node in self.nodes if not before[node.number]}

    def terminal_tasks(self) -> set[Node]:
        """The tasks that none comes after."""
        return {self.nodes[number] for number in terminal(len(self.nodes), self.edges)}

    def upstream_tasks(self, task: Any) -> set[Node]:
        """The tasks directly before this one."""
        number = self.node_of(task).number
        return {self.nodes[first] for first, second in self.edges if second == number}

    def downstream_tasks(self, task: Any) -> set[Node]:
        """The tasks directly after this one."""
        number = self.node_of(task).number
        return {self.nodes[second] for first, second in self.edges if first == number}

    def validate(self) -> None:
        """Raise `ValueError` when the tasks go in a circle."""
        self.order()

    def visualize(
        self,
        flow_state: State | None = None,
        filename: str | None = None,
        format: str | None = None,  # noqa: A002  Prefect's name
    ) -> Any:
        """Draw the graph for people: with graphviz where it is installed, else as its DOT text; into a file, if named."""
        from schedulerd.authoring.visualizing import visualize

        return visualize(self, flow_state, filename=filename, format=format)
