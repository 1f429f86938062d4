"""Keeps the history from growing for ever: looks through its old part now and then, a page at a time."""

import logging
import shutil
from pathlib import Path
from typing import Final
from uuid import UUID

from schedulerd.clock import Clock
from schedulerd.domain.ids import RunId
from schedulerd.domain.retention import Retention
from schedulerd.errors import NotFound
from schedulerd.store.database import Database

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 6 * 3_600.0
PAGE_SECONDS: Final = 1.0


class Housekeeper:
    """Called again and again by the core; does a page when it is time, and rests between sweeps.

    `results` is the folder of large values, with a folder for each run.
    """

    def __init__(
        self, database: Database, clock: Clock, retention: Retention, *, results: Path | None = None
    ) -> None:
        self._database = database
        self._results = results
        self._clock = clock
        self._retention = retention
        self._next_at = clock.monotonic() + PAGE_SECONDS
        self._after: RunId | None = None
        self._runs = self._logs = 0

    def look(self) -> None:
        """Do a page, when it is time. Raises `StoreUnavailable`: nothing was removed, and the page is tried again."""
        if self._clock.monotonic() < self._next_at:
            return
        with self._database.write() as tx:
            pruned = tx.pruning.page(self._retention, now=self._clock.now(), after=self._after)
        self._runs += pruned.runs
        self._logs += pruned.logs
        self._after = pruned.after
        self._next_at = self._clock.monotonic() + (SWEEP_SECONDS if self._after is None else PAGE_SECONDS)
        if self._after is None:
            self._tell()
            self._remove_results()

    def _remove_results(self) -> None:
        """Remove the large values of runs that are no more."""
        if self._results is None or not self._results.is_dir():
            return
        for folder in list(self._results.iterdir()):
            try:
                run = RunId(UUID(folder.name))
            except ValueError:  # not a run's: those of cached tasks, for one
                continue
            with self._database.read() as tx:
                try:
                    tx.runs.get(run)
                except NotFound:
                    shutil.rmtree(folder, ignore_errors=True)

    def _tell(self) -> None:
        if self._runs or self._logs:
            log.info("history_pruned", extra={"runs": self._runs, "logs": self._logs})
        self._runs = self._logs = 0
