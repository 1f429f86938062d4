"""Runs of other flows, asked for by name from within a run, and waited for or not."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from schedulerd.authoring.asking import ask, is_idle
from schedulerd.authoring.dual import dual
from schedulerd.authoring.refusals import RunFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta
    from typing import Any

    from schedulerd.authoring.states import State

_GOOD = "completed"


class FlowRun:
    """A run of another flow, as it stood when it was looked at: `id`, `name`, `flow_name`, `parameters`, `state`."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.id = UUID(str(said["id"]))
        self.name = str(said["name"])
        self.flow_name = str(said["flow"])
        self.parameters = dict(said["parameters"])
        self.state_name = str(said["state"])
        self.message = str(said["reason"])
        self.result_preview = said["result"]

    def __repr__(self) -> str:
        return f"FlowRun({self.name!r}, {self.state_name})"

    @property
    def state(self) -> State:
        """The state, as Prefect 3's: `state.is_completed()`."""
        from schedulerd.authoring.states import State

        return State.recorded(_PREFECTS.get(self.state_name, self.state_name), message=self.message)

    @property
    def is_completed(self) -> bool:
        """Did it end well?"""
        return self.state_name == _GOOD


_PREFECTS = {"skipped": "cancelled", "cancelling": "running", "paused": "running", "scheduled": "pending"}


def run_deployment(
    name: str,
    parameters: Mapping[str, Any] | None = None,
    scheduled_time: datetime | None = None,
    flow_run_name: str | None = None,
    timeout: float | None = None,
    poll_interval: float = 5,
    tags: Any = None,
    idempotency_key: str | None = None,
    as_subflow: bool = True,
    **more: Any,
) -> Any:
    """Ask for a run of the flow `name`, or `flow/schedule`, and wait for its end; in async code this is awaited.

    With `timeout=0` nothing is waited for, and after `timeout` seconds no longer: then the run is told as it stands. The
    same `idempotency_key` twice is one run. Its state tells how it ended; what it failed with is not raised.
    """
    return dual(lambda: _run(name, parameters, due_at=scheduled_time, timeout=timeout, key=idempotency_key))


def run_flow(
    name: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    wait: bool = True,
    timeout: float | None = None,
    idempotency_key: str | None = None,
) -> Any:
    """Ask for a run of another flow, and wait for its end unless `wait` is False; in async code this is awaited.

    Raises `RunFailed` where it ended badly.
    """

    def work() -> FlowRun:
        run = _run(name, parameters, timeout=timeout if wait else 0, key=idempotency_key)
        return _good(run) if wait else run

    return dual(work)


def started(
    name: str, parameters: Mapping[str, Any] | None, *, due_at: datetime | None = None, key: str | None = None
) -> FlowRun:
    """Ask for a run; how it stands at its beginning."""
    answer = ask(
        "run.start",
        flow=name,
        parameters=_json(parameters or {}),
        due_at=None if due_at is None else due_at.isoformat(),
        idempotency_key=key,
    )
    return FlowRun(answer["run"])


def ended(run_id: UUID | str, *, timeout: float | None = None) -> FlowRun:
    """How a run ended; how it stands, where it has not within so many seconds."""
    try:
        return FlowRun(ask("run.wait", _seconds=timeout, _is_long=True, id=str(run_id))["run"])
    except TimeoutError:
        return FlowRun(ask("run.state", id=str(run_id))["run"])


def _run(
    name: str,
    parameters: Mapping[str, Any] | None,
    *,
    timeout: float | None,
    due_at: datetime | None = None,
    key: str | None = None,
) -> Any:
    if is_idle():
        from schedulerd.authoring.loading import placeholder

        return placeholder()
    run = started(name, parameters, due_at=due_at, key=key)
    return run if timeout == 0 else ended(run.id, timeout=timeout)


def _good(run: FlowRun) -> FlowRun:
    if not run.is_completed:
        why = f": {run.message}" if run.message else ""
        raise RunFailed(f"{run.name} is {run.state_name}{why}")
    return run


def _json(parameters: Mapping[str, Any]) -> Any:
    """Parameters as JSON: dates and times as texts. Raises `TypeError` for what is none."""
    from datetime import date
    from json import dumps, loads

    def text(value: Any) -> str:
        if isinstance(value, date | UUID):
            return str(value) if not hasattr(value, "isoformat") else str(value.isoformat())
        raise TypeError(f"a parameter of another flow's run has to be JSON, and {value!r:.100} is not")

    return loads(dumps(dict(parameters), default=text))


# -- Prefect 1 ------------------------------------------------------------------------------------------------------


def start_for_task(
    flow_name: str | None,
    parameters: Mapping[str, Any] | None,
    *,
    at: datetime | None = None,
    key: str | None = None,
) -> str:
    """Ask for a run; its id as text."""
    if not flow_name:
        raise ValueError("create_flow_run needs a flow_name")
    return str(started(flow_name, parameters, due_at=at, key=key).id)


def result_for_task(flow_run_id: str, task_slug: str, map_index: int) -> Any:
    """What a task of a run returned, once the run has ended; of a map all that its tasks did, unless an index is given."""
    ask("run.wait", _is_long=True, id=str(flow_run_id))
    index = None if map_index < 0 else map_index
    answer = ask("run.result", id=str(flow_run_id), task=task_slug, index=index)
    values = [_value(answer, one) for one in answer["values"]]
    return values if answer["is_map"] else values[0]


def _value(answer: Mapping[str, Any], said: Mapping[str, str]) -> Any:
    """A value that was kept with another run. Raises `OSError` where its file cannot be read here."""
    import os
    from base64 import b64decode
    from pathlib import Path

    from schedulerd.authoring.keeping import FOLDER_VARIABLE
    from schedulerd.authoring.serializing import deserialize
    from schedulerd.authoring.storages import read_from

    if not said["file"]:
        return deserialize(said["kind"], b64decode(said["content"]))
    if "/" in said["file"]:
        return deserialize(said["kind"], read_from(said["file"]))
    folder = Path(answer.get("folder") or os.environ[FOLDER_VARIABLE])
    return deserialize(said["kind"], (folder / str(answer["run"]) / said["file"]).read_bytes())


def wait_for_task(flow_run_id: str, *, raises: bool, most: timedelta | None) -> FlowRun:
    """How a run ended. With `raises` one that ended badly is raised as a signal. Raises `TimeoutError` after `most`."""
    seconds = None if most is None else most.total_seconds()
    run = FlowRun(ask("run.wait", _seconds=seconds, _is_long=True, id=str(flow_run_id))["run"])
    if raises and not run.is_completed:
        from schedulerd.authoring.signals import FAIL

        raise FAIL(f"{run.name} is {run.state_name}: {run.message}")
    return run
