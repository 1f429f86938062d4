"""Tasks that calculate with what other tasks return: what `a + b`, `a["key"]` and `a.is_equal(b)` draw."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.context import drawing
from schedulerd.authoring.nodes import Node
from schedulerd.authoring.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def get_item(task_result: Any, key: Any) -> Any:
    """An item of it."""
    return task_result[key]


def and_(x: Any, y: Any) -> Any:
    """Both, as Python's `and` has it."""
    return x and y


def or_(x: Any, y: Any) -> Any:
    """Either, as Python's `or` has it."""
    return x or y


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "GetItem": get_item,
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Div": operator.truediv,
    "FloorDiv": operator.floordiv,
    "Mod": operator.mod,
    "Pow": operator.pow,
    "Neg": operator.neg,
    "And": and_,
    "Or": or_,
    "Not": operator.not_,
    "Equal": operator.eq,
    "NotEqual": operator.ne,
    "LessThan": operator.lt,
    "LessThanOrEqual": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqual": operator.ge,
}
_tasks: dict[str, Task] = {}


def operation(name: str, operands: tuple[Any, ...]) -> Node:
    """A node of that operation, in the flow of its operands; raises `ValueError` where they stand in none."""
    flow = next((one.flow for one in operands if isinstance(one, Node)), None) or drawing.get()
    if flow is None:
        raise ValueError(f"{operands[0]!r} stands in no flow here: do this inside `with Flow(...)`")
    task = _tasks.get(name) or _tasks.setdefault(name, Task(_FUNCTIONS[name], name=name))
    return flow.draw(task, operands, {})
