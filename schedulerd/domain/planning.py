"""What becomes of a schedule's due times: which start, which are skipped and why. Pure, and bounded in its work."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final, assert_never

from schedulerd.domain.cron import FIRST_YEAR
from schedulerd.domain.due import Due
from schedulerd.domain.due_times import DueTimes, first_of, last_before
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.schedules import Catchup, Once, Schedule, ScheduleDefinition
from schedulerd.domain.timing import Timing
from schedulerd.domain.zones import TICK

MOST_SKIPS: Final = 1_000
"""Above this number the skips of one plan are kept as spans."""

MOST_STARTS: Final = 1_000
"""No plan starts more on-time due times than this; it then ends early, and is due again at once."""


_LONG_AGO: Final = datetime(FIRST_YEAR - 1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Skip:
    """A due time that does not become a run, and why."""

    due: Due
    reason: SkipReason


@dataclass(frozen=True, kw_only=True, slots=True)
class SkipSpan:
    """Many due times that do not become runs for the same reason: the first, the last, and how many they are."""

    first: Due
    last: Due
    count: int
    reason: SkipReason


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is decided for the due times up to `watermark`, and when to look again.

    `starts` are in order, oldest first; the first `caught_up` of them make up for missed times, the others are on
    time. There are either `skips` or `spans` (at most one of each reason). `last_due` is the newest due time decided
    so far. `next_due` may have come already: then there is more to plan.
    """

    starts: tuple[Due, ...] = ()
    caught_up: int = 0
    skips: tuple[Skip, ...] = ()
    spans: tuple[SkipSpan, ...] = ()
    watermark: datetime
    next_due: datetime | None
    last_due: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Skipped:
    """Those of `times` in (after, until] that are skipped for one reason: all but the first `head`, and but `newest`."""

    reason: SkipReason
    times: DueTimes
    after: datetime
    until: datetime
    head: int = 0
    newest: Due | None = None

    def count(self) -> int:
        return self.times.count(self.after, self.until) - self.head - (self.newest is not None)

    def each(self, count: int) -> Iterator[Due]:
        found = (due for due in self.times.each(self.after, self.until) if due != self.newest)
        return islice(found, self.head, self.head + count)

    def last(self) -> Due | None:
        if self.newest is not None:
            return last_before(self.times, self.newest, self.after)
        return self.times.last(self.after, self.until)


def plan(schedule: Schedule, *, now: datetime) -> Plan:
    """Decide every due time in (watermark, now], each exactly once however often this is asked as time goes on.

    At most `misfire_grace` late is on time, and starts; what is older is the business of `catchup`, which waits for the
    end of a blackout. A schedule that is not enabled plans nothing, and neither does a clock that went back.
    """
    times = Timing.of(schedule)
    if not schedule.definition.enabled:
        return Plan(watermark=schedule.watermark, next_due=None, last_due=schedule.last_due)
    on_time = max(schedule.watermark, now - schedule.definition.policies.misfire_grace - TICK)
    if (free := _held_until(schedule, times, on_time=on_time, now=now)) is not None:
        return Plan(watermark=schedule.watermark, next_due=free, last_due=schedule.last_due)
    caught_up, skipped = _missed(schedule, times, until=on_time, now=now)
    prompt, watermark = _prompt(times, after=on_time, now=max(now, schedule.watermark))
    black = _Skipped(
        reason=SkipReason.BLACKOUT, times=times.left_out, after=schedule.watermark, until=watermark
    )
    skips, spans = _worded([*skipped, black])
    starts = (*caught_up, *prompt)
    return Plan(
        starts=starts,
        caught_up=len(caught_up),
        skips=skips,
        spans=spans,
        watermark=watermark,
        next_due=times.next_at(watermark),
        last_due=_newest(schedule, starts, skips, spans),
    )


def look_forward(definition: ScheduleDefinition, *, first_seen: datetime, now: datetime) -> Plan:
    """How a new, edited or enabled schedule begins: nothing before `now` is made up for.

    The one thing that is recorded is a single time which has passed already: a misfire.
    """
    times = Timing(definition=definition, first_seen=first_seen)
    if not definition.enabled:
        return Plan(watermark=now, next_due=None, last_due=None)
    is_once = isinstance(definition.when, Once)
    past = [due for one in (times, times.left_out) for due in one.each(_LONG_AGO, now)] if is_once else []
    skips = tuple(Skip(due=due, reason=SkipReason.MISFIRE) for due in past)
    return Plan(skips=skips, watermark=now, next_due=times.next_at(now), last_due=None)


