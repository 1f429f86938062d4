"""What can be asked about schedules."""

from typing import Final

from schedulerd.domain.schedules import Schedule
from schedulerd.store.database import Database


class Schedules:
    """Schedules, as somebody at an edge sees them."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def get(self, name: str) -> Schedule:
        """The schedule of this name. Raises `NotFound` with names that come near."""
        with self._database.read() as tx:
            return tx.schedules.get(name)

    def list(self) -> "tuple[Schedule, ...]":
        """The schedules in force, by name."""
        with self._database.read() as tx:
            return tuple(tx.schedules.all())
