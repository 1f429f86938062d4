"""Taking due runs: the one place where a run gets its place, and where overlap is decided."""

import heapq
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from schedulerd.domain.ids import RunKey
from schedulerd.domain.limits import Limits, Places
from schedulerd.domain.runs import Move, Run
from schedulerd.domain.schedules import Overlap
from schedulerd.domain.states import RunState
from schedulerd.store.holders import holders, share, without_place
from schedulerd.store.lines import KEYS, Going, Lines, by_schedule
from schedulerd.store.moving import move_due
from schedulerd.store.retrying import Retries
from schedulerd.store.roots import rooted
from schedulerd.store.run_rows import RUNS, run_of
from schedulerd.store.strands import DUE_RUNS, NOW, Strands
from schedulerd.store.tables import IS_ACTIVE, IS_SCHEDULED, AnyRow, flows, runs

_READ_ON: Final = 100
_STRANDS: Final = 50
_Order = tuple[float, datetime, int]
_BEFORE_ALL: Final[_Order] = (float("-inf"), datetime.min.replace(tzinfo=UTC), 0)
# Not ordered: SQLite would read all runs by their key rather than sort the few that go on.
ACTIVE_RUNS: Final = DUE_RUNS.where(IS_ACTIVE).order_by(None)
_CLAIM: Final = (
    update(runs)
    .where(runs.c.id.in_(KEYS), IS_SCHEDULED)
    .values(
        state=RunState.PENDING.value,
        queued=0,
        pending_at=NOW,
        attempt=runs.c.attempt + 1,
        version_id=select(flows.c.version_id).where(flows.c.id == runs.c.flow_id).scalar_subquery(),
        hooks=select(flows.c.hooks).where(flows.c.id == runs.c.flow_id).scalar_subquery(),
        agent=bindparam("agent"),
        boot_id=bindparam("boot"),
        move_count=runs.c.move_count + 1,
    )
)
_CLAIMED: Final = RUNS.where(runs.c.id.in_(KEYS)).order_by(runs.c.priority.desc(), runs.c.due_at, runs.c.id)


class Claim:
    """One taking of due runs, at one moment, for one agent. To be used once, in a writing transaction."""

    def __init__(self, connection: Connection, *, now: datetime, agent: str, boot_id: str) -> None:
        self._connection: Final = connection
        self._now: Final = now
        self._agent: Final = agent
        self._boot_id: Final = boot_id
        self._lines: Final = Lines(connection, now=now, agent=agent)
        self._strands: Final = Strands(connection, now=now)

    def take(self, limit: int, *, limits: Limits) -> list[Run]:
        """Take at most `limit` due runs for which there is a place: by priority, then the oldest due first.

        What becomes of runs that overlap one of their schedule is decided whether or not there is a place for them.
        """
        active = sorted(self._connection.execute(ACTIVE_RUNS), key=attrgetter("id"))
        going = by_schedule(active)
        self._lines.settle(going)
        places = Places(limits, holders(active, agent=self._agent, lent=without_place(self._connection)))
        again = Retries(self._connection, now=self._now).take(
            min(limit, places.free), places, agent=self._agent, boot_id=self._boot_id
        )
        picked = self._pick(min(limit - len(again), places.free), going, places)
        self._start(picked)
        keys = [*again, *(RunKey(row.id) for row in picked)]
        if not keys:
            return []
        claimed = [run_of(row) for row in self._connection.execute(_CLAIMED, {"keys": keys})]
        return rooted(self._connection, claimed)

    @property
    def skipped(self) -> list[RunKey]:
        """The runs that were skipped, because one of their schedule goes on."""
        return self._lines.skipped

    def _pick(self, most: int, going: Going, places: Places) -> list[AnyRow]:
        """The runs that start, in their order; what they take of the places is counted at once."""
        picked: list[AnyRow] = []
        queue = _Queue(self._strands, together=min(most, _READ_ON)) if most > 0 else None
        while queue and len(picked) < most:
            row = queue.first
            if not places.has_room(share(row)):
                queue.close()
                continue
            chosen = self._chosen(row, going)
            if chosen is not None and places.has_room(share(chosen)):
                picked.append(chosen)
                places.take(share(chosen))
                if chosen.schedule_id is not None:
                    going.setdefault(chosen.schedule_id, []).append(chosen)
            if len(picked) < most:
                queue.go_on()
        return picked

    def _chosen(self, row: AnyRow, going: Going) -> AnyRow | None:
        """The run that starts now that it is this one's turn: another may go before it, or it waits for one that goes on."""
        if row.schedule_id is None:
            return row
        others = going.get(row.schedule_id, [])
        if row.overlap == Overlap.ALLOW.value:
            return None if row.caught_up and has_before(others, row) else row
        if others:
            return None
        return self._lines.next(row.schedule_id) if row.overlap == Overlap.REPLACE.value else row

    def _start(self, rows: Sequence[AnyRow]) -> None:
        if not rows:
            return
        move = Move(at=self._now, was=RunState.SCHEDULED, to=RunState.PENDING, actor=self._agent)
        values = {"now": self._now, "agent": self._agent, "boot": self._boot_id}
        move_due(self._connection, _CLAIM, values, [(row, move) for row in rows])
        replacing = [row for row in rows if row.overlap == Overlap.REPLACE.value]
        self._lines.replace(replacing)
        self._lines.settle(by_schedule(row for row in rows if row.overlap != Overlap.REPLACE.value))


class _Queue:
    """The due runs of all strands in the order in which they start, read as far as they are looked at, so many `together`."""

    def __init__(self, strands: Strands, *, together: int) -> None:
        self._strands: Final = strands
        self._together: Final = together
        self._heap: Final = [_strand([row]) for row in strands.lines()]
        heapq.heapify(self._heap)
        self._known = 0
        self._edge: _Order | None = _BEFORE_ALL
        self._read_strands()

    def __bool__(self) -> bool:
        return bool(self._heap)

    @property
    def first(self) -> AnyRow:
        """The run whose turn it is."""
        return self._heap[0][1][0]

    def go_on(self) -> None:
        """Leave the first behind."""
        strand = self._heap[0][1]
        last = strand.popleft()
        if not strand:
            strand.extend(self._strands.after(last, most=self._together))
        if strand:
            heapq.heapreplace(self._heap, _strand(strand))
        else:
            heapq.heappop(self._heap)
        self._read_strands()

    def close(self) -> None:
        """Leave the first behind, and all of its strand."""
        heapq.heappop(self._heap)
        self._read_strands()

    def _read_strands(self) -> None:
        """Read more strands, each time more, as long as one that is not known yet may come before the first."""
        while self._edge is not None and (not self._heap or self._edge < self._heap[0][0]):
            most = max(_STRANDS, 4 * self._known)
            rows = self._strands.firsts(self._known, most=most)
            for row in rows:
                heapq.heappush(self._heap, _strand([row]))
            self._known += len(rows)
            self._edge = _order(rows[-1]) if len(rows) == most else None


def _strand(rows: Iterable[AnyRow]) -> tuple[_Order, deque[AnyRow]]:
    strand = deque(rows)
    return _order(strand[0]), strand


def _order(row: AnyRow) -> _Order:
    return -row.priority, row.due_at, row.id


def has_before(others: Sequence[AnyRow], row: AnyRow) -> bool:
    """Is one of them due before the run?"""
    return any((other.due_at, other.id) < (row.due_at, row.id) for other in others)
