"""What becomes of a schedule's due times: which start, which are skipped and why. Pure, and bounded in its work."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final, assert_never

from schedulerd.domain.due import Due
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.schedules import Catchup, Once, Schedule, ScheduleDefinition
from schedulerd.domain.timing import Timing
from schedulerd.domain.zones import TICK

MOST_SKIPS: Final = 1_000
"""Above this number the skips of one plan are kept as spans."""

MOST_STARTS: Final = 1_000
"""No plan starts more on-time due times than this; it then ends early, and is due again at once."""


_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


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
class _Stretch:
    """The due times in (after, until] that are skipped for one reason: all but the first `head`, and but `newest`."""

    reason: SkipReason
    after: datetime
    until: datetime
    head: int = 0
    newest: Due | None = None

    def count(self, times: Timing) -> int:
        return times.count(self.after, self.until) - self.head - (self.newest is not None)

    def each(self, times: Timing, count: int) -> Iterator[Due]:
        return islice(times.each(self.after, self.until), self.head, self.head + count)

    def last(self, times: Timing) -> Due | None:
        if self.newest is not None:
            return times.last_before(self.newest, self.after)
        return times.last(self.after, self.until)


def plan(schedule: Schedule, *, now: datetime) -> Plan:
    """Decide every due time in (watermark, now], each exactly once however often this is asked as time goes on.

    At most `misfire_grace` late is on time, and starts; what is older is the business of `catchup`. A schedule that
    is not enabled plans nothing, and neither does a clock that went back.
    """
    times = Timing(definition=schedule.definition, first_seen=schedule.first_seen)
    if not schedule.definition.enabled:
        return Plan(watermark=schedule.watermark, next_due=None, last_due=schedule.last_due)
    on_time = max(schedule.watermark, now - schedule.definition.policies.misfire_grace - TICK)
    caught_up, skipped = _missed(schedule, times, until=on_time, now=now)
    prompt, watermark = _prompt(times, after=on_time, now=max(now, schedule.watermark))
    skips, spans = _worded(times, skipped)
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
    past = list(times.each(_LONG_AGO, now)) if isinstance(definition.when, Once) else []
    skips = tuple(Skip(due=due, reason=SkipReason.MISFIRE) for due in past)
    return Plan(skips=skips, watermark=now, next_due=times.next_at(now), last_due=None)


def leave(schedule: Schedule, *, now: datetime, reason: SkipReason) -> Plan:
    """Skip every due time in (watermark, now] for one reason: one by one where there is one, else as one span.

    For what is no downtime, and so never caught up: a pause, an edit, a removal. A clock that went back leaves nothing.
    """
    times, watermark = Timing.of(schedule), max(now, schedule.watermark)
    if not schedule.definition.enabled:
        return Plan(watermark=watermark, next_due=None, last_due=schedule.last_due)
    first, last = times.first(schedule.watermark, now), times.last(schedule.watermark, now)
    count = times.count(schedule.watermark, now)
    skips = (Skip(due=first, reason=reason),) if first is not None and count == 1 else ()
    spans: tuple[SkipSpan, ...] = ()
    if first is not None and last is not None and count > 1:
        spans = (SkipSpan(first=first, last=last, count=count, reason=reason),)
    return Plan(
        skips=skips,
        spans=spans,
        watermark=watermark,
        next_due=times.next_at(watermark),
        last_due=last.at if last is not None else schedule.last_due,
    )


def _missed(
    schedule: Schedule, times: Timing, *, until: datetime, now: datetime
) -> tuple[Sequence[Due], Sequence[_Stretch]]:
    """Of the missed times in (watermark, until]: those to be caught up, oldest first, and those to be skipped."""
    policies = schedule.definition.policies
    after = schedule.watermark
    if next(times.each(after, until), None) is None:
        return (), ()
    if policies.catchup is Catchup.NONE:
        return (), (_Stretch(reason=SkipReason.MISFIRE, after=after, until=until),)
    window = min(max(after, now - policies.catchup_window - TICK), until)
    too_old = _Stretch(reason=SkipReason.WINDOW, after=after, until=window)
    match policies.catchup:
        case Catchup.LATEST:
            newest = times.last(window, until)
            rest = _Stretch(reason=SkipReason.COALESCED, after=window, until=until, newest=newest)
            return (newest,) if newest else (), (too_old, rest)
        case Catchup.ALL:
            oldest = list(islice(times.each(window, until), policies.catchup_limit))
            rest = _Stretch(reason=SkipReason.LIMIT, after=window, until=until, head=len(oldest))
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


def _worded(times: Timing, stretches: Sequence[_Stretch]) -> tuple[tuple[Skip, ...], tuple[SkipSpan, ...]]:
    """The skips one by one where they are few, else as spans."""
    counted = [(stretch, count) for stretch in stretches if (count := stretch.count(times))]
    if sum(count for _, count in counted) > MOST_SKIPS:
        return (), tuple(_span(times, stretch, count) for stretch, count in counted)
    return tuple(
        Skip(due=due, reason=stretch.reason)
        for stretch, count in counted
        for due in stretch.each(times, count)
    ), ()


def _span(times: Timing, stretch: _Stretch, count: int) -> SkipSpan:
    first, last = next(stretch.each(times, 1)), stretch.last(times)
    return SkipSpan(first=first, last=last or first, count=count, reason=stretch.reason)


def _newest(
    schedule: Schedule, starts: Sequence[Due], skips: Sequence[Skip], spans: Sequence[SkipSpan]
) -> datetime | None:
    """The newest due time that has been decided, by this plan or before it."""
    decided = [due.at for due in starts]
    decided += [skip.due.at for skip in skips] + [span.last.at for span in spans]
    return max(decided, default=schedule.last_due)
