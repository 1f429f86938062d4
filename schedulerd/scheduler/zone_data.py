"""Follows the tz database: after a new edition of it, schedules are due at other moments than were reckoned before."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from schedulerd.domain.ids import ScheduleKey
from schedulerd.domain.schedules import Schedule
from schedulerd.domain.timing import Timing
from schedulerd.domain.zones import zones_version
from schedulerd.store.database import Database

log = logging.getLogger(__name__)

_FACT: Final = "tzdata"
_UTC: Final = "UTC"


def follow_zone_data(database: Database, *, version: str | None = None) -> None:
    """Reckon anew when the schedules in force are due next, where the zones are of another edition than the last time.

    All in one transaction. Raises `StoreUnavailable`.
    """
    version = version or zones_version()
    with database.read() as tx:
        known = tx.facts.get(_FACT)
    if known == version:
        return
    with database.write() as tx:
        moved = _moved(tx.schedules.all())
        tx.schedules.set_next_due(moved)
        tx.facts.set(_FACT, version)
    log.info("zones_changed", extra={"was": known, "version": version, "schedules_moved": len(moved)})


def _moved(schedules: Iterable[Schedule]) -> dict[ScheduleKey, datetime | None]:
    """The schedules that are due at another time than they were, and when."""
    moved: dict[ScheduleKey, datetime | None] = {}
    for schedule in schedules:
        if schedule.next_due is None or schedule.definition.when.timezone == _UTC:
            continue
        try:
            due = Timing.of(schedule).next_at(schedule.watermark)
        except Exception:  # border: a zone that is no more costs its own schedules; the tick says so again
            log.exception("reckoning_failed", extra={"schedule": schedule.definition.name})
            continue
        if due != schedule.next_due:
            moved[schedule.key] = due
    return moved
