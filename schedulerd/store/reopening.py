"""Schedules that a wrong clock decided too far ahead: due times that have not run are to be decided again."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, case, select, update

from schedulerd.domain.ids import ScheduleKey
from schedulerd.domain.states import RunState
from schedulerd.store.tables import runs, schedules

AHEAD: Final = select(schedules).where(
    schedules.c.watermark > bindparam("moment"), schedules.c.removed_at.is_(None)
)
_LOOK_FORWARD: Final = (
    update(schedules)
    .where(schedules.c.id == bindparam("key"))
    .values(
        watermark=bindparam("to"),
        next_due=bindparam("due"),
        first_seen=bindparam("seen"),
        last_due=case((schedules.c.last_due <= bindparam("to"), schedules.c.last_due), else_=None),
    )
)
_GIVE_BACK: Final = (
    update(runs)
    .where(
        runs.c.schedule_id == bindparam("key"),
        runs.c.slot.is_not(None),
        runs.c.state == RunState.SKIPPED.value,
        runs.c.due_at > bindparam("after"),
    )
    .values(slot=None)
)


def reopen(
    connection: Connection,
    key: ScheduleKey,
    *,
    watermark: datetime,
    next_due: datetime | None,
    first_seen: datetime,
) -> int:
    """Set how far the schedule is decided back to `watermark`; how many skips ahead of it gave their slot back.

    When it was due last is then not known, unless that was not later.
    """
    forward = {"key": key, "to": watermark, "due": next_due, "seen": first_seen}
    connection.execute(_LOOK_FORWARD, forward)
    return connection.execute(_GIVE_BACK, {"key": key, "after": watermark}).rowcount
