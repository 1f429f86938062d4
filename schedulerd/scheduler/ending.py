"""Ends runs: because somebody wished it, or because the daemon stops."""

import logging
import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from schedulerd.domain.states import RunState
from schedulerd.domain.wishes import Wish
from schedulerd.engine import wire
from schedulerd.engine.leftovers import LAST_WORDS_SECONDS
from schedulerd.engine.notes import Word
from schedulerd.scheduler.attempts import Attempt, Attempts
from schedulerd.scheduler.following import Follower
from schedulerd.scheduler.launching import Launcher
from schedulerd.store.database import Database
from schedulerd.store.lookout import Lookout

log = logging.getLogger(__name__)

LAST_WORDS: Final = timedelta(seconds=LAST_WORDS_SECONDS)
_NO_GRACE: Final = timedelta()
_WITHOUT_PROCESS: Final = frozenset({RunState.SCHEDULED, RunState.RETRYING})


class Ender:
    """Moves runs to `cancelling`, and sees to it that their processes end: politely, then by force."""

    def __init__(
        self,
        database: Database,
        attempts: Attempts,
        launcher: Launcher,
        follower: Follower,
        *,
        grace: timedelta,
    ) -> None:
        self._database = database
        self._attempts = attempts
        self._launcher = launcher
        self._follower = follower
        self._grace = grace
        self._lookout = Lookout(database.mark)

    def grant_wishes(self, *, now: datetime) -> bool:
        """Begin to end the runs that are to be cancelled. One that waits for its start, the first or another, has no
        process: it is cancelled at once, and True says that there was such a run. For one that has ended, and is yet
        to be read, the wish comes too late: it came to what it did.

        That one be killed is wished until it has ended, so that the next daemon knows of it too."""
        wishes = self._wishes()
        if not wishes:
            return False
        wished = {wish.run: wish for wish in wishes}
        going = [attempt for attempt in self._attempts if attempt.run in wished]
        over = {attempt.run for attempt in going if self._has_come_to_its_end(attempt)}
        ended = False
        with self._database.write() as tx:
            for wish in wishes:
                run = tx.runs.by_key(wish.run)
                if wish.run in over:
                    log.info("cancel_too_late", extra={"run": run.selector})
                    tx.runs.forget_wish(wish.key)
                    continue
                to = RunState.CANCELLED if run.state in _WITHOUT_PROCESS else RunState.CANCELLING
                ended |= to is RunState.CANCELLED
                tx.runs.move(wish.run, to, at=now, actor=wish.actor, message=wish.reason, reason=wish.reason)
                if not wish.kills:
                    tx.runs.forget_wish(wish.key)
        for attempt in going:
            if attempt.run not in over:
                attempt.state = RunState.CANCELLING
                self._note_kill(attempt, wished[attempt.run])
        return ended

    def _wishes(self) -> list[Wish]:
        """What is wished and not seen to yet."""
        if not self._lookout.begin():
            return []
        killed = {attempt.run for attempt in self._attempts if attempt.must_kill}
        with self._database.read() as tx:
            wishes = tx.runs.cancel_wishes()
        self._lookout.end(found=bool(wishes))
        return [one for one in wishes if not (one.kills and one.run in killed)]

    def _has_come_to_its_end(self, attempt: Attempt) -> bool:
        """Has it ended by itself? What a cancelled one left behind may still be there to be killed."""
        return attempt.state is not RunState.CANCELLING and self._follower.has_ended(attempt)

    def _note_kill(self, attempt: Attempt, wish: Wish) -> None:
        if wish.kills:
            log.info("run_killed", extra={"run": attempt.selector, "by": wish.actor})
            attempt.must_kill = True

    def tell_all(self) -> None:
        """Begin to end every run, because the daemon stops; it does not wait for the database to know of it."""
        for attempt in self._attempts:
            attempt.must_end = True

    def record_all(self, *, now: datetime) -> None:
        """Record of the runs that were told to end that they were; one whose process had ended came to what it did."""
        going = [
            attempt
            for attempt in self._attempts
            if attempt.state is not RunState.CANCELLING and not self._follower.has_ended(attempt)
        ]
        if not going:
            return
        reason = "the daemon stopped"
        with self._database.write() as tx:
            for attempt in going:
                tx.runs.move(
                    attempt.run, RunState.CANCELLING, at=now, actor="daemon", message=reason, reason=reason
                )
        self._mark(going)

    def hurry(self, grace: timedelta) -> None:
        """From now on give runs that are to end no more than this."""
        self._grace = min(self._grace, grace)

    def end_runs(self, *, now: float) -> None:
        """Go on with ending the runs that are to end, or whose time is over with no spawner to see to it.

        Called again and again, with the monotonic time; needs no database.
        """
        for attempt in self._attempts:
            if attempt.must_end or attempt.state is RunState.CANCELLING:
                self._end(attempt)
            elif attempt.deadline is not None and now >= attempt.deadline:
                self._follower.end_adopted(attempt, Word.TIMEOUT, grace=min(self._grace, LAST_WORDS))

    def patience(self, now: float) -> float:
        """Seconds until an adopted run is to be told to end, or killed; infinite when there is none."""
        times = [
            moment
            for attempt in self._attempts
            if attempt.adopted
            for moment in (attempt.deadline if attempt.kill_at is None else attempt.kill_at,)
            if moment is not None
        ]
        return max(0.0, min(times, default=math.inf) - now)

    def _mark(self, attempts: Iterable[Attempt]) -> None:
        for attempt in attempts:
            attempt.state = RunState.CANCELLING

    def _end(self, attempt: Attempt) -> None:
        grace = _NO_GRACE if attempt.must_kill else self._grace
        if attempt.ours:
            if not (attempt.kill_sent if attempt.must_kill else attempt.stop_sent):
                stop = wire.Stop(key=attempt.folder, why=Word.CANCEL, grace=grace.total_seconds())
                attempt.stop_sent = self._launcher.say(stop)
                attempt.kill_sent = attempt.stop_sent and attempt.must_kill
        elif attempt.adopted:
            self._follower.end_adopted(attempt, Word.CANCEL, grace=grace)
