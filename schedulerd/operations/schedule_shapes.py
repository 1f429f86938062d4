"""Schedules, fires and explanations as programs see them; the rest is in `shapes`, which costs less to import."""

from collections.abc import Mapping
from typing import Any, assert_never

from schedulerd.domain.durations import duration_text
from schedulerd.domain.schedules import Cron, Interval, Once, Pause, Policies, Reboot, RRule, Schedule, When
from schedulerd.domain.wording import in_words
from schedulerd.operations.fires import Explanation, Fire
from schedulerd.operations.shapes import Shape, milliseconds, time_text


def schedule_shape(schedule: Schedule) -> Shape:
    """A schedule; of `flow` and `command` it has the one that it runs."""
    definition = schedule.definition
    runs = "flow" if definition.command is None else "command"
    return {
        "id": definition.name,
        "name": definition.name,
        runs: definition.flow if definition.command is None else definition.command,
        "when": when_shape(definition.when),
        "text": in_words(definition.when, name=definition.name),
        "parameters": dict(definition.parameters),
        "policies": _policies_shape(definition.policies),
        "enabled": definition.enabled,
        "paused": _pause_shape(schedule.paused),
        "next_due": time_text(schedule.next_due),
        "last_due": time_text(schedule.last_due),
        "origin": definition.origin,
    }


def when_shape(when: When) -> Shape:
    """When a schedule fires."""
    match when:
        case Cron():
            return {"kind": "cron", "expression": when.expression, "timezone": when.timezone}
        case Interval():
            return {
                "kind": "interval",
                "expression": duration_text(when.every),
                "timezone": when.timezone,
                "anchor": None if when.anchor is None else when.anchor.isoformat(),
            }
        case Once():
            return {"kind": "once", "expression": when.at.isoformat(), "timezone": when.timezone}
        case RRule():
            return {
                "kind": "rrule",
                "expression": when.expression,
                "timezone": when.timezone,
                "anchor": None if when.anchor is None else when.anchor.isoformat(),
            }
        case Reboot():
            return {"kind": "reboot", "expression": "@reboot", "timezone": when.timezone}
        case _:
            assert_never(when)


def _pause_shape(pause: Pause | None) -> Shape | None:
    return None if pause is None else {"reason": pause.reason, "by": pause.by, "at": time_text(pause.at)}


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


def explanation_shape(explanation: Explanation) -> Shape:
    """What an expression says."""
    return {
        "expression": explanation.expression,
        "when": when_shape(explanation.when),
        "text": explanation.text,
        "notes": [{"code": one.code.value, "text": one.text} for one in explanation.cautions],
        "fires": [fire_shape(fire) for fire in explanation.fires],
    }
