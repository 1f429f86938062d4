"""A task run on its way to another process: what of it is told, and what is made of that there."""

from __future__ import annotations

from sys import modules
from typing import TYPE_CHECKING

from schedulerd.authoring.task_runs import TaskRun

if TYPE_CHECKING:
    from typing import Any

    from schedulerd.authoring.context import FlowContext

_TOLD = ("task", "args", "kwargs", "number", "map_index", "upstream")
_SET = ("name", "attempt", "started_at", "tags")
_OF_GRAPHS = ("loop_count", "loop_result", "is_resumed")


def told(run: TaskRun) -> dict[str, Any]:
    """What the other process must know of a task run."""
    said = {name: getattr(run, name) for name in (*_TOLD, *_SET)}
    said["is_of_graph"] = hasattr(run, "loop_count")
    if said["is_of_graph"]:
        said |= {name: getattr(run, name) for name in _OF_GRAPHS}
    said["around"] = {
        (module, name): getattr(modules[module], name).get() for module, name in _AROUND if module in modules
    }
    return said


def remade(said: dict[str, Any], context: FlowContext) -> TaskRun:
    """The task run in this process, with what stood around its call."""
    from importlib import import_module

    for (module, name), value in said["around"].items():
        getattr(import_module(module), name).set(value)
    kind: type[TaskRun] = TaskRun
    if said["is_of_graph"]:
        from schedulerd.authoring.graph_task_runs import GraphTaskRun

        kind = GraphTaskRun
    given = {name: said[name] for name in _TOLD if name not in ("task", "args", "kwargs")}
    run = kind(said["task"], said["args"], said["kwargs"], context, **given)
    run.elsewhere = None
    for name in (*_SET, *(_OF_GRAPHS if said["is_of_graph"] else ())):
        setattr(run, name, said[name])
    return run


# Values that hold for a piece of code: tags and `with context(...)`.
_AROUND = (
    ("schedulerd.authoring.tagging", "present_tags"),
    ("schedulerd.authoring.context_values", "overrides"),
)
