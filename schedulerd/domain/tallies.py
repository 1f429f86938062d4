"""How long runs took, counted by classes of length: each is 1.41 times as long as the one before. Pure."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from schedulerd.domain.states import BAD, RunState

NEVER_RAN: Final = -1
"""The class of runs that ended without having started."""

_PER_OCTAVE: Final = 2
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds(length: timedelta | None) -> int:
    """Whole milliseconds; 0 for none, and for less than none, as clocks are put back."""
    return 0 if length is None else max(0, length // _MILLISECOND)


def length_class(length: timedelta | None) -> int:
    """The class of this length; None is that of a run that never started."""
    if length is None:
        return NEVER_RAN
    whole = milliseconds(length)
    return 0 if whole == 0 else 1 + math.floor(_PER_OCTAVE * math.log2(whole))


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """How many runs ended in a state with a length of a class, and how many milliseconds all of them took."""

    state: RunState
    length: int
    count: int
    total_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What tallies come to: how many runs ended in each state, and how long those took that completed, in milliseconds.

    `longest_ms` is about that of the longest ones. The lengths are None where none completed.
    """

    counts: Mapping[RunState, int]
    mean_ms: int | None = None
    p50_ms: int | None = None
    p95_ms: int | None = None
    longest_ms: int | None = None

    @property
    def total(self) -> int:
        """All runs that ended."""
        return sum(self.counts.values())

    @property
    def bad(self) -> int:
        """Those that ended badly."""
        return sum(count for state, count in self.counts.items() if state in BAD)

    @property
    def ok_share(self) -> float | None:
        """The share of those that completed among these and those that ended badly; None where there are none."""
        ok = self.counts.get(RunState.COMPLETED, 0)
        return None if ok + self.bad == 0 else ok / (ok + self.bad)


def figures(tallies: Iterable[Tally]) -> Figures:
    """What these come to together."""
    counts: dict[RunState, int] = {}
    lengths: dict[int, tuple[int, int]] = {}
    for one in tallies:
        counts[one.state] = counts.get(one.state, 0) + one.count
        if one.state is RunState.COMPLETED and one.length != NEVER_RAN:
            count, total = lengths.get(one.length, (0, 0))
            lengths[one.length] = (count + one.count, total + one.total_ms)
    if not lengths:
        return Figures(counts=counts)
    ordered = [lengths[key] for key in sorted(lengths)]
    return Figures(
        counts=counts,
        mean_ms=sum(total for _, total in ordered) // sum(count for count, _ in ordered),
        p50_ms=_length_at(ordered, 0.5),
        p95_ms=_length_at(ordered, 0.95),
        longest_ms=_length_at(ordered, 1.0),
    )


def _length_at(ordered: list[tuple[int, int]], share: float) -> int:
    """A length that this share of the runs does not exceed, to a class: the mean of that class."""
    wanted, seen = share * sum(count for count, _ in ordered), 0
    for count, total in ordered:
        seen += count
        if seen >= wanted:
            return total // count
    raise AssertionError("the shares end at all of them")
