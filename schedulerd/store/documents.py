"""Values that are kept whole, as JSON: definitions, failures. What is left out on writing is the default on reading."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, assert_never

from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FlowDefinition, FlowKind
from schedulerd.domain.heartbeats import read_heartbeat
from schedulerd.domain.retrying import read_retries, retries_json
from schedulerd.domain.schedules import (
    After,
    Blackout,
    BlackoutAction,
    BlackoutSpan,
    BlackoutWindow,
    Catchup,
    Cron,
    DayMatch,
    FileAppears,
    Interval,
    Once,
    Overlap,
    Policies,
    Reboot,
    RRule,
    ScheduleDefinition,
    Webhook,
    When,
)
from schedulerd.domain.states import RunState
from schedulerd.domain.surroundings import Surroundings

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
            "surroundings": flow.surroundings.as_json(),
            "environment": dict(flow.environment),
            "stdin": flow.stdin,
            "mail_to": flow.mail_to,
            "pool": flow.pool,
            "priority": flow.priority or None,
            "max_running": flow.max_running,
            "retrying": retries_json(flow.retrying),
            "hooks": sorted(flow.hooks),
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
            "surroundings": Surroundings.from_json(json.get("surroundings", {})),
            "retrying": read_retries(json.get("retrying", {})),
            "hooks": frozenset(map(RunState, json.get("hooks", ()))),
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
            "start": _moment_text(schedule.start),
            "end": _moment_text(schedule.end),
            "jitter": schedule.jitter // _MICROSECOND or None,
            "blackout": None if schedule.blackout is None else _blackout_json(schedule.blackout),
            "surroundings": schedule.surroundings.as_json(),
            "environment": dict(schedule.environment),
            "timeout": None if schedule.timeout is None else schedule.timeout // _MICROSECOND,
            "stdin": schedule.stdin,
            "mail_to": schedule.mail_to,
            "pool": schedule.pool,
            "priority": schedule.priority,
            "max_running": schedule.max_running,
            "retrying": retries_json(schedule.retrying),
            "heartbeat": None if schedule.heartbeat is None else schedule.heartbeat.as_json(),
        }
    )


def read_schedule(json: Mapping[str, Any]) -> ScheduleDefinition:
    """The definition that `schedule_json` was given."""
    blackout, timeout = json.get("blackout"), json.get("timeout")
    values = {
        "when": read_when(json["when"]),
        "policies": read_policies(json["policies"]),
        "start": _read_moment(json.get("start")),
        "end": _read_moment(json.get("end")),
        "jitter": timedelta(microseconds=json.get("jitter", 0)),
        "blackout": None if blackout is None else _read_blackout(blackout),
        "surroundings": Surroundings.from_json(json.get("surroundings", {})),
        "timeout": None if timeout is None else timedelta(microseconds=timeout),
        "retrying": read_retries(json.get("retrying", {})),
        "heartbeat": read_heartbeat(json.get("heartbeat")),
    }
    return ScheduleDefinition(**{**json, **values})


def _blackout_json(blackout: Blackout) -> Json:
    return {"action": blackout.action.value} | _without_empty(
        {
            "windows": [[one.expression, one.duration // _MICROSECOND] for one in blackout.windows],
            "days": [day.isoformat() for day in blackout.days],
            "spans": [[one.start.isoformat(), one.end.isoformat()] for one in blackout.spans],
            "calendars": list(blackout.calendars),
        }
    )


def _read_blackout(json: Mapping[str, Any]) -> Blackout:
    return Blackout(
        windows=tuple(
            BlackoutWindow(expression=expression, duration=timedelta(microseconds=duration))
            for expression, duration in json.get("windows", ())
        ),
        days=tuple(map(date.fromisoformat, json.get("days", ()))),
        spans=tuple(
            BlackoutSpan(start=datetime.fromisoformat(start), end=datetime.fromisoformat(end))
            for start, end in json.get("spans", ())
        ),
        action=BlackoutAction(json["action"]),
        calendars=tuple(json.get("calendars", ())),
    )


def _moment_text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _read_moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _when_json(when: When) -> Json:
    match when:
        case Cron():
            words = {"kind": "cron", "expression": when.expression, "timezone": when.timezone}
            return words if when.day_match is None else words | {"day_match": when.day_match.value}
        case Interval():
            return {
                "kind": "interval",
                "every": when.every // _MICROSECOND,
                "timezone": when.timezone,
                "anchor": _moment_text(when.anchor),
            }
        case Once():
            return {"kind": "once", "at": when.at.isoformat(), "timezone": when.timezone}
        case RRule():
            return {
                "kind": "rrule",
                "expression": when.expression,
                "timezone": when.timezone,
                "anchor": _moment_text(when.anchor),
            }
        case After():
            states = [state.value for state in when.states]
            return {"kind": "after", "flows": list(when.flows), "states": states, "timezone": when.timezone}
        case FileAppears():
            return {
                "kind": "file",
                "pattern": when.pattern,
                "parameter": when.parameter,
                "timezone": when.timezone,
            }
        case Webhook():
            return {
                "kind": "webhook",
                "hook": when.hook,
                "secret": when.secret,
                "parameter": when.parameter,
                "timezone": when.timezone,
            }
        case Reboot():
            return {"kind": "reboot", "timezone": when.timezone}
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
            return Interval(
                every=timedelta(microseconds=json["every"]),
                timezone=timezone,
                anchor=_read_moment(json["anchor"]),
            )
        case "once":
            return Once(at=datetime.fromisoformat(json["at"]), timezone=timezone)
        case "rrule":
            return RRule(
                expression=json["expression"], timezone=timezone, anchor=_read_moment(json["anchor"])
            )
        case "after":
            states = tuple(map(RunState, json["states"]))
            return After(flows=tuple(json["flows"]), states=states, timezone=timezone)
        case "file":
            return FileAppears(pattern=json["pattern"], parameter=json["parameter"], timezone=timezone)
        case "webhook":
            return Webhook(
                hook=json["hook"], secret=json["secret"], parameter=json["parameter"], timezone=timezone
            )
        case "reboot":
            return Reboot(timezone=timezone)
        case other:
            raise ValueError(f"a schedule of kind {other!r} is not known to this version")


def _policies_json(policies: Policies) -> Json:
    return {
        "catchup": policies.catchup.value,
        "catchup_limit": policies.catchup_limit,
        "catchup_window": policies.catchup_window // _MICROSECOND,
        "misfire_grace": policies.misfire_grace // _MICROSECOND,
        "overlap": policies.overlap.value,
        "queue_limit": policies.queue_limit,
    }


def read_policies(json: Mapping[str, Any]) -> Policies:
    """What `schedule_json` wrote under `policies`."""
    return Policies(
        catchup=Catchup(json["catchup"]),
        catchup_limit=json["catchup_limit"],
        catchup_window=timedelta(microseconds=json["catchup_window"]),
        misfire_grace=timedelta(microseconds=json["misfire_grace"]),
        overlap=Overlap(json["overlap"]),
        queue_limit=json.get("queue_limit", 1),
    )


def _without_empty(values: Json) -> Json:
    return {name: value for name, value in values.items() if value not in (None, "", (), [], {})}
