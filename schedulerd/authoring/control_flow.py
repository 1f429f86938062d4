"""Branches of a graph: parts of it that run only where a condition holds, and where they come together again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schedulerd.authoring.context import drawing
from schedulerd.authoring.nodes import Node, Parameter
from schedulerd.authoring.signals import SKIP
from schedulerd.authoring.tasks import Task
from schedulerd.authoring.triggers import all_finished, not_all_skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Any, Self

    from schedulerd.authoring.graphs import Flow

    Condition = Node | Task | Parameter


class CompareValue(Task):
    """Is skipped, and with it what comes after it, unless it is given this value."""

    def __init__(self, value: Any, **options: Any) -> None:
        options.setdefault("name", f"CompareValue: {value!r}")
        super().__init__(**options)
        self.value = value

    def run(self, value: Any) -> None:
        """Raise SKIP for another value."""
        if value != self.value:
            raise SKIP(f"{value!r} is not {self.value!r}")


class Merge(Task):
    """The first of what it is given that is not None."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            **{"name": "Merge", "skip_on_upstream_skip": False, "trigger": not_all_skipped, **options}
        )

    def run(self, **branches: Any) -> Any:
        """The first that is not None."""
        return next((value for value in branches.values() if value is not None), None)


class FilterTask(Task):
    """Those items of a list that a function keeps: by default all but exceptions and None.

    It runs however the tasks before it ended, for it is there to go on with what succeeded.
    """

    def __init__(
        self,
        filter_func: Callable[[Any], bool] | None = None,
        log_func: Callable[[Any], str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**{"skip_on_upstream_skip": False, "trigger": all_finished, **options})
        self.filter_func = _is_value if filter_func is None else filter_func
        self.log_func = log_func

    def run(self, task_results: Any) -> list[Any]:
        """The items that are kept."""
        kept = [one for one in task_results if self.filter_func(one)]
        if self.log_func is not None:
            self.logger.info(self.log_func(kept))
        return kept


class case:  # noqa: N801  Prefect's name
    """`with case(task, value):` what is drawn in the block runs only where the task returned that value.

    Elsewhere it is skipped, and so is what comes after it; `merge` brings branches together again.
    """

    def __init__(self, task: Condition, value: Any) -> None:
        if isinstance(value, Node | Task | Parameter):
            raise TypeError(
                f"case(task, value): the value must be known while the flow is drawn, and {value!r} is a task"
            )
        if not isinstance(task, Node | Task | Parameter):
            raise TypeError(f"case(task, value): {task!r} is no task")
        self.task = task
        self.value = value
        self._condition: Node | None = None
        self._drawn: list[Node] = []
        self._flow: Flow | None = None

    def __enter__(self) -> Self:
        self._flow = _flow_of([self.task], None)
        self._condition = self._flow.draw(CompareValue(self.value), (self.task,), {})
        self._drawn = []
        self._flow.cases.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._flow is not None
        self._flow.cases.pop()
        if kind is not None or self._condition is None:
            return
        inside = {node.number for node in self._drawn}
        follow = {second for first, second in self._flow.edges if first in inside}
        for node in self._drawn:
            if node.number not in follow:
                self._flow.link(self._condition, node)

    def take(self, node: Node) -> None:
        """A node was drawn in the block."""
        self._drawn.append(node)


def switch(condition: Condition, cases: Mapping[Any, Any], mapped: bool = False) -> None:
    """Run that task of `cases` which stands by the value that `condition` returns; the others are skipped."""
    flow = _flow_of([condition, *cases.values()], None)
    for value, branch in cases.items():
        compared = flow.draw(CompareValue(value), (condition,), {}, is_mapped=mapped)
        flow.link(compared, branch, is_mapped=mapped)


def ifelse(condition: Condition, true_task: Any, false_task: Any, mapped: bool = False) -> None:
    """Run the first task where `condition` returns something true, else the second; the other is skipped. Either may be None."""
    flow = _flow_of([condition, true_task, false_task], None)
    truth = flow.draw(_truth, (condition,), {}, is_mapped=mapped)
    branches = {True: true_task, False: false_task}
    switch(truth, {value: branch for value, branch in branches.items() if branch is not None}, mapped)


def merge(
    *tasks: Any,
    flow: Flow | None = None,
    mapped: bool = False,
    checkpoint: bool | None = None,
    **options: Any,
) -> Node:
    """A task that returns what that branch returned which was not skipped: the first value that is not None."""
    given = {f"task_{number}": one for number, one in enumerate(tasks, 1)}
    return _flow_of(tasks, flow).draw(Merge(**options), (), given, is_mapped=mapped)


def _as_bool(value: Any) -> bool:
    return bool(value)


_truth = Task(_as_bool, name="as_bool")


def _is_value(value: Any) -> bool:
    return value is not None and not isinstance(value, BaseException)


def _flow_of(tasks: Any, flow: Flow | None) -> Flow:
    found = flow or drawing.get() or next((one.flow for one in tasks if isinstance(one, Node)), None)
    if found is None:
        raise ValueError("branches are drawn, and no flow is: do this inside `with Flow(...)`")
    return found
