"""Takes what runs wrote into the database, many runs in one transaction, and removes the folders of those settled."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.logs import LogLine, Stream
from schedulerd.domain.states import BAD, RunState
from schedulerd.engine.folders import JOURNAL, STDERR, STDOUT, RunFolders
from schedulerd.engine.journal import TAIL, forget
from schedulerd.errors import StoreUnavailable
from schedulerd.scheduler.attempts import Attempt, Attempts
from schedulerd.scheduler.grown import Grown
from schedulerd.scheduler.reading import Reading, read_attempt
from schedulerd.store.database import Database

log = logging.getLogger(__name__)

_PUNCHED_TOGETHER: Final = 4 * 2**20
_TURN_SECONDS: Final = 0.02  # so that a chatty run delays no due time


class IntakeDesk:
    """Reads the files of attempts that grew, and commits what they say. An attempt stays noted until all is taken.

    `settled` is called with each attempt whose end has been recorded, `asked` when questions have been taken, and
    `freed` when one that is open may be answered now: something was given back, or a run has ended.
    """

    def __init__(
        self,
        database: Database,
        attempts: Attempts,
        folders: RunFolders,
        clock: Clock,
        *,
        max_log: int,
        settled: Callable[[Attempt], None],
        asked: Callable[[], None],
        freed: Callable[[], None],
    ) -> None:
        self._database = database
        self._attempts = attempts
        self._folders = folders
        self._clock = clock
        self._max_log = max_log
        self._settled = settled
        self._asked = asked
        self._freed = freed
        self._grown = Grown()
        self._end_matters = False

    def note(self, folder: str) -> None:
        """This attempt has something to read."""
        self._grown.note(folder)

    def rang(self, folder: str) -> bool:
        """This attempt has something to read, and says so; True when that can wait a little, for it has only just begun.

        When it rings a second time before it was read, somebody may wait for it to be.
        """
        attempt = self._attempts.get(folder)
        if attempt is not None and attempt.state is RunState.PENDING:
            return self._grown.note_beginning(folder, self._clock.monotonic())
        self.note(folder)
        return False

    def patience(self, monotonic: float) -> float:
        """Seconds until there is something to be taken; infinite when nothing was noted."""
        return self._grown.patience(monotonic)

    def take(self, *, bounded: bool = True) -> bool:
        """Take what there is, for a short turn or (not `bounded`) all of it; True when a run has ended for which others wait.

        Raises `StoreUnavailable`: then nothing was taken, and all of it is still noted.
        """
        deadline = self._clock.monotonic() + _TURN_SECONDS
        while folders := self._grown.folders(self._clock.monotonic()):
            readings = self._read(folders, deadline if bounded else None)
            self._commit(readings)
            if bounded and self._clock.monotonic() >= deadline:
                break
        end_matters, self._end_matters = self._end_matters, False
        return end_matters

    def _read(self, folders: Iterable[str], deadline: float | None) -> list[Reading]:
        now = self._clock.now()
        readings = []
        for folder in folders:
            attempt = self._attempts.get(folder)
            if attempt is None:
                self._grown.forget(folder)
                continue
            readings.append(self._read_one(attempt, now))
            if deadline is not None and self._clock.monotonic() >= deadline:
                break
        return readings

    def _read_one(self, attempt: Attempt, now: datetime) -> Reading:
        return read_attempt(attempt, self._folders.running(attempt.folder), now=now, max_log=self._max_log)

    def _commit(self, readings: Sequence[Reading]) -> None:
        """Commit in one transaction; when that fails for another reason than an absent database, run by run."""
        try:
            self._write(readings)
        except StoreUnavailable:
            raise
        except Exception:  # border: one run whose words the database refuses must not hold up the others
            log.exception("intake_group_failed", extra={"runs": len(readings)})
            readings = [reading for reading in readings if self._write_alone(reading)]
        for reading in readings:
            self._after(reading, now=self._clock.now())

    def _write(self, readings: Iterable[Reading]) -> None:
        intakes = [reading.intake for reading in readings if reading.intake is not None]
        if not intakes:
            return
        with self._database.write() as tx:
            taken = tx.intake.take(intakes)
            some_end = any(intake.ended_at is not None for intake in intakes)
            end_matters = some_end and tx.runs.end_matters()
        self._end_matters |= end_matters
        if any(intake.questions for intake in intakes):
            self._asked()
        elif any(intake.freed or intake.ended_at for intake in intakes):
            self._freed()
        for reading in readings:
            if reading.intake is not None and reading.intake.run not in taken:
                self._catch_up(reading.attempt)

    def _write_alone(self, reading: Reading) -> bool:
        """Commit what one run said; where the database refuses it, that it said something, so that the run goes on."""
        for version in (reading, _without_words(reading, now=self._clock.now())):
            try:
                self._write([version])
            except StoreUnavailable:
                raise
            except Exception:  # border: around one run's records
                log.exception("intake_failed", extra={"run": reading.attempt.selector})
            else:
                return True
        self._grown.forget(reading.attempt.folder)  # it is read again when it has grown, or at the next sweep
        return False

    def _catch_up(self, attempt: Attempt) -> None:
        """Somebody else took these records (an earlier commit of unknown outcome did): go on from what is recorded."""
        with self._database.read() as tx:
            run = tx.runs.by_key(attempt.run)
        attempt.position, attempt.state = run.position, run.state

    def _after(self, reading: Reading, *, now: datetime) -> None:
        attempt = reading.attempt
        if reading.intake is not None and attempt.position != reading.intake.was:
            return  # it was caught up with, and is read again from there
        attempt.position, attempt.state, attempt.last_word = (
            reading.position,
            reading.state,
            reading.last_word,
        )
        attempt.started_at = attempt.started_at or (
            now if reading.intake and reading.intake.started_at else None
        )
        self._grown.forget(attempt.folder)
        if reading.more:
            self._grown.note(attempt.folder)  # behind the others, so that a chatty run holds up none
        if not reading.settled:
            self._punch(attempt)
            return
        self._attempts.remove(attempt)
        self._folders.retire(attempt.folder)
        level = logging.WARNING if reading.state in BAD else logging.INFO
        log.log(
            level,
            "attempt_ended" if reading.state is RunState.RETRYING else "run_ended",
            extra={"run": attempt.selector, "state": reading.state, "reason": reading.reason},
        )
        if reading.state is not RunState.RETRYING:
            self._settled(attempt)

    def _punch(self, attempt: Attempt) -> None:
        """Give the disk back what has been taken of a run's files, when it is much."""
        folder, was, now = self._folders.runs / attempt.folder, attempt.punched, attempt.position
        if now.total - was.total < _PUNCHED_TOGETHER:
            return
        for name, start, end in (
            (JOURNAL, was.journal, now.journal - TAIL),  # its last word may be looked for again
            (STDOUT, was.stdout, now.stdout),
            (STDERR, was.stderr, now.stderr),
        ):
            if end > start:
                forget(folder / name, start, end)
        attempt.punched = replace(now, journal=max(was.journal, now.journal - TAIL))


def _without_words(reading: Reading, *, now: datetime) -> Reading:
    """The reading with its moves and its position, but a remark in place of all that the run said."""
    if reading.intake is None:
        return reading
    remark = LogLine(
        at=now,
        level=logging.ERROR,
        message="the database refused what the run wrote here; it was left out",
        stream=Stream.SYSTEM,
        logger="schedulerd",
    )
    intake = replace(
        reading.intake,
        lines=(remark,),
        tasks=(),
        attempts=(),
        subflows=(),
        failure=None,
        result_preview=None,
        reason="",
        pid=None,
        results=(),
        result_kept=None,
        questions=(),
        freed=(),
        artifacts=(),
        events=(),
    )
    return replace(reading, intake=intake)
