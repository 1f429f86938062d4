"""Jitter: each due time delayed by a part of it that only the schedule's name and the slot decide."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from heapq import heappop, heappush
from itertools import islice
from typing import Final

from schedulerd.domain.cron import FIRST_YEAR
from schedulerd.domain.due import Due
from schedulerd.domain.due_times import DueTimes, first_of
from schedulerd.domain.durations import duration_text
from schedulerd.domain.zones import TICK
from schedulerd.errors import BadExpression
from schedulerd.sentences import said

SHORTEST_JITTER: Final = timedelta(seconds=2)
LONGEST_JITTER: Final = timedelta(days=1)
MOST_OVERTAKEN: Final = 1_440
"""No more due times than this may lie within the jitter: so many are looked through to find the next."""

_A_SECOND: Final = timedelta(seconds=1)
_BEGINNING: Final = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)


def delay(name: str, slot: str, *, jitter: timedelta) -> timedelta:
    """How much later than its slot a due time of a schedule is: less than `jitter`, the same for ever.

    In whole seconds: a tick looks once a second, and logs and pages show seconds, so that a finer delay would be seen
    nowhere and keep no two runs further apart.
    """
    hashed = blake2b(f"{name}\0{slot}".encode(), digest_size=8).digest()
    return int.from_bytes(hashed) % max(1, jitter // _A_SECOND) * _A_SECOND


def check_jitter(jitter: timedelta, times: DueTimes) -> None:
    """Raise `BadExpression` for a jitter that is out of bounds, or so long that too many of the times lie within it."""
    if jitter == timedelta():
        return
    if not SHORTEST_JITTER <= jitter <= LONGEST_JITTER or jitter % _A_SECOND:
        reason = said(
            "jitter delays by less than itself, in whole seconds: it is a number of them, from 2s to 1d"
        )
        raise _refused(reason, jitter)
    if jitter <= MOST_OVERTAKEN * _A_SECOND:
        return  # due times are a second apart at least
    first = first_of(times, _BEGINNING)
    if first is not None and _is_crowded(times, first.at - TICK, jitter):
        raise _refused(
            said(
                "more than {most_overtaken} due times lie within this jitter; make it shorter",
                most_overtaken=MOST_OVERTAKEN,
            ),
            jitter,
        )


def _is_crowded(times: DueTimes, after: datetime, jitter: timedelta) -> bool:
    """Do too many lie within the jitter, on the first days after a moment? The times of day are alike on all."""
    until = after + 2 * LONGEST_JITTER
    ahead = islice(times.each(after, until), MOST_OVERTAKEN, None)
    return any(last.at - due.at < jitter for due, last in zip(times.each(after, until), ahead, strict=False))


def _refused(reason: str, jitter: timedelta) -> BadExpression:
    return BadExpression(reason, expression=duration_text(jitter), code="jitter")


@dataclass(frozen=True, kw_only=True, slots=True)
class Jittered:
    """Due times, each later by its delay. Their order is that of the delayed times, which may overtake each other."""

    times: DueTimes
    name: str
    jitter: timedelta

    def each(self, after: datetime, until: datetime) -> Iterator[Due]:
        """Those in (after, until]. No more of them are held back than lie within the jitter."""
        held: list[Due] = []
        for due in self.times.each(after - self.jitter, until):
            while held and held[0].at < due.at:  # nothing that is to come can be before it
                yield heappop(held)
            if after < (delayed := self._delayed(due)).at <= until:
                heappush(held, delayed)
        while held:
            yield heappop(held)

    def count(self, after: datetime, until: datetime) -> int:
        """How many lie in (after, until], counted but for the ends."""
        if until <= after:
            return 0
        whole = self.times.count(after - self.jitter, until - self.jitter)
        return whole + self._done(until) - self._done(after)

    def last(self, after: datetime, until: datetime) -> Due | None:
        """The last in (after, until]: one of those that the last undelayed one may have been overtaken by."""
        sure = self.times.last(after - self.jitter, until - self.jitter)
        low = (after if sure is None else sure.at) - self.jitter
        near = (self._delayed(due) for due in self.times.each(low, until))
        return max((due for due in near if after < due.at <= until), default=None)

    def _done(self, moment: datetime) -> int:
        """How many of those within the jitter before a moment have come by then."""
        near = self.times.each(moment - self.jitter, moment)
        return sum(1 for due in near if self._delayed(due).at <= moment)

    def _delayed(self, due: Due) -> Due:
        return Due(due.at + delay(self.name, due.slot, jitter=self.jitter), due.slot)
