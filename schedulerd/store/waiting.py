"""What runs that are due wait for, in words: found when it is asked for, so that it is true then, and costs no tick."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, Label, and_, case, or_, select

from schedulerd.domain.agents import OFFLINE_AFTER
from schedulerd.domain.ids import RunKey
from schedulerd.domain.limits import Limits, Places
from schedulerd.domain.runs import Run
from schedulerd.domain.schedules import Overlap
from schedulerd.domain.states import RunState
from schedulerd.store.agents import drain_of
from schedulerd.store.claiming import ACTIVE_RUNS, has_before
from schedulerd.store.holders import holders, share, without_place
from schedulerd.store.lines import KEYS, Going, by_schedule
from schedulerd.store.strands import DUE_RUNS, PAGE
from schedulerd.store.tables import PASSED_OVER, AnyRow, agents, is_queued, runs, schedules
from schedulerd.store.wishes import Wishes

_AGENTS: Final = select(agents).order_by(agents.c.beat_at)
_OTHER: Final = runs.alias("other")
_REPLACES: Final = schedules.c.overlap == Overlap.REPLACE.value
_EARLIER: Final = and_(
    _OTHER.c.due_at <= runs.c.due_at, or_(_OTHER.c.due_at < runs.c.due_at, _OTHER.c.id < runs.c.id)
)


def _in_line(name: str, *where: Any, newest: bool) -> Label[int]:
    """The oldest, or the newest, of those in line with a run of which this is true."""
    found = select(_OTHER.c.id).where(is_queued(_OTHER), _OTHER.c.schedule_id == runs.c.schedule_id, *where)
    # by the whole of an index: PostgreSQL sorts all that are in line otherwise
    columns = (_OTHER.c.schedule_id, _OTHER.c.due_at, _OTHER.c.id)
    order = [one.desc() if newest else one for one in columns]
    return found.order_by(*order).limit(1).correlate(runs, schedules).scalar_subquery().label(name)


_ONE: Final = DUE_RUNS.where(runs.c.id.in_(KEYS)).order_by(None)
_WAITING: Final = _ONE.add_columns(
    # with `replace`, those that make up for missed times wait for each other, and the one on time beside them
    _in_line("earlier", _EARLIER, case((_REPLACES, _OTHER.c.caught_up), else_=1) == 1, newest=True),
    case((_REPLACES, _in_line("", _OTHER.c.caught_up == 0, newest=True).element)).label("on_time"),
    case((_REPLACES, _in_line("", _OTHER.c.caught_up == 1, newest=False).element)).label("oldest"),
)


class Waiting:
    """Why runs that are due have not started, at one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def told(self, found: Iterable[Run], *, now: datetime) -> dict[RunKey, str]:
        """Of those of the runs that are due and cannot start: what each waits for."""
        keys = [run.key for run in found if run.state is RunState.SCHEDULED and run.due_at <= now]
        if not keys:
            return {}
        rows = [row for start in range(0, len(keys), PAGE) for row in self._rows(keys[start : start + PAGE])]
        active = sorted(self._connection.execute(ACTIVE_RUNS), key=attrgetter("id"))
        agent = self._agent(now)
        going, ahead = by_schedule(active), self._ahead(rows)
        drained, places = _drained(agent), self._places(agent, active)
        ending = {wish.run for wish in Wishes(self._connection).all()}
        ending |= {RunKey(row.id) for row in active if row.state == RunState.CANCELLING}
        told = {
            RunKey(row.id): _turn(row, going, ahead, ending)
            or drained
            or (places.wait(share(row)) if places else "")
            for row in rows
        }
        return {key: words for key, words in told.items() if words}

    def _rows(self, keys: list[RunKey]) -> Iterable[AnyRow]:
        return self._connection.execute(_WAITING, {"keys": keys})

    def _agent(self, now: datetime) -> AnyRow | None:
        """The agent that could take runs: of those that live one that is not drained, and of these the one that spoke last."""
        rows = self._connection.execute(_AGENTS).all()
        return max(rows, key=lambda row: _readiness(row, now=now), default=None)

    def _places(self, agent: AnyRow | None, active: Iterable[AnyRow]) -> Places | None:
        """The places of the agent, by the limits that it told; None when there is none."""
        if agent is None or "max_running" not in agent.status:
            return None
        limits = Limits(max_running=agent.status["max_running"], pools=agent.status.get("pools", {}))
        return Places(limits, holders(active, agent=agent.name, lent=without_place(self._connection)))

    def _ahead(self, rows: Iterable[AnyRow]) -> Mapping[int, AnyRow]:
        """The runs in line that others stand behind, by their keys."""
        keys = sorted(
            {key for row in rows for key in (row.earlier, row.on_time, row.oldest) if key is not None}
        )
        pages = (keys[start : start + PAGE] for start in range(0, len(keys), PAGE))
        return {row.id: row for page in pages for row in self._connection.execute(_ONE, {"keys": page})}


def _readiness(agent: AnyRow, *, now: datetime) -> tuple[bool, bool, datetime]:
    is_online = now - agent.beat_at <= OFFLINE_AFTER
    return is_online, is_online and agent.drained_at is None, agent.beat_at


def _drained(agent: AnyRow | None) -> str:
    """That runs wait for a drained agent, and why it is; empty when they do not."""
    drain = None if agent is None else drain_of(agent)
    return "" if agent is None or drain is None else f"waits: {drain.told(agent.name)}"


def _turn(row: AnyRow, going: Going, ahead: Mapping[int, AnyRow], ending: Collection[RunKey]) -> str:
    """Which run of its schedule must end, or start, before it; empty when it does not wait for its turn.

    `ending` are the runs that have been told to end.
    """
    if not row.queued:
        return ""
    others = going.get(row.schedule_id, [])
    before = _before(row, ahead)
    if before is not None:
        return f"queued behind {_name(before)}"
    if row.overlap == Overlap.ALLOW.value:
        others = [other for other in others if has_before([other], row)][-1:]
    if not others:
        return ""
    replaces = row.overlap == Overlap.REPLACE.value and not row.caught_up and RunKey(others[0].id) in ending
    return f"{'replaces' if replaces else 'queued behind'} {_name(others[0])}"


def _before(row: AnyRow, ahead: Mapping[int, AnyRow]) -> AnyRow | None:
    """The run in line whose turn is just before that of this one."""
    if row.overlap != Overlap.REPLACE.value:
        return ahead.get(row.earlier)
    if not row.caught_up:
        oldest = ahead.get(row.oldest)
        return oldest if oldest is not None and oldest.queued == PASSED_OVER else None
    if row.earlier is not None:
        return ahead[row.earlier]
    return None if row.queued == PASSED_OVER else ahead.get(row.on_time)


def _name(row: AnyRow) -> str:
    return f"{row.flow}#{row.number}"
