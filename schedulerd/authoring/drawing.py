"""A graph as it is drawn: its nodes, its edges, and its inputs."""

from __future__ import annotations

from schedulerd.authoring import loading
from schedulerd.authoring.bindings import Each, Links, bind_argument
from schedulerd.authoring.nodes import Node, Parameter
from schedulerd.authoring.options import DRAWING_WORDS
from schedulerd.authoring.tasks import Task
from schedulerd.domain.graph import Cyclic, topological_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from schedulerd.authoring.control_flow import case
    from schedulerd.authoring.graphs import Flow


class Drawing:
    """A graph that is being drawn. `cases` are the `with case(...)` blocks that are open, the innermost last."""

    name: str

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.edges: dict[tuple[int, int], None] = {}  # in the order drawn, each once
        self.inputs: dict[str, Parameter] = {}
        self.cases: list[case] = []
        self._bare: dict[int, Node] = {}

    def draw(
        self, task: Task, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, is_mapped: bool = False
    ) -> Node:
        """A new node: the task with these arguments, after those that they come from and after `upstream_tasks`.

        `task_args` are options that the task has in this node only, `mapped=True` is `.map()`.
        """
        words, kwargs = _apart(task, kwargs)
        is_mapped = words.get("mapped", is_mapped)
        if words.get("task_args"):
            task = task.with_options(**words["task_args"])
        if loading.is_looking():
            _require_fit(task, args, kwargs)
        links = Links(self._take)
        bound_args = tuple([bind_argument(value, links, is_mapped=is_mapped) for value in args])
        bound_kwargs = {
            key: bind_argument(value, links, is_mapped=is_mapped) for key, value in kwargs.items()
        }
        before = words.get("upstream_tasks")
        for one in before if isinstance(before, list | tuple | set) else [before]:
            if one is not None:
                _require_tasks(one)
                bind_argument(one, links, is_mapped=is_mapped)
        node = self._new(task)
        node.args, node.kwargs = bound_args, bound_kwargs
        self._link_all(links, node, is_mapped=is_mapped)
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

    def link(self, before: Any, after: Any, *, key: str | None = None, is_mapped: bool = False) -> None:
        """Let one task, or several in a list, run before another, or before several.

        With `key` the second is given what the first returns, as that argument; mapped, item by item.
        """
        firsts = [before] if isinstance(before, Node | Task | Parameter) else _several(before)
        for second in self._each(after):
            if not isinstance(second, Node):
                raise TypeError(f"{second!r} is an input of the flow: nothing comes before it")
            for first in firsts:
                links = Links(self._take)
                _require_tasks(first)
                bound = bind_argument(first, links, is_mapped=is_mapped)
                if key is not None:
                    second.kwargs[key] = bound
                self._link_all(links, second, is_mapped=is_mapped or second.is_mapped)

    def set_dependencies(
        self,
        task: Any,
        upstream_tasks: Iterable[Any] | None = None,
        downstream_tasks: Iterable[Any] | None = None,
        keyword_tasks: Mapping[str, Any] | None = None,
        *,
        mapped: bool = False,
    ) -> None:
        """Let a task run after those, before these, and be given these (tasks or constants) as arguments."""
        (node,) = self._each(task)
        if not isinstance(node, Node):
            raise TypeError(f"{node!r} is an input of the flow: it depends on nothing")
        links = Links(self._take)
        for key, value in (keyword_tasks or {}).items():
            node.kwargs[key] = bind_argument(value, links, is_mapped=mapped)
        for one in _several(upstream_tasks):
            _require_tasks(one)
            bind_argument(one, links, is_mapped=mapped)
        self._link_all(links, node, is_mapped=mapped or node.is_mapped)
        for one in _several(downstream_tasks):
            self.link(node, one, is_mapped=mapped)

    def order(self) -> list[int]:
        """The numbers of the nodes in the order in which they run; raises `ValueError` when they go in a circle."""
        try:
            return topological_order(len(self.nodes), self.edges)
        except Cyclic as error:
            circle = " → ".join(self.nodes[number].name for number in (*error.cycle, error.cycle[0]))
            raise ValueError(f"the tasks of flow {self.name!r} go in a circle: {circle}") from None

    def node_of(self, given: Any) -> Node:
        """The node itself, or that of a task that stands in this flow once; raises `ValueError` for others."""
        if isinstance(given, Node) and given.flow is self:
            return given
        found = [node for node in self.nodes if given is node.task]
        if len(found) != 1:
            times = f"stands {len(found)} times" if found else "does not stand"
            raise ValueError(f"{given!r} {times} in flow {self.name!r}")
        return found[0]

    def graft(self, node: Node) -> Node:
        """A new node for a task of another flow; a task that stood there by itself does so here."""
        stood = node.flow.stands_alone(node)
        return self.add(node.task) if stood else self._new(node.task)

    def stands_alone(self, node: Node) -> bool:
        """Does it stand for its task, uncalled?"""
        return self._bare.get(id(node.task)) is node

    def _new(self, task: Task) -> Node:
        flow: Flow = self  # type: ignore[assignment]  # only flows are drawn
        node = Node(flow, task, len(self.nodes))
        self.nodes.append(node)
        if self.cases:
            self.cases[-1].take(node)
        return node

    def _link_all(self, links: Links, node: Node, *, is_mapped: bool) -> None:
        for source in links.sources():
            if isinstance(source, Node):
                self.edges[source.number, node.number] = None
        is_mapped = is_mapped or any(type(value) is Each for value in (*node.args, *node.kwargs.values()))
        if is_mapped:
            node.is_mapped = True
            whole = _numbers(links.whole)
            node.items_of = (node.items_of | _numbers(links.items)) - whole
        if links.tolerated:
            node.tolerates |= _numbers(links.tolerated)

    def _take(self, source: Node | Task | Parameter) -> Node | Parameter:
        if isinstance(source, Parameter):
            return self.take(source)
        if isinstance(source, Task):
            return self.add(source)
        if source.flow is not self:
            raise ValueError(f"{source.name} stands in flow {source.flow.name!r}, not in {self.name!r}")
        return source

    def _each(self, given: Any) -> list[Node | Parameter]:
        several = _several(given)
        for one in several:
            _require_tasks(one)
        return [self._take(one) for one in several]


def _several(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, list | tuple | set) else [given]


def _require_tasks(given: Any) -> None:
    from schedulerd.authoring.annotations import Marked

    inner = given.value if isinstance(given, Marked) else given
    if not isinstance(inner, Node | Task | Parameter):
        raise TypeError(f"only tasks can be put before or after each other, not {inner!r}")


def _apart(task: Task, kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The words that are about the drawing, and the arguments of the task; a word that the task takes is its own."""
    arguments = dict(kwargs)
    own = task.argument_names
    words = {word: arguments.pop(word) for word in DRAWING_WORDS if word in arguments and word not in own}
    return words, arguments


def _numbers(sources: Iterable[Node | Parameter]) -> frozenset[int]:
    return frozenset(source.number for source in sources if isinstance(source, Node))


def _require_fit(task: Task, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raise `TypeError` where the task is drawn, if its function cannot take these arguments.

    Only where a file is looked at, whose error it makes: in a run the call itself says it, and inspect is dear.
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
