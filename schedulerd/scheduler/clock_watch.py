"""What is done when the clock on the wall was far ahead and is put right.

A watermark only moves forward, so that a clock that goes back a little repeats nothing. But due times that were decided
by a clock that was a month ahead would leave their schedules silent for a month. As Debian's cron does, a change of
more than three hours is taken for a correction: such schedules look forward from the present moment again.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.durations import duration_text
from schedulerd.domain.health import TroubleKind
from schedulerd.domain.planning import look_forward
from schedulerd.domain.schedules import Schedule
from schedulerd.scheduler.health import HealthBook
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

log = logging.getLogger(__name__)

CORRECTION: Final = timedelta(hours=3)
"""A schedule that is decided further ahead than this was decided by a clock that was wrong."""

_NOTICED: Final = timedelta(seconds=1)
_ODD_SECONDS: Final = 600.0
_WRITTEN: Final = datetime(2025, 1, 1, tzinfo=UTC)  # this program is not as old as that
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


class ClockWatch:
    """Notices that the clock on the wall went back, by comparing it with the one that only goes forward."""

    def __init__(self, database: Database, clock: Clock, health: HealthBook) -> None:
        self._database = database
        self._clock = clock
        self._health = health
        self._odd_until = float("-inf")
        self._lead: timedelta | None = None  # of the wall over the monotonic clock; None until the first look

    def look(self) -> bool:
        """Have schedules that are decided too far ahead look forward from now; False where there are none.

        What ran, or is to run, keeps its slot, and so never runs again. What was skipped ahead of now was skipped too
        soon: each single one gives its slot back. Of a span only the last had one; those within it are simply decided
        again. So a due time may have two rows, a skip of the wrong clock and what became of it, but never two runs.

        Raises `StoreUnavailable`; the next look then notices the same.
        """
        now = self._clock.now()
        lead = now - _EPOCH - timedelta(seconds=self._clock.monotonic())
        back = timedelta() if self._lead is None else self._lead - lead
        self._judge(now, back)
        reopened = self._reopen(now, back) if self._lead is None or back >= _NOTICED else False
        self._lead = lead
        return reopened

    def _judge(self, now: datetime, back: timedelta) -> None:
        """Note that the clock is odd: for a while after it went back, and as long as it shows what cannot be."""
        monotonic = self._clock.monotonic()
        if now < _WRITTEN:
            reason = f"the machine's clock shows {now:%Y-%m-%d}, which cannot be"
            self._health.note(TroubleKind.CLOCK, reason)
        elif back >= _NOTICED:
            self._odd_until = monotonic + _ODD_SECONDS
            reason = f"the machine's clock was set back by {duration_text(timedelta(seconds=round(back.total_seconds())))}"
            self._health.note(TroubleKind.CLOCK, reason)
        elif monotonic >= self._odd_until:
            self._health.clear(TroubleKind.CLOCK)

    def _reopen(self, now: datetime, back: timedelta) -> bool:
        with self._database.write() as tx:
            ahead = tx.schedules.ahead_of(now + CORRECTION)
            skips = sum(_reopen_one(tx, schedule, now) for schedule in ahead)
        if ahead or back:
            furthest = max((schedule.watermark - now for schedule in ahead), default=timedelta())
            log.warning(
                "clock_went_back",
                extra={
                    "seconds": round(back.total_seconds()),
                    "decided_ahead_seconds": round(furthest.total_seconds()),
                    "schedules_reopened": len(ahead),
                    "skips_reopened": skips,
                },
            )
        return bool(ahead)


def _reopen_one(tx: Transaction, schedule: Schedule, now: datetime) -> int:
    # What was first seen by the wrong clock would be anchored in what is now the future.
    first_seen = min(schedule.first_seen, now)
    try:
        forward = look_forward(schedule.definition, first_seen=first_seen, now=now)
    except Exception:  # border: one bad schedule must not stop the rest
        log.exception("reopen_failed", extra={"schedule": schedule.definition.name})
        return 0
    next_due = None if schedule.paused is not None else forward.next_due
    return tx.schedules.reopen(schedule.key, watermark=now, next_due=next_due, first_seen=first_seen)
