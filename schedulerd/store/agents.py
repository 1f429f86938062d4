"""The agents, their last signs of life, and their drains."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, update

from schedulerd.domain.agents import OFFLINE_AFTER, Agent, AgentBeat, Drain
from schedulerd.domain.near import near
from schedulerd.domain.snapshots import AgentMark
from schedulerd.errors import Conflict, NotFound
from schedulerd.sentences import said
from schedulerd.store.tables import AnyRow, agents
from schedulerd.store.upserts import Upsert

_DRAIN: Final = ("drained_at", "drained_by", "drained_reason")
_NO_DRAIN: Final = dict.fromkeys(_DRAIN)
_PUT: Final = Upsert(agents, first=_DRAIN)  # a sign of life says nothing of a drain, and leaves it as it is
_ALL: Final = select(agents).order_by(agents.c.name)
_DRAIN_OF: Final = select(*(agents.c[column] for column in _DRAIN)).where(agents.c.name == bindparam("agent"))
_MARKS: Final = select(agents.c.name, agents.c.started_at, agents.c.beat_at, agents.c.drained_at)


class Agents:
    """Who starts runs."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def beat(self, agent: AgentBeat) -> None:
        """Note a sign of life; it replaces the last one of that name."""
        row = {column.name: getattr(agent, column.name, None) for column in agents.c}
        _PUT(self._connection, [row | {"status": dict(agent.status)} | _NO_DRAIN])

    def all(self) -> list[Agent]:
        """The agents by name."""
        return [_agent(row) for row in self._connection.execute(_ALL)]

    def get(self, name: str) -> Agent:
        """The agent of this name. Raises `NotFound` with names that come near."""
        row = self._connection.execute(select(agents).where(agents.c.name == name)).one_or_none()
        if row is None:
            raise NotFound(
                "agent", name, near=near(name, list(self._connection.scalars(select(agents.c.name))))
            )
        return _agent(row)

    def drain(self, name: str, *, at: datetime, by: str, reason: str) -> Agent:
        """Have the agent claim no more runs. Raises `NotFound`, and `Conflict` when it is drained already."""
        self._set(name, drained_at=at, drained_by=by, drained_reason=reason)
        return self.get(name)

    def resume(self, name: str) -> Agent:
        """Have the agent claim runs again. Raises `NotFound`, and `Conflict` when it is not drained."""
        self._set(name, **_NO_DRAIN)
        return self.get(name)

    def remove(self, name: str) -> None:
        """Forget the agent, until it gives a sign of life again."""
        self._connection.execute(delete(agents).where(agents.c.name == name))

    def drain_of(self, name: str) -> Drain | None:
        """The drain of the agent; None where it has none, or has never been seen."""
        row = self._connection.execute(_DRAIN_OF, {"agent": name}).one_or_none()
        return None if row is None else drain_of(row)

    def marks(self, *, now: datetime) -> dict[str, AgentMark]:
        """What tells two moments of the agents apart, by name."""
        return {row.name: _mark(row, now=now) for row in self._connection.execute(_MARKS)}

    def _set(self, name: str, **values: datetime | str | None) -> None:
        wanted = values["drained_at"] is not None
        is_other = agents.c.drained_at.is_(None) if wanted else agents.c.drained_at.is_not(None)
        done = self._connection.execute(
            update(agents).where(agents.c.name == name, is_other).values(**values)
        )
        if done.rowcount != 1:
            self.get(name)
            raise Conflict(
                said("the agent {name!r} is drained already", name=name)
                if wanted
                else said("the agent {name!r} is not drained", name=name)
            )


def drain_of(row: AnyRow) -> Drain | None:
    """The drain in a row of agents."""
    if row.drained_at is None:
        return None
    return Drain(at=row.drained_at, by=row.drained_by or "", reason=row.drained_reason or "")


def _agent(row: AnyRow) -> Agent:
    values = {name: value for name, value in row._mapping.items() if name not in _DRAIN}
    return Agent(**values, drain=drain_of(row))


def _mark(row: AnyRow, *, now: datetime) -> AgentMark:
    return AgentMark(
        started_at=row.started_at,
        is_online=now - row.beat_at <= OFFLINE_AFTER,
        drained_at=row.drained_at,
    )
