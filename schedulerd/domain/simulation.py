"""What schedules would do over a stretch of time, downtime included. Pure, and lazy.

It only drives what the tick and the claim ask too, `planning.plan` and `overlap.decide`: a schedule is planned at each
of its due times, and at the end of a downtime for all that came in it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from itertools import count
from typing import Final

from schedulerd.domain.due import Due
from schedulerd.domain.ids import RunKey
from schedulerd.domain.overlap import DueRun, Line, Ruling, Skipped, decide, next_of, successor, superseded
from schedulerd.domain.planning import Plan, leave, plan
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

    Each run is taken to last exactly so long, to find a place (`max_running`, of the daemon and of its flow, and its pool),
    and to end at once when it is replaced; so priorities have nothing to decide. Runs that go on at `start` are not known here, and `@reboot` is not foreseen.
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


class _Course:
    """One schedule as time goes on: how far it is decided, until when its runs go on, and what waits for their end."""

    def __init__(self, schedule: Schedule, *, start: datetime, takes: timedelta) -> None:
        self._schedule: Final = schedule
        self._takes: Final = takes
        self._decided = replace(
            schedule, watermark=start - TICK, next_due=Timing.of(schedule).next_at(start - TICK)
        )
        self._going: list[tuple[datetime, Due]] = []  # until when, and for which due time
        self._due: dict[RunKey, Due] = {}  # of the runs that are not decided yet, and of those that wait
        self._undecided: dict[RunKey, DueRun] = {}
        self._queued: dict[RunKey, DueRun] = {}
        self._passes = False  # has one on time started before those that make up for missed times?
        self._keys: Final = map(RunKey, count())

    @property
    def next_moment(self) -> datetime | None:
        """When there is something to decide: at the next due time, or when a run ends for which another waits."""
        moments = [min(end for end, _ in self._going)] if self._queued else []
        if self._decided.next_due is not None:
            moments.append(self._decided.next_due)
        return min(moments, default=None)

    def go_on(self, now: datetime) -> Iterator[Decision]:
        """What is decided now: a tick where the schedule is due, and the claim that goes with it."""
        self._going = [(end, due) for end, due in self._going if end > now]
        if self._decided.next_due is not None and self._decided.next_due <= now:
            yield from self._tick(now)
        yield from self._claim(now)

    def close(self, now: datetime) -> Iterator[Decision]:
        """Those before now that a blackout leaves out, and that the next tick of the schedule will tell of."""
        for due in Timing.of(self._schedule).left_out.each(self._decided.watermark, now - TICK):
            yield self._skip(due, SkipReason.BLACKOUT, now)

    def leave(self, now: datetime) -> Iterator[Decision]:
        """What is decided when a pause of all the time up to now, and without it, is over."""
        return self._skips(leave(self._decided, now=now - TICK, reason=SkipReason.PAUSED), now)

    def _tick(self, now: datetime) -> Iterator[Decision]:
        planned = plan(self._decided, now=now)
        self._decided = replace(
            self._decided,
            watermark=planned.watermark,
            next_due=planned.next_due,
            last_due=planned.last_due,
        )
        for number, due in enumerate(planned.starts):
            key = next(self._keys)
            self._due[key] = due
            self._undecided[key] = DueRun(key=key, selector="", caught_up=number < planned.caught_up)
        return self._skips(planned, now)

    def _skips(self, planned: Plan, now: datetime) -> Iterator[Decision]:
        for skip in planned.skips:
            yield self._skip(skip.due, skip.reason, now)
        for span in planned.spans:
            skipped = self._skip(span.last, span.reason, now)
            yield replace(skipped, first=span.first, count=span.count)

    def _skip(self, due: Due, reason: SkipReason, now: datetime) -> Decision:
        return Decision(at=now, schedule=self._schedule, due=due, reason=reason)

    # -- overlap, as the store's claim has it ------------------------------------------------------------------------

    def _claim(self, now: datetime) -> Iterator[Decision]:
        """Who starts, who waits and who is skipped; one that starts goes on until the next claim at least."""
        match self._overlap:
            case Overlap.ALLOW:
                yield from self._start_allowed(now)
                return
            case Overlap.REPLACE if not self._going:
                yield from self._start_next(now)
            case _ if not self._going:
                yield from (self._start(run, now) for run in self._waiting()[:1])
        if self._going:
            yield from self._settle(now)
        if self._overlap is Overlap.REPLACE:
            self._pass_over()

    def _waiting(self) -> list[DueRun]:
        waiting = [*self._queued.values(), *self._undecided.values()]
        return sorted(waiting, key=lambda run: self._due[run.key])

    def _start_allowed(self, now: datetime) -> Iterator[Decision]:
        """All on time; one that makes up for a missed time when none that is due before it goes on."""
        for run in self._waiting():
            if run.caught_up and any(due < self._due[run.key] for _, due in self._going):
                self._queued[run.key] = self._take_out(run.key)
            else:
                yield self._start(run, now)

    def _start_next(self, now: datetime) -> Iterator[Decision]:
        """With `replace`, and when none goes on: the next, in whose place those on time before it do not start."""
        if not (line := self._waiting()):
            return
        chosen, newest = next_of(line), successor(self._overlap, line)
        if newest is not None:
            yield from self._carry_out(superseded(line, newest), now)
        yield self._start(chosen, now)
        if newest is not None and newest is not chosen:
            self._queued[newest.key] = self._take_out(newest.key)
        self._passes = not chosen.caught_up

    def _pass_over(self) -> None:
        """The oldest that makes up for a missed time has waited for one on time: that happens once."""
        oldest = next((run for run in self._waiting() if run.caught_up), None)
        if self._passes and oldest is not None:
            self._queued[oldest.key] = replace(oldest, passed_over=True)
        self._passes = False

    def _settle(self, now: datetime) -> Iterator[Decision]:
        """What becomes of those that are not decided while another goes on."""
        on_time = [run for run in self._queued.values() if not run.caught_up]
        new = self._undecided.values()
        due = [*on_time, *new] if self._overlap is Overlap.REPLACE else [*new]
        rulings = decide(self._line(len(on_time)), due)
        if successor(self._overlap, due) is not None:
            self._going = [(now, due) for _, due in self._going]  # what goes on is told to end, and does
        yield from self._carry_out(rulings, now)

    def _line(self, queued: int) -> Line:
        limit = self._schedule.definition.policies.queue_limit
        return Line(overlap=self._overlap, queue_limit=limit, active="", queued=queued)

    def _carry_out(self, rulings: Sequence[Ruling], now: datetime) -> Iterator[Decision]:
        for ruling in rulings:
            run = self._take_out(ruling.run)
            if isinstance(ruling, Skipped):
                yield self._skip(self._due.pop(run.key), ruling.reason, now)
            else:
                self._queued[run.key] = run

    def _start(self, run: DueRun, now: datetime) -> Decision:
        self._take_out(run.key)
        due = self._due.pop(run.key)
        self._going.append((now + self._takes, due))
        return Decision(at=now, schedule=self._schedule, due=due)

    def _take_out(self, key: RunKey) -> DueRun:
        return self._undecided.pop(key, None) or self._queued.pop(key)

    @property
    def _overlap(self) -> Overlap:
        return self._schedule.definition.policies.overlap


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
