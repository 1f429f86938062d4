"""The agents and their last signs of life."""

from typing import Final

from sqlalchemy import Connection, select

from schedulerd.domain.agents import AgentBeat
from schedulerd.store.tables import AnyRow, agents
from schedulerd.store.upserts import Upsert

_PUT: Final = Upsert(agents)


class Agents:
    """Who starts runs."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def beat(self, agent: AgentBeat) -> None:
        """Note a sign of life; it replaces the last one of that name."""
        row = {column.name: getattr(agent, column.name) for column in agents.c}
        _PUT(self._connection, [row | {"status": dict(agent.status)}])

    def all(self) -> list[AgentBeat]:
        """The last sign of life of each agent, by name."""
        return [_beat(row) for row in self._connection.execute(select(agents).order_by(agents.c.name))]


def _beat(row: AnyRow) -> AgentBeat:
    return AgentBeat(**row._mapping)
