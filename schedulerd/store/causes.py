"""What makes schedules due that have no due times: runs that ended, and the causes that were decided."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from schedulerd.domain.causes import Cause, EndedRun
from schedulerd.domain.ids import RunId, RunKey, ScheduleKey
from schedulerd.domain.states import RunState
from schedulerd.store.cause_table import causes
from schedulerd.store.tables import IS_TO_FOLLOW, flows, runs, schedules

_ENDED: Final = (
    select(runs.c.id, runs.c.uuid, flows.c.name, runs.c.number, runs.c.state, runs.c.attempt, runs.c.ended_at)
    .join(flows, flows.c.id == runs.c.flow_id)
    .where(IS_TO_FOLLOW)
    .order_by(runs.c.id)
    .limit(bindparam("limit"))
)
_FOLLOWED: Final = update(runs).where(runs.c.id.in_(bindparam("keys", expanding=True))).values(to_follow=0)
_ALL_FOLLOWED: Final = update(runs).where(IS_TO_FOLLOW).values(to_follow=0)
_KNOWN: Final = select(causes.c.mark).where(
    causes.c.schedule_id == bindparam("schedule"), causes.c.mark.in_(bindparam("marks", expanding=True))
)
_OLD: Final = delete(causes).where(causes.c.at < bindparam("before"))
# A file is older than the decision about it: what lies there still is from before the watermark then, and no cause.
_FORGOTTEN_FILES: Final = (
    update(schedules)
    .where(schedules.c.cause == "file", schedules.c.watermark < bindparam("before"))
    .values(watermark=bindparam("before", type_=schedules.c.watermark.type))
)
_PAGE: Final = 1_000


class Causes:
    """What was decided stays decided: a mark of a schedule is taken once."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def ended(self, *, limit: int) -> list[EndedRun]:
        """Runs that have ended, and of which nobody has looked yet what comes after them, the oldest first."""
        return [
            EndedRun(
                key=RunKey(row.id),
                id=RunId(row.uuid),
                flow=row.name,
                number=row.number,
                state=RunState(row.state),
                attempt=row.attempt,
                ended_at=row.ended_at,
            )
            for row in self._connection.execute(_ENDED, {"limit": limit})
        ]

    def followed(self, keys: Sequence[RunKey]) -> None:
        """It was looked what comes after these runs."""
        if keys:
            self._connection.execute(_FOLLOWED, {"keys": list(keys)})

    def all_followed(self) -> None:
        """Nothing comes after any run that has ended."""
        self._connection.execute(_ALL_FOLLOWED)

    def known(self, schedule: ScheduleKey, marks: Sequence[str]) -> set[str]:
        """Those of the marks that were decided for the schedule before."""
        found: set[str] = set()
        for start in range(0, len(marks), _PAGE):
            page = {"schedule": schedule, "marks": marks[start : start + _PAGE]}
            found |= set(self._connection.scalars(_KNOWN, page))
        return found

    def decided(self, schedule: ScheduleKey, decided: Sequence[Cause], *, at: datetime) -> None:
        """Note that these were decided. Raises `Conflict` for one that was before."""
        rows = [
            {"schedule_id": schedule, "mark": one.mark, "subject": one.subject, "at": at} for one in decided
        ]
        if rows:
            self._connection.execute(insert(causes), rows)

    def forget(self, before: datetime) -> None:
        """Forget what was decided before this moment. A file that was there before it is no cause any more."""
        if self._connection.execute(_OLD, {"before": before}).rowcount:
            self._connection.execute(_FORGOTTEN_FILES, {"before": before})
