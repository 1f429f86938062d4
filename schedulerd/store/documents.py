"""Values that are kept whole, as JSON: definitions, failures. What is left out on writing is the default on reading."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, assert_never

from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FlowDefinition, FlowKind
from schedulerd.domain.schedules import (
    Catchup,
    Cron,
    DayMatch,
    Interval,
    Once,
    Overlap,
    Policies,
    ScheduleDefinition,
    When,
)

Json = dict[str, Any]

_MICROSECOND: Final = timedelta(microseconds=1)


def failure_json(failure: Failure | None) -> Json | None:
    """A failure without what it does not know."""
    if failure is None:
        return None
    values = {name: getattr(failure, name) for name in ("file", "line", "task", "traceback")}
    return {"type": failure.type, "message": failure.message} | _without_empty(values)


def read_failure(json: Mapping[str, Any] | None) -> Failure | None:
    """The failure that `failure_json` was given."""
    return None if json is None else Failure(**json)


def flow_json(flow: FlowDefinition) -> Json:
    """A flow's definition."""
    return {"name": flow.name, "kind": flow.kind.value, "file": flow.file} | _without_empty(
        {
            "entrypoint": flow.entrypoint,
            "command": flow.command,
            "description": flow.description,
            "tags": list(flow.tags),
            "parameters": dict(flow.parameters),
            "tasks": list(flow.tasks),
            "edges": [list(edge) for edge in flow.edges],
            "timeout_seconds": flow.timeout_seconds,
            "schedules": [schedule_json(schedule) for schedule in flow.schedules],
        }
    )


def read_flow(json: Mapping[str, Any]) -> FlowDefinition:
    """The definition that `flow_json` was given."""
    return FlowDefinition(
        **{
            **json,
            "kind": FlowKind(json["kind"]),
            "tags": tuple(json.get("tags", ())),
            "tasks": tuple(json.get("tasks", ())),
            "edges": tuple((start, end) for start, end in json.get("edges", ())),
            "schedules": tuple(map(read_schedule, json.get("schedules", ()))),
        }
    )


def schedule_json(schedule: ScheduleDefinition) -> Json:
    """A schedule's definition."""
    return {
        "name": schedule.name,
        "when": _when_json(schedule.when),
        "policies": _policies_json(schedule.policies),
        "enabled": schedule.enabled,
    } | _without_empty(
        {
            "flow": schedule.flow,
            "command": schedule.command,
            "parameters": dict(schedule.parameters),
            "origin": schedule.origin,
        }
    )


def read_schedule(json: Mapping[str, Any]) -> ScheduleDefinition:
    """The definition that `schedule_json` was given."""
    policies = read_policies(json["policies"])
    return ScheduleDefinition(**{**json, "when": read_when(json["when"]), "policies": policies})


def _when_json(when: When) -> Json:
    match when:
        case Cron():
            words = {"kind": "cron", "expression": when.expression, "timezone": when.timezone}
            return words if when.day_match is None else words | {"day_match": when.day_match.value}
        case Interval():
            anchor = None if when.anchor is None else when.anchor.isoformat()
            return {
                "kind": "interval",
                "every": when.every // _MICROSECOND,
                "timezone": when.timezone,
                "anchor": anchor,
            }
        case Once():
            return {"kind": "once", "at": when.at.isoformat(), "timezone": when.timezone}
        case _:
            assert_never(when)


def read_when(json: Mapping[str, Any]) -> When:
    """What `schedule_json` wrote under `when`."""
    timezone = json["timezone"]
    match json["kind"]:
        case "cron":
            match = json.get("day_match")
            return Cron(
                expression=json["expression"],
                timezone=timezone,
                day_match=None if match is None else DayMatch(match),
            )
        case "interval":
            anchor = json["anchor"]
            return Interval(
                every=timedelta(microseconds=json["every"]),
                timezone=timezone,
                anchor=None if anchor is None else datetime.fromisoformat(anchor),
            )
        case "once":
            return Once(at=datetime.fromisoformat(json["at"]), timezone=timezone)
        case other:
            raise ValueError(f"a schedule of kind {other!r} is not known to this version")


def _policies_json(policies: Policies) -> Json:
    return {
        "catchup": policies.catchup.value,
        "catchup_limit": policies.catchup_limit,
        "catchup_window": policies.catchup_window // _MICROSECOND,
        "misfire_grace": policies.misfire_grace // _MICROSECOND,
        "overlap": policies.overlap.value,
    }


def read_policies(json: Mapping[str, Any]) -> Policies:
    """What `schedule_json` wrote under `policies`."""
    return Policies(
        catchup=Catchup(json["catchup"]),
        catchup_limit=json["catchup_limit"],
        catchup_window=timedelta(microseconds=json["catchup_window"]),
        misfire_grace=timedelta(microseconds=json["misfire_grace"]),
        overlap=Overlap(json["overlap"]),
    )


def _without_empty(values: Json) -> Json:
    return {name: value for name, value in values.items() if value not in (None, "", (), [], {})}
