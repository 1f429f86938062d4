"""Blackouts: the stretches of time in which a schedule starts nothing, found around a moment and ahead of it.

Windows have no end, so a stretch is never looked up in a list: it grows from a moment, by the windows, days and spans
that touch it, until nothing does.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import Final

from schedulerd.domain.cron import FIRST_YEAR, LAST_YEAR
from schedulerd.domain.due import Due, check_when, dues, last_due, next_due
from schedulerd.domain.due_times import instant_of
from schedulerd.domain.durations import duration_text
from schedulerd.domain.schedules import Blackout, BlackoutSpan, BlackoutWindow, Cron
from schedulerd.domain.zones import TICK
from schedulerd.errors import BadExpression

LONGEST_WINDOW: Final = timedelta(days=366)
MOST_TOUCHING: Final = 12_000
"""Windows that follow one another more often than this without a break are taken to leave no time free."""

_A_FEW: Final = 4
_A_DAY: Final = timedelta(days=1)
_BEGINNING: Final = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, order=True, slots=True)
class Stretch:
    """An uninterrupted blackout: from `start` up to, and without, `end`."""

    start: datetime
    end: datetime


def check_blackout(blackout: Blackout, *, timezone: str, name: str) -> None:
    """Raise `BadExpression` for a window or span that cannot be, and for windows that leave no time free."""
    for window in blackout.windows:
        _check_window(window, timezone=timezone, name=name)
    for span in blackout.spans:
        _check_span(span, timezone)
    Blackouts(blackout=blackout, timezone=timezone, name=name).check()


def _check_window(window: BlackoutWindow, *, timezone: str, name: str) -> None:
    try:
        check_when(Cron(expression=window.expression, timezone=timezone), name=name)
    except BadExpression as error:
        raise BadExpression(
            f"blackout: {error.reason}",
            expression=error.expression,
            start=error.start,
            end=error.end,
            code="blackout",
        ) from error
    if not timedelta() < window.duration <= LONGEST_WINDOW:
        raise BadExpression(
            "blackout: a window lasts at least 1ms and at most 366 days",
            expression=duration_text(window.duration),
            code="blackout",
        )


def _check_span(span: BlackoutSpan, timezone: str) -> None:
    if instant_of(span.start, timezone) >= instant_of(span.end, timezone):
        raise BadExpression(
            "blackout: a span ends after it starts",
            expression=f"{span.start.isoformat()} to {span.end.isoformat()}",
            code="blackout",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Blackouts:
    """The stretches of a blackout in a time zone. `name` is that of the schedule, for an `H` of its windows."""

    blackout: Blackout
    timezone: str
    name: str

    def around(self, moment: datetime) -> Stretch | None:
        """The stretch that a moment lies in, None where it is free. Raises `BadExpression` where it has no end."""
        if not any(start + length > moment for start, length in self._begun(moment)):
            return None
        return Stretch(self._grown_back(moment), self._grown(moment))

    def ahead(self, after: datetime) -> datetime | None:
        """When, strictly after a free moment, the next stretch starts."""
        starts = [due.at for window in self.blackout.windows if (due := self._next(window, after))]
        listed = self._listed()
        at = bisect_right(listed, after, key=attrgetter("start"))
        return min([*starts, *(stretch.start for stretch in listed[at : at + 1])], default=None)

    def check(self) -> None:
        """Raise `BadExpression` for windows that leave no time free, as far as one sees from where each begins."""
        for window in self.blackout.windows:
            if (due := self._next(window, _BEGINNING)) is not None:
                self.around(due.at)

    def _grown(self, moment: datetime) -> datetime:
        """The end of the stretch around a moment: what begins in it or touches it is followed, until nothing does."""
        end = moment
        for _ in range(MOST_TOUCHING):
            further = max((start + length for start, length in self._begun(end)), default=end)
            if further <= end:
                return end
            end = further
            if end.year > LAST_YEAR:
                break
        raise self._endless(moment)

    def _grown_back(self, moment: datetime) -> datetime:
        """The start of the stretch around a moment."""
        start = moment
        for _ in range(MOST_TOUCHING):
            earlier = min(self._ending(start), default=start)
            if earlier >= start or earlier.year < FIRST_YEAR:
                return start
            start = earlier
        raise self._endless(moment)

    def _begun(self, moment: datetime) -> Iterator[tuple[datetime, timedelta]]:
        """The start and length of the last of each window, and of the day or span, that began by then and may last."""
        for window in self.blackout.windows:
            if (start := self._last_start(window, moment)) is not None:
                yield start, window.duration
        listed = self._listed()
        at = bisect_right(listed, moment, key=attrgetter("start"))
        for stretch in listed[max(0, at - 1) : at]:
            yield stretch.start, stretch.end - stretch.start

    def _ending(self, moment: datetime) -> Iterator[datetime]:
        """The start of the first of each window, and of the day or span, that begins before and lasts up to a moment."""
        for window in self.blackout.windows:
            found = self._next(window, moment - window.duration - TICK)
            if found is not None and found.at < moment:
                yield found.at
        listed = self._listed()
        at = bisect_left(listed, moment, key=attrgetter("end"))
        for stretch in listed[at : at + 1]:
            if stretch.start < moment:
                yield stretch.start

    def _next(self, window: BlackoutWindow, after: datetime) -> Due | None:
        return next_due(self._cron(window), after=after, first_seen=after, name=self.name)

    def _last_start(self, window: BlackoutWindow, moment: datetime) -> datetime | None:
        """The last start of a window within its duration up to a moment. There are mostly few, and none is usual."""
        cron, after = self._cron(window), moment - window.duration
        few = list(islice(dues(cron, after=after, until=moment, first_seen=after, name=self.name), _A_FEW))
        if len(few) < _A_FEW:
            return few[-1].at if few else None
        last = last_due(cron, after=after, until=moment, first_seen=after, name=self.name)
        return last.at if last is not None else None

    def _cron(self, window: BlackoutWindow) -> Cron:
        return Cron(expression=window.expression, timezone=self.timezone)

    def _listed(self) -> Sequence[Stretch]:
        return _listed(self.blackout, self.timezone)

    def _endless(self, moment: datetime) -> BadExpression:
        return BadExpression(
            f"blackout: from {moment:%Y-%m-%d} on its windows follow one another and leave no time free",
            expression=", ".join(window.expression for window in self.blackout.windows),
            code="blackout",
        )


@lru_cache(maxsize=256)
def _listed(blackout: Blackout, timezone: str) -> Sequence[Stretch]:
    """The days and spans, in order, those that touch made one."""
    merged: list[Stretch] = []
    for stretch in sorted([*_days(blackout.days, timezone), *_spans(blackout.spans, timezone)]):
        if merged and stretch.start <= merged[-1].end:
            merged[-1] = Stretch(merged[-1].start, max(merged[-1].end, stretch.end))
        else:
            merged.append(stretch)
    return merged


def _days(days: Iterable[date], timezone: str) -> Iterator[Stretch]:
    """Whole days of the zone. One that the clocks leave out is none."""
    for day in days:
        midnight = datetime.combine(day, time())
        start, end = instant_of(midnight, timezone), instant_of(midnight + _A_DAY, timezone)
        if start < end:
            yield Stretch(start, end)


def _spans(spans: Iterable[BlackoutSpan], timezone: str) -> Iterator[Stretch]:
    for span in spans:
        yield Stretch(instant_of(span.start, timezone), instant_of(span.end, timezone))
