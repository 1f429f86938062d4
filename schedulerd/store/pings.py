"""What monitors are to be told: written in the transaction of what it tells of, and kept until it was told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from schedulerd.domain.heartbeats import OF_STATE, Beat, Heartbeat, Ping, PingKey, read_heartbeat
from schedulerd.domain.ids import RunKey, ScheduleKey
from schedulerd.domain.states import RunState
from schedulerd.store.notice_tables import pings
from schedulerd.store.tables import AnyRow, flows, runs, schedules

Came = tuple[RunKey, RunState, datetime]
"""That a run came to a state, and when."""

_PAGE: Final = 500
_WITH_HEARTBEAT: Final = select(schedules.c.id).where(schedules.c.heartbeat.is_not(None)).limit(1)
_HEARTBEATS: Final = (
    select(runs.c.id, runs.c.attempt, runs.c.schedule_id, schedules.c.heartbeat)
    .select_from(runs.join(schedules, schedules.c.id == runs.c.schedule_id))
    .where(runs.c.id.in_(bindparam("keys", expanding=True)), schedules.c.heartbeat.is_not(None))
)
_RANKED: Final = select(
    pings,
    func.row_number().over(partition_by=pings.c.schedule_id, order_by=pings.c.id).label("place"),
).subquery()
_WAITING: Final = (
    select(
        *(_RANKED.c[name] for name in ("id", "schedule_id", "beat", "at", "tries", "next_at", "answer")),
        schedules.c.name.label("schedule"),
        schedules.c.heartbeat,
        flows.c.name.label("flow"),
        runs.c.number,
    )
    .select_from(
        _RANKED.join(schedules, schedules.c.id == _RANKED.c.schedule_id)
        .join(runs, runs.c.id == _RANKED.c.run_id)
        .join(flows, flows.c.id == runs.c.flow_id)
    )
    .where(_RANKED.c.place <= bindparam("each"))
    .order_by(_RANKED.c.id)
)
_NOTE: Final = (
    update(pings)
    .where(pings.c.id == bindparam("key"))
    .values(tries=bindparam("tried"), next_at=bindparam("next"), answer=bindparam("said"))
)


class Monitored:
    """Has any schedule a heartbeat, as far as this process knows?

    It is asked once, so that those who have none pay nothing for it. Later ones are put in force by the daemon, which is
    also who moves the runs; one that has lost its heartbeat is forgotten with the process.
    """

    def __init__(self) -> None:
        self._any: bool | None = None

    def has_any(self, connection: Connection) -> bool:
        """May a run be one of a schedule that has a heartbeat?"""
        if self._any is None:
            self._any = connection.execute(_WITH_HEARTBEAT).first() is not None
        return self._any

    def note(self) -> None:
        """There is one."""
        self._any = True


class Pings:
    """Those of a schedule are told in their order."""

    def __init__(self, connection: Connection, monitored: Monitored) -> None:
        self._connection: Final = connection
        self._monitored: Final = monitored

    def tell(self, changes: Sequence[Came]) -> None:
        """Have the monitors told that runs came to these states, as far as their schedules have a heartbeat for it."""
        told = [change for change in changes if change[1] in OF_STATE]
        if not told or not self._monitored.has_any(self._connection):
            return
        keys = sorted({key for key, _, _ in told})
        pages = (keys[start : start + _PAGE] for start in range(0, len(keys), _PAGE))
        of = {row.id: row for page in pages for row in self._connection.execute(_HEARTBEATS, {"keys": page})}
        rows = [_row(of[key], OF_STATE[state], at) for key, state, at in told if key in of]
        wanted = [row for row in rows if row is not None]
        if wanted:
            self._connection.execute(insert(pings), wanted)

    def waiting(self, each: int) -> list[Ping]:
        """What is to be told, now or later: the first so many of each schedule, the oldest first."""
        return [_ping(row) for row in self._connection.execute(_WAITING, {"each": each})]

    def note(self, ping: Ping) -> None:
        """Note what came of a try: how many there were, the answer, and when there is to be another."""
        values = {"key": ping.key, "tried": ping.tries, "next": ping.next_at, "said": ping.answer}
        self._connection.execute(_NOTE, values)

    def done(self, keys: Sequence[PingKey]) -> None:
        """These were told, or are given up."""
        if keys:
            self._connection.execute(delete(pings).where(pings.c.id.in_(keys)))


def _row(of: AnyRow, beat: Beat, at: datetime) -> dict[str, Any] | None:
    if Heartbeat(**of.heartbeat).url(beat) is None:
        return None
    if beat is Beat.START and of.attempt > 1:
        return None  # it has started once
    return {
        "schedule_id": of.schedule_id,
        "run_id": of.id,
        "beat": beat.value,
        "at": at,
        "next_at": at,
        "answer": "",
    }


def _ping(row: AnyRow) -> Ping:
    heartbeat, beat = read_heartbeat(row.heartbeat), Beat(row.beat)
    return Ping(
        key=PingKey(row.id),
        schedule_key=ScheduleKey(row.schedule_id),
        schedule=row.schedule,
        run=f"{row.flow}#{row.number}",
        beat=beat,
        at=row.at,
        url=None if heartbeat is None else heartbeat.url(beat),
        tries=row.tries,
        next_at=row.next_at,
        answer=row.answer,
    )
