"""The alarm clock: APScheduler rings at the next due time.

Only for the next moment: a wait on the monotonic clock does not see a machine that slept or a clock that was set, so
whoever sets it looks at the clock each second, and sets it anew.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from schedulerd.clock import Clock

HORIZON: Final = timedelta(seconds=1.5)  # longer than those who set it wait
_JOB: Final = "tick"
_SELDOM: Final = timedelta(days=1)


class _Seldom(BaseTrigger):  # type: ignore[misc]
    """When it rings where nobody sets it: a job without a next time would be removed."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """When to ring next, from the moment it is asked: never from a past that a set clock made the future."""
        return now + _SELDOM


class Alarm:
    """Calls `ring` from a thread of its own at the moment last set. It may ring without having been set."""

    def __init__(self, ring: Callable[[], None], clock: Clock) -> None:
        self._clock = clock
        self._scheduled_for: datetime | None = None
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": DebugExecutor()})
        self._ring = ring

    def start(self) -> None:
        """Begin to ring."""
        self._scheduler.add_job(
            self._rang,
            _Seldom(),
            id=_JOB,
            misfire_grace_time=None,  # the default of 1 s silently drops a late ring
            coalesce=True,
            max_instances=1,
        )
        self._scheduler.start()

    def set(self, at: datetime | None) -> None:
        """Ring at `at` if that is not further away than `HORIZON`, and at once when it is past; else it is to be set again."""
        now = self._clock.now()
        if at is None or at > now + HORIZON:
            self._scheduled_for = None  # it may ring all the same
            return
        wanted = max(at, now)
        planned = self._scheduled_for
        if planned is not None and now <= planned <= wanted:
            return
        self._scheduled_for = wanted
        self._scheduler.modify_job(_JOB, next_run_time=wanted)

    def _rang(self) -> None:
        self._scheduled_for = None
        self._ring()

    def stop(self) -> None:
        """Ring no more; may be called twice."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
