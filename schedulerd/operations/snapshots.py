"""What can be asked about what goes on: little, several times a second."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.ids import RunId
from schedulerd.domain.snapshots import Snapshot
from schedulerd.store.database import Database


class Snapshots:
    """Moments of it, for who looks on."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database: Final = database
        self._clock: Final = clock

    def take(self, watched: Collection[RunId] = ()) -> Snapshot:
        """How things are now. Raises `StoreUnavailable`."""
        with self._database.read() as tx:
            return replace(tx.snapshots.take(watched), agents=tx.agents.marks(now=self._clock.now()))
