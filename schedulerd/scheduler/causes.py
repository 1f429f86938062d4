"""Makes schedules due that have causes in place of due times: each cause becomes one run, or one recorded skip."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from queue import SimpleQueue
from typing import Final

from schedulerd.domain.causes import Cause, SettledFile, cause_of_end, cause_of_file, is_meant, outcome
from schedulerd.domain.new_runs import RunMaker
from schedulerd.domain.runs import NewRun
from schedulerd.domain.schedules import FileAppears, Schedule
from schedulerd.store.transaction import Transaction

log = logging.getLogger(__name__)

_BATCH: Final = 200


class CauseDesk:
    """Decides what has come, within the transaction of a tick. What is not committed is decided again."""

    def __init__(self, runs: RunMaker) -> None:
        self._runs = runs
        self._inbox: SimpleQueue[tuple[SettledFile, ...]] = SimpleQueue()
        self._files: dict[str, SettledFile] = {}
        self._taken: list[str] = []

    def note(self, files: Iterable[SettledFile]) -> None:
        """These files have come; whose they are is looked up when it is decided. May be called from any thread."""
        self._inbox.put(tuple(files))

    def decide(self, tx: Transaction, *, now: datetime) -> tuple[list[NewRun], bool]:
        """The runs and skips of what has come, and whether there is more. Called in each tick."""
        new, more = self._after_runs(tx, now=now)
        return [*new, *self._of_files(tx, now=now)], more or len(self._files) > len(self._taken)

    def committed(self) -> None:
        """What was decided last is in the database."""
        for mark in self._taken:
            self._files.pop(mark, None)
        self._taken = []

    def _after_runs(self, tx: Transaction, *, now: datetime) -> tuple[list[NewRun], bool]:
        schedules = tx.schedules.caused_by("after")
        if not schedules:
            tx.causes.all_followed()
            return [], False
        ended = tx.causes.ended(limit=_BATCH)
        tx.causes.followed([run.key for run in ended])
        new: list[NewRun] = []
        for schedule in schedules:
            causes = [cause for run in ended if (cause := cause_of_end(schedule, run)) is not None]
            new += self._made_due(tx, schedule, causes, now=now)
        return new, len(ended) == _BATCH

    def _of_files(self, tx: Transaction, *, now: datetime) -> list[NewRun]:
        while not self._inbox.empty():
            self._files.update((file.mark, file) for file in self._inbox.get())
        self._taken = list(self._files)[:_BATCH]
        if not self._taken:
            return []
        files = [self._files[mark] for mark in self._taken]
        new: list[NewRun] = []
        for schedule in tx.schedules.caused_by("file"):
            when = schedule.definition.when
            assert isinstance(when, FileAppears)
            causes = [
                cause
                for file in files
                if is_meant(when, file.path) and (cause := cause_of_file(schedule, file)) is not None
            ]
            known = tx.causes.known(schedule.key, [cause.mark for cause in causes])
            fresh = [cause for cause in causes if cause.mark not in known]
            tx.causes.decided(schedule.key, fresh, at=now)
            new += self._made_due(tx, schedule, fresh, now=now)
        return new

    def _made_due(
        self, tx: Transaction, schedule: Schedule, causes: Sequence[Cause], *, now: datetime
    ) -> list[NewRun]:
        if causes:
            tx.schedules.touched(schedule.key, last_due=now)
        reason = outcome(schedule)
        for cause in causes:
            log.info(
                "cause",
                extra={
                    "schedule": schedule.definition.name,
                    "of": cause.subject,
                    "skipped": "no" if reason is None else reason.value,
                },
            )
        return [self._runs.caused(schedule, cause, now=now, reason=reason) for cause in causes]
