"""Tasks that ask for runs of other flows, as Prefect 1 has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schedulerd.authoring.child_runs import result_for_task, start_for_task, wait_for_task
from schedulerd.authoring.tasks import Task, task

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from typing import Any


@task(name="create_flow_run")
def create_flow_run(
    flow_id: str | None = None,
    flow_name: str | None = None,
    project_name: str = "",
    parameters: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    labels: list[str] | None = None,
    run_name: str | None = None,
    run_config: Any = None,
    scheduled_start_time: datetime | None = None,
    idempotency_key: str | None = None,
) -> str:
    """Ask for a run of the flow `flow_name`; its id. Project, labels and the like are Prefect's, and do nothing."""
    return start_for_task(flow_name or flow_id, parameters, at=scheduled_start_time, key=idempotency_key)


@task(name="wait_for_flow_run", checkpoint=False)
def wait_for_flow_run(
    flow_run_id: str,
    stream_states: bool = True,
    stream_logs: bool = False,
    raise_final_state: bool = False,
    max_duration: timedelta | None = None,
) -> Any:
    """Wait for the end of a run; how it stands then. With `raise_final_state` one that ended badly fails the task."""
    return wait_for_task(flow_run_id, raises=raise_final_state, most=max_duration)


@task(name="get_task_run_result")
def get_task_run_result(flow_run_id: str, task_slug: str, map_index: int = -1, poll_time: int = 5) -> Any:
    """What a task of a run returned that this run asked for, once that has ended; of a map all, or that of an index.

    `task_slug` is the task's name, of several `name-2` the second. `poll_time` is Prefect's, and does nothing.
    """
    return result_for_task(flow_run_id, task_slug, map_index)


class StartFlowRun(Task):
    """A task that asks for a run of a flow, and with `wait=True` waits for its end and fails where it ended badly."""

    def __init__(
        self,
        flow_name: str | None = None,
        project_name: str | None = None,
        parameters: dict[str, Any] | None = None,
        wait: bool = False,
        run_name: str | None = None,
        scheduled_start_time: datetime | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**{"name": f"Flow {flow_name}" if flow_name else None, **options})
        self.flow_name = flow_name
        self.parameters = parameters
        self.waits = wait
        self.scheduled_start_time = scheduled_start_time

    def run(
        self,
        flow_name: str | None = None,
        project_name: str | None = None,
        parameters: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        run_name: str | None = None,
        scheduled_start_time: datetime | None = None,
    ) -> str:
        """The id of the run."""
        run = start_for_task(
            flow_name or self.flow_name,
            self.parameters if parameters is None else parameters,
            at=scheduled_start_time or self.scheduled_start_time,
            key=idempotency_key,
        )
        if self.waits:
            wait_for_task(run, raises=True, most=None)
        return run
