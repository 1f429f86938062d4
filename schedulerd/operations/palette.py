"""What somebody may mean who types a word or two: what there is, by name, in one look."""

from dataclasses import dataclass
from typing import Final

from schedulerd.domain.agents import Agent
from schedulerd.domain.runs import Run
from schedulerd.store.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """Everything that has a name; of each schedule, whether it is paused."""

    flows: tuple[str, ...]
    schedules: dict[str, bool]
    agents: tuple[Agent, ...]


class Palette:
    """Names, and runs by their number alone."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def known(self) -> Known:
        """The flows, schedules and agents, by name."""
        with self._database.read() as tx:
            return Known(
                flows=tuple(tx.flows.names()),
                schedules=tx.schedules.names(),
                agents=tuple(tx.agents.all()),
            )

    def numbered(self, number: int, *, limit: int) -> tuple[Run, ...]:
        """The runs with this number, of whatever flow in force, the newest first."""
        with self._database.read() as tx:
            return tuple(tx.runs.numbered(number, limit=limit))
