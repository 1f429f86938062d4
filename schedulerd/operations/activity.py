"""What can be asked about what goes on: little, several times a second."""

from collections.abc import Collection
from typing import Final

from schedulerd.domain.activity import Activity
from schedulerd.domain.ids import RunId
from schedulerd.store.database import Database


class Goings:
    """The goings-on, as who looks on sees them."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def look(self, watched: Collection[RunId] = ()) -> Activity:
        """How things are now. Raises `StoreUnavailable`."""
        with self._database.read() as tx:
            return tx.goings.look(watched)
