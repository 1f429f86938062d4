"""The row of a schedule that is put in force: a new one, and what changes of one that is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from schedulerd.domain.ids import FlowKey
from schedulerd.domain.schedules import After, FileAppears, Reboot, ScheduleDefinition, Webhook
from schedulerd.store.tables import AnyRow

_KINDS_OF_CAUSE: Final[Mapping[type, str]] = {After: "after", FileAppears: "file", Webhook: "webhook"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Forward:
    """A schedule to put in force: of which flow, and from where it looks forward if its due times are others."""

    definition: ScheduleDefinition
    flow: FlowKey
    watermark: datetime
    next_due: datetime | None
    boot_id: str | None = None


def new_row(one: Forward, *, now: datetime) -> dict[str, Any]:
    """The row of a schedule whose name nobody has had."""
    return _values(one) | _ahead(one) | {"name": one.definition.name, "first_seen": now}


def row_again(one: Forward, known: AnyRow) -> dict[str, Any]:
    """What the row of its name says from now on. Where due times are as they were, it keeps how far they were decided."""
    values = _values(one)
    if known.removed_at is None and known.definition.is_due_like(one.definition):
        return values
    values |= _ahead(one)
    if known.last_due is not None and known.last_due > one.watermark:  # by a clock that has gone back
        values["last_due"] = None
    if known.paused_at is not None:
        values["next_due"] = None
    return values


def _ahead(one: Forward) -> dict[str, Any]:
    boot = one.boot_id if isinstance(one.definition.when, Reboot) else None
    return {"watermark": one.watermark, "next_due": one.next_due, "boot_id": boot}


def _values(one: Forward) -> dict[str, Any]:
    definition = one.definition
    return {
        "flow_id": one.flow,
        "definition": definition,
        "overlap": definition.policies.overlap.value,
        "queue_limit": definition.policies.queue_limit,
        "removed_at": None,
        "pool": definition.pool,
        "priority": definition.priority,
        "cause": _KINDS_OF_CAUSE.get(type(definition.when)),
        "heartbeat": None if definition.heartbeat is None else definition.heartbeat.as_json(),
    }
