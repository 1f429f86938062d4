"""Due times and a blackout: those that are left, with those that are moved to its end, and those that are left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from schedulerd.domain.blackouts import Blackouts, Stretch
from schedulerd.domain.due import Due
from schedulerd.domain.due_times import DueTimes, first_of, last_before
from schedulerd.domain.schedules import BlackoutAction
from schedulerd.domain.zones import TICK


@dataclass(frozen=True, kw_only=True, slots=True)
class _Piece:
    """A part (after, until] of time with a due time in it: all of it in one stretch, or all of it free."""

    after: datetime
    until: datetime
    stretch: Stretch | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Divided:
    """Due times, and the blackout that they may lie in."""

    times: DueTimes
    blackouts: Blackouts

    def pieces(self, after: datetime, until: datetime) -> Iterator[_Piece]:
        """The parts of (after, until] with due times, ascending; the work grows with their number alone."""
        due = first_of(self.times, after, until)
        while due is not None:
            stretch = self.blackouts.around(due.at)
            end = self.blackouts.ahead(due.at) if stretch is None else stretch.end
            last = until if end is None else min(until, end - TICK)
            yield _Piece(after=after, until=last, stretch=stretch)
            after = last
            due = first_of(self.times, after, until)

    def moved(self, stretch: Stretch) -> Due | None:
        """The due time of a stretch that starts at its end: the newest, unless one is due then anyway."""
        if self.blackouts.blackout.action is BlackoutAction.SKIP:
            return None
        if first_of(self.times, stretch.end - TICK, stretch.end) is not None:
            return None
        return self.times.last(stretch.start - TICK, stretch.end - TICK)


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """The due times outside of the blackout, and at the end of each of its stretches the one that is moved there."""

    divided: Divided

    def each(self, after: datetime, until: datetime) -> Iterator[Due]:
        """Those in (after, until]."""
        for part in self._parts(after, until):
            if isinstance(part, Due):
                yield part
            else:
                yield from self.divided.times.each(part.after, part.until)

    def count(self, after: datetime, until: datetime) -> int:
        """How many lie in (after, until]."""
        return sum(
            1 if isinstance(part, Due) else self.divided.times.count(part.after, part.until)
            for part in self._parts(after, until)
        )

    def last(self, after: datetime, until: datetime) -> Due | None:
        """The last in (after, until]."""
        newest = max(self._parts(after, until), key=_end, default=None)
        if newest is None or isinstance(newest, Due):
            return newest
        return self.divided.times.last(newest.after, newest.until)

    def _parts(self, after: datetime, until: datetime) -> Iterator[_Piece | Due]:
        """Free pieces and moved due times, ascending. That of a stretch around `after` may be due before it."""
        around = self.divided.blackouts.around(after)
        if around is not None:
            yield from self._moved(around, until)
            after = around.end - TICK
        for piece in self.divided.pieces(after, until):
            if piece.stretch is None:
                yield piece
            else:
                yield from self._moved(piece.stretch, until)

    def _moved(self, stretch: Stretch, until: datetime) -> Iterator[Due]:
        moved = self.divided.moved(stretch) if stretch.end <= until else None
        if moved is not None:
            yield Due(stretch.end, moved.slot)


def _end(part: _Piece | Due) -> datetime:
    return part.at if isinstance(part, Due) else part.until


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """The due times in the blackout, but for those that are moved."""

    divided: Divided

    def each(self, after: datetime, until: datetime) -> Iterator[Due]:
        """Those in (after, until]."""
        for piece, moved in self._black(after, until):
            yield from (due for due in self.divided.times.each(piece.after, piece.until) if due != moved)

    def count(self, after: datetime, until: datetime) -> int:
        """How many lie in (after, until]."""
        return sum(self._count(piece, moved) for piece, moved in self._black(after, until))

    def last(self, after: datetime, until: datetime) -> Due | None:
        """The last in (after, until]."""
        found = [black for black in self._black(after, until) if self._count(*black)]
        if not found:
            return None
        piece, moved = found[-1]
        newest = self.divided.times.last(piece.after, piece.until)
        if newest is None or newest != moved:
            return newest
        return last_before(self.divided.times, newest, piece.after)

    def _black(self, after: datetime, until: datetime) -> Iterator[tuple[_Piece, Due | None]]:
        """The pieces within stretches, each with the due time that is moved to the end of its stretch."""
        for piece in self.divided.pieces(after, until):
            if piece.stretch is not None:
                yield piece, self.divided.moved(piece.stretch)

    def _count(self, piece: _Piece, moved: Due | None) -> int:
        is_here = moved is not None and piece.after < moved.at <= piece.until
        return self.divided.times.count(piece.after, piece.until) - is_here
