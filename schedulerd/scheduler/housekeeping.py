"""Keeps the history from growing for ever: looks through its old part now and then, a page at a time."""

import contextlib
import logging
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from schedulerd.clock import Clock
from schedulerd.domain.error_kinds import ErrorKey
from schedulerd.domain.ids import RunId
from schedulerd.domain.retention import Retention
from schedulerd.store.database import Database

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 6 * 3_600.0
PAGE_SECONDS: Final = 1.0
_FOLDERS_OF_A_PAGE: Final = 100
TALLIES_KEPT: Final = timedelta(days=730)


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
        self._kind: ErrorKey | None = None
        self._unseen: list[
            RunId
        ] = []  # runs of whose values it is yet to be seen whether they are to be kept
        self._runs = self._logs = 0

    def look(self) -> None:
        """Do a page, when it is time. Raises `StoreUnavailable`: nothing was removed, and the page is tried again."""
        if self._clock.monotonic() < self._next_at:
            return
        if self._kind is not None:
            self._forget_kinds()
        elif self._unseen:
            self._remove_results()
        else:
            self._prune()
        is_done = self._after is None and self._kind is None and not self._unseen
        self._next_at = self._clock.monotonic() + (SWEEP_SECONDS if is_done else PAGE_SECONDS)

    def _prune(self) -> None:
        now, kind = self._clock.now(), None
        with self._database.write() as tx:
            pruned = tx.pruning.page(self._retention, now=now, after=self._after)
            if pruned.after is None:
                kind = tx.pruning.kinds()
                tx.replies.forget(now)
                tx.tallies.forget(now - TALLIES_KEPT)
                tx.causes.forget(self._retention.oldest_cause(now))
                tx.sessions.forget(now)
                tx.api_tokens.forget(now)
                tx.audit.forget(now - self._retention.audit)
        self._runs += pruned.runs
        self._logs += pruned.logs
        self._after, self._kind = pruned.after, kind
        if self._after is None:
            self._tell()
            self._unseen = [] if self._results is None else _runs_in(self._results)

    def _forget_kinds(self) -> None:
        """Forget the kinds of errors that no run has any more, a page of them."""
        with self._database.write() as tx:
            kind = tx.pruning.kinds(after=self._kind)
        self._kind = kind

    def _remove_results(self) -> None:
        """Remove the large values of some runs that are no more."""
        assert self._results is not None
        page = self._unseen[-_FOLDERS_OF_A_PAGE:]
        with self._database.read() as tx:
            present = tx.runs.present(page)
        for run in page:
            if run not in present:
                shutil.rmtree(self._results / str(run), ignore_errors=True)
        del self._unseen[-_FOLDERS_OF_A_PAGE:]

    def _tell(self) -> None:
        if self._runs or self._logs:
            log.info("history_pruned", extra={"runs": self._runs, "logs": self._logs})
        self._runs = self._logs = 0


def _runs_in(results: Path) -> list[RunId]:
    """The runs that have a folder there; there are others too, those of cached tasks for one."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(results):
            with contextlib.suppress(ValueError):
                found.append(RunId(UUID(name)))
    return found
