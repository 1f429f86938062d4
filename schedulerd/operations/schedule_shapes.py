"""Schedules, fires and explanations as programs see them; the rest is in `shapes`, which costs less to import."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

from schedulerd.domain.durations import duration_text
from schedulerd.domain.schedules import (
    After,
    Blackout,
    Cron,
    FileAppears,
    Interval,
    Once,
    Pause,
    Policies,
    Reboot,
    RRule,
    Schedule,
    ScheduleDefinition,
    Webhook,
    When,
)
from schedulerd.domain.simulation import Decision
from schedulerd.domain.wording import Language, schedule_in_words
from schedulerd.domain.zones import zone
from schedulerd.operations.explaining import Explanation, Fire
from schedulerd.operations.shapes import Shape, milliseconds, surroundings_shape, time_text


def schedule_shape(schedule: Schedule, *, language: Language = "en") -> Shape:
    """A schedule; of `flow` and `command` it has the one that it runs. `text` says it in words of the language."""
    definition = schedule.definition
    runs = "flow" if definition.command is None else "command"
    return {
        "id": definition.name,
        "name": definition.name,
        runs: definition.flow if definition.command is None else definition.command,
        "when": when_shape(definition.when),
        "text": schedule_in_words(definition, language=language),
        "parameters": dict(definition.parameters),
        "start": _local_text(definition.start),
        "end": _local_text(definition.end),
        "jitter_ms": milliseconds(definition.jitter),
        "blackout": None if definition.blackout is None else _blackout_shape(definition.blackout),
        "policies": _policies_shape(definition.policies),
        "heartbeat": None if definition.heartbeat is None else definition.heartbeat.shown(),
        **_of_command(definition),
        "enabled": definition.enabled,
        "paused": _pause_shape(schedule.paused),
        "next_due": time_text(schedule.next_due),
        "last_due": time_text(schedule.last_due),
        "origin": definition.origin,
    }


def _of_command(definition: ScheduleDefinition) -> Shape:
    """What only a command is told by its schedule; a flow has it in its file."""
    if definition.command is None:
        return {}
    return {
        "timeout_ms": milliseconds(definition.timeout),
        "surroundings": surroundings_shape(definition.surroundings, definition.environment),
    }


def when_shape(when: When) -> Shape:
    """When a schedule fires."""
    match when:
        case Cron():
            return {
                "kind": "cron",
                "expression": when.expression,
                "timezone": when.timezone,
                "day_match": None if when.day_match is None else when.day_match.value,
            }
        case Interval():
            return {
                "kind": "interval",
                "expression": duration_text(when.every),
                "timezone": when.timezone,
                "anchor": _local_text(when.anchor),
            }
        case Once():
            return {"kind": "once", "expression": when.at.isoformat(), "timezone": when.timezone}
        case RRule():
            return {
                "kind": "rrule",
                "expression": when.expression,
                "timezone": when.timezone,
                "anchor": _local_text(when.anchor),
            }
        case After():
            return {
                "kind": "after",
                "expression": f"after {', '.join(when.flows)}",
                "timezone": when.timezone,
                "flows": list(when.flows),
                "states": [state.value for state in when.states],
            }
        case FileAppears():
            return {
                "kind": "file",
                "expression": when.pattern,
                "timezone": when.timezone,
                "parameter": when.parameter,
            }
        case Webhook():
            return {
                "kind": "webhook",
                "expression": f"webhook {when.hook}",
                "timezone": when.timezone,
                "hook": when.hook,
                "secret": when.secret,  # its name
                "parameter": when.parameter,
            }
        case Reboot():
            return {"kind": "reboot", "expression": "@reboot", "timezone": when.timezone}
        case _:
            assert_never(when)


def _pause_shape(pause: Pause | None) -> Shape | None:
    return None if pause is None else {"reason": pause.reason, "by": pause.by, "at": time_text(pause.at)}


def _local_text(moment: datetime | None) -> str | None:
    """A local time of the schedule's zone, as it was written."""
    return None if moment is None else moment.isoformat()


def _blackout_shape(blackout: Blackout) -> Shape:
    return {
        "action": blackout.action.value,
        "windows": [
            {"cron": one.expression, "duration_ms": milliseconds(one.duration)} for one in blackout.windows
        ],
        "spans": [{"from": one.start.isoformat(), "to": one.end.isoformat()} for one in blackout.spans],
        "days": [day.isoformat() for day in blackout.days],
        "calendars": list(blackout.calendars),
    }


def _policies_shape(policies: Policies) -> Mapping[str, Any]:
    return {
        "catchup": policies.catchup.value,
        "catchup_limit": policies.catchup_limit,
        "catchup_window_ms": milliseconds(policies.catchup_window),
        "misfire_grace_ms": milliseconds(policies.misfire_grace),
        "overlap": policies.overlap.value,
        "queue_limit": policies.queue_limit,
    }


def fire_shape(fire: Fire) -> Shape:
    """A due time to come."""
    return {
        "at": time_text(fire.at),
        "local": fire.local.isoformat(timespec="milliseconds"),
        "timezone": fire.timezone,
        "schedule": fire.schedule,
        "flow": fire.flow,
        "note": fire.note,
    }


def decision_shape(decision: Decision, flow: str | None) -> Shape:
    """What would become of a due time, or of a span of them up to this one."""
    definition = decision.schedule.definition
    return {
        "at": time_text(decision.at),
        "schedule": definition.name,
        "flow": flow,
        "due_at": time_text(decision.due.at),
        "local": decision.due.at.astimezone(zone(definition.when.timezone)).isoformat(
            timespec="milliseconds"
        ),
        "timezone": definition.when.timezone,
        "slot": decision.due.slot,
        "outcome": "starts" if decision.reason is None else "skipped",
        "reason": "" if decision.reason is None else decision.reason.value,
        "count": decision.count,
        "first_due_at": None if decision.first is None else time_text(decision.first.at),
    }


def explanation_shape(explanation: Explanation) -> Shape:
    """What an expression says."""
    return {
        "expression": explanation.expression,
        "when": when_shape(explanation.when),
        "text": explanation.text,
        "notes": [{"code": one.code.value, "text": one.text} for one in explanation.cautions],
        "fires": [fire_shape(fire) for fire in explanation.fires],
    }