def leave(schedule: Schedule, *, now: datetime, reason: SkipReason) -> Plan:
    """Skip every due time in (watermark, now] for one reason: one by one where there is one, else as one span.

    For what is no downtime, and so never caught up: a pause, an edit, a removal. A clock that went back leaves nothing.
    """
    times, watermark = Timing.of(schedule), max(now, schedule.watermark)
    if not schedule.definition.enabled:
        return Plan(watermark=watermark, next_due=None, last_due=schedule.last_due)
    skips, spans = _in_one_row(times, after=schedule.watermark, until=now, reason=reason)
    return Plan(
        skips=skips,
        spans=spans,
        watermark=watermark,
        next_due=times.next_at(watermark),
        last_due=_newest(schedule, (), skips, spans),
    )


def _in_one_row(
    times: Timing, *, after: datetime, until: datetime, reason: SkipReason
) -> tuple[tuple[Skip, ...], tuple[SkipSpan, ...]]:
    """All due times in (after, until], those in blackouts too: none, a single skip, or a span."""
    kinds: tuple[DueTimes, DueTimes] = (times, times.left_out)
    first = min((due for one in kinds if (due := first_of(one, after, until))), default=None)
    last = max((due for one in kinds if (due := one.last(after, until))), default=None)
    if first is None or last is None:
        return (), ()
    if first == last:
        return (Skip(due=first, reason=reason),), ()
    count = sum(one.count(after, until) for one in kinds)
    return (), (SkipSpan(first=first, last=last, count=count, reason=reason),)


def _held_until(schedule: Schedule, times: Timing, *, on_time: datetime, now: datetime) -> datetime | None:
    """The end of the blackout that now is in, where there is something to be caught up and nothing else to start."""
    is_caught_up = schedule.definition.policies.catchup is not Catchup.NONE
    if schedule.definition.blackout is None or not is_caught_up or times.first(on_time, now) is not None:
        return None
    around = times.blackout(now)
    if around is None or times.first(schedule.watermark, on_time) is None:
        return None
    return around.end


def _missed(
    schedule: Schedule, times: Timing, *, until: datetime, now: datetime
) -> tuple[Sequence[Due], Sequence[_Skipped]]:
    """Of the missed times in (watermark, until]: those to be caught up, oldest first, and those to be skipped."""
    policies = schedule.definition.policies
    after = schedule.watermark
    if times.first(after, until) is None:
        return (), ()
    if policies.catchup is Catchup.NONE:
        return (), (_Skipped(reason=SkipReason.MISFIRE, times=times, after=after, until=until),)
    window = min(max(after, now - policies.catchup_window - TICK), until)
    too_old = _Skipped(reason=SkipReason.WINDOW, times=times, after=after, until=window)
    match policies.catchup:
        case Catchup.LATEST:
            newest = times.last(window, until)
            rest = _Skipped(
                reason=SkipReason.COALESCED, times=times, after=window, until=until, newest=newest
            )
            return (newest,) if newest else (), (too_old, rest)
        case Catchup.ALL:
            oldest = list(islice(times.each(window, until), policies.catchup_limit))
            rest = _Skipped(reason=SkipReason.LIMIT, times=times, after=window, until=until, head=len(oldest))
            return oldest, (too_old, rest)
        case _:  # pragma: no cover - every kind is above
            assert_never(policies.catchup)


def _prompt(times: Timing, *, after: datetime, now: datetime) -> tuple[Sequence[Due], datetime]:
    """The due times in (after, now] that start as they are, and the moment up to which that decides."""
    prompt: list[Due] = []
    for due in times.each(after, now):
        if len(prompt) >= MOST_STARTS and due.at > prompt[-1].at:  # never between two slots of one instant
            return prompt, prompt[-1].at
        prompt.append(due)
    return prompt, now


def _worded(skipped: Sequence[_Skipped]) -> tuple[tuple[Skip, ...], tuple[SkipSpan, ...]]:
    """The skips one by one where they are few, else as spans."""
    counted = [(each, count) for each in skipped if (count := each.count())]
    if sum(count for _, count in counted) > MOST_SKIPS:
        return (), tuple(_span(each, count) for each, count in counted)
    return tuple(Skip(due=due, reason=each.reason) for each, count in counted for due in each.each(count)), ()


def _span(skipped: _Skipped, count: int) -> SkipSpan:
    first, last = next(skipped.each(1)), skipped.last()
    return SkipSpan(first=first, last=last or first, count=count, reason=skipped.reason)


def _newest(
    schedule: Schedule, starts: Sequence[Due], skips: Sequence[Skip], spans: Sequence[SkipSpan]
) -> datetime | None:
    """The newest due time that has been decided, by this plan or before it."""
    decided = [due.at for due in starts]
    decided += [skip.due.at for skip in skips] + [span.last.at for span in spans]
    return max(decided, default=schedule.last_due)
