"""What can be asked about what runs told beside their logs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from schedulerd.domain.runs import Run
from schedulerd.domain.told import EventFilter, KeptArtifact, KeptEvent
from schedulerd.operations.selectors import find_whole
from schedulerd.store.database import Database


class Told:
    """Artifacts and events, as somebody at an edge sees them."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def artifacts(self, selector: str) -> tuple[Run, Sequence[KeptArtifact]]:
        """A run and its artifacts. Raises `NotFound` without such a run."""
        with self._database.read() as tx:
            run = find_whole(tx, selector, instead="runs artifacts")
            return run, tx.told.artifacts(run.key)

    def artifacts_of(self, run: Run) -> Sequence[KeptArtifact]:
        """Those of a run that is known."""
        with self._database.read() as tx:
            return tx.told.artifacts(run.key)

    def events(
        self, *, name: str | None, run: str | None, since: datetime | None, limit: int
    ) -> Sequence[KeptEvent]:
        """Events, the newest first."""
        with self._database.read() as tx:
            key = None if run is None else find_whole(tx, run).key
            return tx.told.events(EventFilter(name=name, run=key, since=since, limit=limit))
