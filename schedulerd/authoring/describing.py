"""A flow as a JSON-able dict: what inspecting its file answers."""

from __future__ import annotations

import inspect
import json
from dataclasses import asdict, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING

from schedulerd.authoring.functions import FunctionFlow
from schedulerd.authoring.graphs import Flow
from schedulerd.authoring.parameters import default_of, object_schema, schema_of

if TYPE_CHECKING:
    from typing import Any

    from schedulerd.authoring.flows import AnyFlow


def describe(flow: AnyFlow, entrypoint: str = "") -> dict[str, Any]:
    """Everything that is known of a flow before it runs. Raises `ValueError` for a graph that goes in a circle.

    `tasks` are names in the order drawn, `edges` pairs of indices into them; both are empty for the function style,
    whose tasks are known only when it runs. `line` is where the file makes the flow.
    """
    said = {
        "name": flow.name,
        "style": flow.style,
        "entrypoint": entrypoint,
        "line": flow.line,
        "description": inspect.cleandoc(flow.description),
        "tags": flow.tags,
        "parameters": {},
        "tasks": [],
        "edges": [],
        "schedules": _schedules(flow),
        "timeout_seconds": flow.timeout_seconds,
        "pool": flow.pool,
        "priority": flow.priority,
        "max_running": flow.max_running,
        "retrying": _retrying(flow),
        "surroundings": flow.surroundings,
        "hooks": sorted(flow.hooked_ends()),
    }
    if isinstance(flow, Flow):
        said |= _graph(flow)
    elif isinstance(flow, FunctionFlow):
        said["parameters"] = schema_of(flow.fn)
    made: dict[str, Any] = json.loads(json.dumps(said, default=_as_json, allow_nan=False))
    return made


def _schedules(flow: AnyFlow) -> list[dict[str, Any]]:
    if flow.heartbeat is None:
        return [schedule.describe() for schedule in flow.schedules]
    if not flow.schedules:
        raise ValueError(
            f"flow {flow.name!r} has a heartbeat and no schedule: only runs of a schedule are told"
        )
    return [{"heartbeat": flow.heartbeat, **schedule.describe()} for schedule in flow.schedules]


def _retrying(flow: AnyFlow) -> dict[str, Any]:
    """How the daemon tries a run again; each retry is a process of its own."""
    given = flow.retries_given
    if given is None or not given.limit:
        return {}
    return {"retries": given.limit, "delays": list(given.delays), "on_crash": flow.retry_on_crash}


def _graph(flow: Flow) -> dict[str, Any]:
    flow.order()  # a circle is the file's error, and must show before the first run
    properties = {
        name: {} if parameter.required else default_of(parameter.default)
        for name, parameter in flow.inputs.items()
    }
    required = [name for name, parameter in flow.inputs.items() if parameter.required]
    return {
        "parameters": object_schema(properties, required=required),
        "tasks": [node.name for node in flow.nodes],
        "edges": list(flow.edges),
    }


def _as_json(value: Any) -> Any:
    """Parameters of a schedule may hold dates, models, dataclasses, enums; what else has no JSON is shown as text."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.value if isinstance(value, Enum) else str(value)
