"""The row of a schedule: a new one, what changes of one that is put in force again, and the schedule that one says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from schedulerd.domain.ids import FlowKey, ScheduleKey
from schedulerd.domain.schedules import (
    After,
    FileAppears,
    Pause,
    Reboot,
    Schedule,
    ScheduleDefinition,
    Webhook,
)
from schedulerd.store.tables import AnyRow

_KINDS_OF_CAUSE: Final[Mapping[type, str]] = {After: "after", FileAppears: "file", Webhook: "webhook"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Advance:
    """How far a schedule has been decided, and when it is due next. `last_due` None keeps the one that is there."""

    key: ScheduleKey
    watermark: datetime
    next_due: datetime | None
    last_due: datetime | None


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


def schedule_of(row: AnyRow) -> Schedule:
    """The schedule that a row says."""
    return Schedule(
        key=ScheduleKey(row.id),
        flow_key=FlowKey(row.flow_id),
        definition=row.definition,
        first_seen=row.first_seen,
        watermark=row.watermark,
        next_due=row.next_due,
        last_due=row.last_due,
        paused=_pause(row),
        boot_id=row.boot_id,
    )


def _pause(row: AnyRow) -> Pause | None:
    if row.paused_at is None:
        return None
    return Pause(at=row.paused_at, by=row.paused_by, reason=row.paused_reason)


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
