"""What code within a run can ask about it: `get_run_context()`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schedulerd.authoring.context import flow_run, task_run
from schedulerd.authoring.refusals import MissingContext
from schedulerd.authoring.run_names import arguments_of
from schedulerd.authoring.tagging import present_tags
from schedulerd.clock import moment

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.running import TaskRun


class FlowRunInfo:
    """A flow run: `id`, `name`, `flow_name`, `parameters`, `tags`, `run_count`, `scheduled_start_time`, `start_time`.

    `parent_flow_run_id` is the run whose code asked for it, or called it; `root_flow_run_id` the first above it.
    """

    def __init__(self, context: FlowContext) -> None:
        facts = context.facts
        self.id = facts.id
        self.name = facts.name or context.name
        self.flow_name = context.name
        self.parameters = dict(context.parameters)
        self.tags = list(context.tags)
        self.run_count = facts.attempt
        self.scheduled_start_time = facts.due_at
        self.start_time = moment(context.started_at)
        self.parent_flow_run_id = facts.parent_id
        self.root_flow_run_id = facts.root_id


class TaskRunInfo:
    """A task run: `id`, `name`, `task_name`, `parameters`, `tags`, `run_count`, `map_index`, `start_time`."""

    def __init__(self, run: TaskRun) -> None:
        self.id = f"{run.context.facts.id}.{run.number}"
        self.number = run.number
        self.name = run.name
        self.task_name = run.task.name
        self.parameters = _arguments(run)
        self.tags = list(dict.fromkeys((*run.context.tags, *present_tags.get(), *run.tags)))
        self.run_count = run.attempt
        self.map_index = run.map_index
        self.start_time = moment(run.started_at)


def _arguments(run: TaskRun) -> dict[str, Any]:
    """Its arguments by name; none where they do not fit, which the call itself says."""
    try:
        return arguments_of(run.task.fn, run.args, run.kwargs)
    except TypeError:
        return {}


class FlowRunContext:
    """Within a flow: `flow_run`, `flow`, `parameters`, `start_time`."""

    def __init__(self, context: FlowContext) -> None:
        self.flow_run = FlowRunInfo(context)
        self.flow = context.flow
        self.parameters = self.flow_run.parameters
        self.start_time = self.flow_run.start_time

    @classmethod
    def get(cls) -> FlowRunContext | None:
        """The present one, or None outside a flow run."""
        context = flow_run.get()
        return None if context is None else cls(context)


class TaskRunContext:
    """Within a task: `task_run`, `task`, `parameters`, `start_time`."""

    def __init__(self, run: TaskRun) -> None:
        self._run = run
        self.task = run.task

    @property
    def task_run(self) -> TaskRunInfo:
        """The task run."""
        return TaskRunInfo(self._run)

    @property
    def parameters(self) -> dict[str, Any]:
        """Its arguments by name."""
        return self.task_run.parameters

    @property
    def start_time(self) -> datetime:
        """When its first attempt began."""
        return self.task_run.start_time

    @classmethod
    def get(cls) -> TaskRunContext | None:
        """The present one, or None outside a task run."""
        run = task_run.get()
        return None if run is None else cls(run)


def get_run_context() -> FlowRunContext | TaskRunContext:
    """The context of the present task run, else of the flow run; raises `MissingContext` outside both."""
    found = TaskRunContext.get() or FlowRunContext.get()
    if found is None:
        raise MissingContext("there is no run here: get_run_context() is for code within a flow or task")
    return found
