"""Facts of the present run, found when they are asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.context import flow_run, task_run
from schedulerd.authoring.run_contexts import FlowRunInfo, TaskRunInfo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_EMPTY: Final[Mapping[str, Any]] = {"parameters": {}, "tags": [], "run_count": 0}


class _Facts:
    """Attributes of the present run, by `_named`; those of `_names` only."""

    _place = ""
    _names: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name not in self._names:
            raise AttributeError(
                f"runtime.{self._place} has no attribute {name!r}; it has {', '.join(self._names)}"
            )
        made_up = os.environ.get(f"SCHEDULERD__RUNTIME__{self._place.upper()}__{name.upper()}")
        if made_up is not None:
            return made_up
        found = self._found()
        if found is None:
            empty = _EMPTY.get(name)
            return empty.copy() if isinstance(empty, list | dict) else empty
        return found[name]

    def __dir__(self) -> list[str]:
        return list(self._names)

    def _found(self) -> Mapping[str, Any] | None:
        raise NotImplementedError


class FlowRun(_Facts):
    """`runtime.flow_run`."""

    _place = "flow_run"
    _names = (
        *("id", "name", "flow_name", "parameters", "tags", "run_count", "scheduled_start_time"),
        *("parent_flow_run_id", "root_flow_run_id"),
    )

    def _found(self) -> Mapping[str, Any] | None:
        context = flow_run.get()
        return None if context is None else vars(FlowRunInfo(context))


class TaskRun(_Facts):
    """`runtime.task_run`."""

    _place = "task_run"
    _names = ("id", "name", "task_name", "parameters", "tags", "run_count", "map_index")

    def _found(self) -> Mapping[str, Any] | None:
        run = task_run.get()
        return None if run is None else vars(TaskRunInfo(run))


class Deployment(_Facts):
    """`runtime.deployment`: the schedule that made the run; Prefect's word for it."""

    _place = "deployment"
    _names = ("id", "name", "parameters", "flow_run_id", "version")

    def _found(self) -> Mapping[str, Any] | None:
        context = flow_run.get()
        if context is None or context.facts.schedule is None:
            return None
        facts = context.facts
        return {
            "id": facts.schedule,
            "name": facts.schedule,
            "parameters": dict(context.parameters),
            "flow_run_id": facts.id,
            "version": getattr(context.flow, "version", None),
        }
