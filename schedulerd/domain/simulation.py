"""What schedules would do over a stretch of time, downtime included. Pure, and lazy.

It only drives `planning.plan`, which the tick asks too: a schedule is planned at each of its due times, and at the end
of a downtime for all that came in it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from heapq import merge
from typing import Final, assert_never

from schedulerd.domain.due import Due
from schedulerd.domain.planning import Skip, SkipSpan, leave, plan
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.schedules import Overlap, Schedule
from schedulerd.domain.timing import Timing
from schedulerd.domain.zones import TICK

Downtime = tuple[datetime, datetime]
"""From then on the daemon is away; at the second moment it is there again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What becomes of a due time, and when: it starts at `at`, or is skipped then for a reason.

    Of due times that are skipped together as a span, `first` and `due` are the first and the last, and `count` says
    how many they are.
    """

    at: datetime
    schedule: Schedule
    due: Due
    reason: SkipReason | None = None
    first: Due | None = None
    count: int = 1

    @property
    def starts(self) -> bool:
        """Does it become a run?"""
        return self.reason is None


def simulate(
    schedules: Iterable[Schedule],
    *,
    start: datetime,
    end: datetime,
    down: Sequence[Downtime] = (),
    takes: timedelta = timedelta(),
) -> Iterator[Decision]:
    """What becomes of the due times in [start, end), by the moment of the decision, the due time, and the name.

    Whatever came before `start` has been decided. In a downtime nothing is decided; at its end its due times are
    missed ones. A schedule that is paused stays so, and is resumed at `end`; what a blackout leaves out, and no tick
    before `end` tells of, is told then. Anything else that is not decided before `end` is left out.

    Each run is taken to last exactly so long, and to find a free slot (`max_running`). Runs that go on at `start` are
    not known here, and `@reboot` is not foreseen.
    """
    up = _Uptime(down)
    courses = [_decisions(one, start=start, end=end, up=up, takes=takes) for one in schedules]
    return merge(*courses, key=lambda one: (one.at, one.due, one.schedule.definition.name))


def _decisions(
    schedule: Schedule, *, start: datetime, end: datetime, up: "_Uptime", takes: timedelta
) -> Iterator[Decision]:
    """What becomes of the due times of one schedule. No other has a part in it."""
    if not schedule.definition.enabled:
        return
    if schedule.paused is not None:
        yield from _Course(schedule, start=start, takes=takes).leave(end)
        return
    course = _Course(schedule, start=start, takes=takes)
    moment = course.next_moment
    while moment is not None and (now := up.since(moment)) < end:
        made: list[Decision] = []
        while moment is not None and moment <= now:
            made += course.go_on(now)
            moment = course.next_moment
        yield from sorted(made, key=lambda one: one.due)
    yield from course.close(end)


@dataclass(frozen=True, kw_only=True, order=True, slots=True)
class _Waiting:
    """A due time that is to become a run when it may."""

    due: Due
    is_caught_up: bool


class _Course:
    """One schedule as time goes on: how far it is decided, until when its runs go on, and what waits for their end."""

    def __init__(self, schedule: Schedule, *, start: datetime, takes: timedelta) -> None:
        self._schedule: Final = schedule
        self._takes: Final = takes
        self._decided = replace(
            schedule, watermark=start - TICK, next_due=Timing.of(schedule).next_at(start - TICK)
        )
        self._ends: list[datetime] = []
        self._waiting: list[_Waiting] = []

    @property
    def next_moment(self) -> datetime | None:
        """When there is something to decide: at the next due time, or when a run ends for which another waits."""
        moments = [min(self._ends)] if self._waiting else []
        if self._decided.next_due is not None:
            moments.append(self._decided.next_due)
        return min(moments, default=None)

    def go_on(self, now: datetime) -> list[Decision]:
        """What is decided now: a tick where the schedule is due, and the claim that goes with it."""
        self._ends = [end for end in self._ends if end > now]
        if self._decided.next_due is None or self._decided.next_due > now:
            return self._claim((), now)
        planned = plan(self._decided, now=now)
        self._decided = replace(
            self._decided,
            watermark=planned.watermark,
            next_due=planned.next_due,
            last_due=planned.last_due,
        )
        new = [
            _Waiting(due=due, is_caught_up=number < planned.caught_up)
            for number, due in enumerate(planned.starts)
        ]
        return [*self._skips(planned.skips, planned.spans, now), *self._claim(new, now)]

    def close(self, now: datetime) -> Iterator[Decision]:
        """Those before now that a blackout leaves out, and that the next tick of the schedule will tell of."""
        for due in Timing.of(self._schedule).left_out.each(self._decided.watermark, now - TICK):
            yield Decision(at=now, schedule=self._schedule, due=due, reason=SkipReason.BLACKOUT)

    def leave(self, now: datetime) -> list[Decision]:
        """What is decided when a pause of all the time up to now, and without it, is over."""
        planned = leave(self._decided, now=now - TICK, reason=SkipReason.PAUSED)
        return self._skips(planned.skips, planned.spans, now)

    def _skips(self, skips: Sequence[Skip], spans: Sequence[SkipSpan], now: datetime) -> list[Decision]:
        schedule = self._schedule
        return [
            *(Decision(at=now, schedule=schedule, due=one.due, reason=one.reason) for one in skips),
            *(
                Decision(
                    at=now,
                    schedule=schedule,
                    due=one.last,
                    reason=one.reason,
                    first=one.first,
                    count=one.count,
                )
                for one in spans
            ),
        ]

    # -- overlap, as the store's claim decides it -------------------------------------------------------------------

    def _claim(self, new: Sequence[_Waiting], now: datetime) -> list[Decision]:
        """Which of those that wait and of the new ones start; one that starts goes on at least until the next claim."""
        line, self._waiting = [*self._waiting, *new], []
        newest = _newest_on_time(line)
        made: list[Decision] = []
        for one in line:
            ruling = self._ruling(one, newest)
            if ruling is _Turn.WAITS:
                self._waiting.append(one)
                continue
            if ruling is _Turn.STARTS:
                self._start(now)
            reason = ruling if isinstance(ruling, SkipReason) else None
            made.append(Decision(at=now, schedule=self._schedule, due=one.due, reason=reason))
        return made

    def _ruling(self, one: _Waiting, newest: _Waiting | None) -> "_Turn | SkipReason":
        policies = self._schedule.definition.policies
        if policies.overlap is Overlap.REPLACE and not one.is_caught_up and one is not newest:
            return SkipReason.REPLACED
        if not self._ends:
            return _Turn.STARTS
        if one.is_caught_up:
            return _Turn.WAITS
        match policies.overlap:
            case Overlap.SKIP:
                return SkipReason.OVERLAP
            case Overlap.QUEUE:
                queued = sum(not other.is_caught_up for other in self._waiting)
                return _Turn.WAITS if queued < policies.queue_limit else SkipReason.QUEUE_FULL
            case Overlap.REPLACE | Overlap.ALLOW:
                return _Turn.STARTS
            case _:  # pragma: no cover - every kind is above
                assert_never(policies.overlap)

    def _start(self, now: datetime) -> None:
        if self._schedule.definition.policies.overlap is Overlap.REPLACE:
            self._ends = []  # what goes on is cancelled
        self._ends.append(now + self._takes)


class _Turn(Enum):
    """What becomes of one whose time has come and that is not skipped."""

    STARTS = "starts"
    WAITS = "waits"


def _newest_on_time(line: Sequence[_Waiting]) -> _Waiting | None:
    """The one that takes the place of all others on time where `overlap` is `replace`."""
    return next((one for one in reversed(line) if not one.is_caught_up), None)


class _Uptime:
    """When the daemon is there."""

    def __init__(self, down: Sequence[Downtime]) -> None:
        self._down: Final = _united(down)

    def since(self, moment: datetime) -> datetime:
        """The first moment from this one on at which it is there."""
        before = bisect_right(self._down, moment, key=lambda one: one[0]) - 1
        return max(moment, self._down[before][1]) if before >= 0 else moment


def _united(down: Sequence[Downtime]) -> list[Downtime]:
    """The downtimes in order, those that overlap or touch as one."""
    united: list[Downtime] = []
    for began, over in sorted(down):
        if united and began <= united[-1][1]:
            united[-1] = united[-1][0], max(over, united[-1][1])
        else:
            united.append((began, over))
    return united
