"""Time zones: from the tzdata package everywhere, and what a local time means where the clocks change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from schedulerd.errors import BadExpression
from schedulerd.sentences import said

LONGEST_MENDED_GAP: Final = timedelta(hours=3)
"""Fixed times inside a gap of at most this length fire after it; a longer one is a day that never was (Apia, 2011)."""

TICK: Final = timedelta(microseconds=1)
_A_DAY: Final = timedelta(days=1)
_SAME: Final = timedelta()


class Pass(NamedTuple):
    """One instant that a local time stands for, and that local time with the offset it was meant in."""

    at: datetime
    meant: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """The clocks change at `at` (UTC), from one offset to another."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def is_gap(self) -> bool:
        """Do the clocks go forward?"""
        return self.after > self.before

    @property
    def length(self) -> timedelta:
        """How much local time is left out or repeated."""
        return abs(self.after - self.before)

    def edges(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The local times between which the gap or the fold lies: from the first, up to the second."""
        instant = self.at.replace(tzinfo=zone)
        low, high = sorted((self.before, self.after))
        return instant + low, instant + high


def zones_version() -> str:
    """Which edition of the tz database the zones are: `2026c`."""
    with resources.files("tzdata").joinpath("zoneinfo", "tzdata.zi").open() as file:
        return file.readline().removeprefix("# version ").strip()


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """The names of all zones in the tzdata package."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())


@lru_cache(maxsize=1_024)
def zone(name: str) -> ZoneInfo:
    """The zone of this name, as the tzdata package has it (not as the machine has it), or `BadExpression`."""
    if name not in zone_names():
        near = _near(name)
        reason = (
            said(
                "there is no time zone {name!r}; did you mean {listed}?", name=name, listed=" or ".join(near)
            )
            if near
            else said("there is no time zone {name!r}", name=name)
        )
        raise BadExpression(reason, expression=name, code="zone")
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _near(name: str) -> list[str]:
    """Up to three zones that may have been meant: by city alone, by another spelling, in another case."""
    wanted = name[:64].strip().replace(" ", "_").casefold()
    whole = {known.casefold(): known for known in sorted(zone_names())}
    cities = {folded.rpartition("/")[2]: known for folded, known in whole.items()}
    exact = [named[wanted] for named in (whole, cities) if wanted in named]
    close = [whole[folded] for folded in get_close_matches(wanted, whole, n=3, cutoff=0.75)]
    close += [cities[folded] for folded in get_close_matches(wanted, cities, n=2, cutoff=0.75)]
    return list(dict.fromkeys(exact + close))[:3]


def first_pass(meant: datetime) -> Pass | None:
    """When a fixed local time happens: at its first pass, or, in a gap, at the first instant after it.

    `meant` is a time of the clock on the wall of its `tzinfo`, which may not exist; its `fold` is 0. None where it lies
    in a gap that is longer than `LONGEST_MENDED_GAP`.
    """
    at = meant.astimezone(UTC)
    if at.astimezone(meant.tzinfo) == meant:
        return Pass(at, meant)
    before, after = _both_offsets(meant)
    if after - before > LONGEST_MENDED_GAP:
        return None
    return Pass(_change_around(meant, before, after).at, meant)


def first_instant(meant: datetime) -> datetime:
    """The first instant at which the clock on the wall of its `tzinfo` shows this local time, or a later one."""
    gap = gap_around(meant.replace(fold=0))
    return gap.at if gap is not None else meant.replace(fold=0).astimezone(UTC)


def gap_around(meant: datetime) -> Change | None:
    """The gap that this local time lies in, None where it exists."""
    before, after = _both_offsets(meant)
    return _change_around(meant, before, after) if after > before else None


def fold_around(meant: datetime) -> Change | None:
    """The fold that this local time lies in, None where it happens at most once."""
    before, after = _both_offsets(meant)
    return _change_around(meant, before, after) if after < before else None


def changes(zone: ZoneInfo, *, start: datetime, end: datetime) -> Iterator[Change]:
    """The changes of the clocks in [start, end), in order. None that is undone within a day is seen."""
    low = start - TICK
    before = _offset(low.astimezone(zone))
    last = end - TICK
    while low < last:
        high = min(low + _A_DAY, last)
        after = _offset(high.astimezone(zone))
        if after != before:
            yield Change(at=_change_between(low, high, zone), before=before, after=after)
        low, before = high, after


def _both_offsets(meant: datetime) -> tuple[timedelta, timedelta]:
    """The offsets before and after a change that touches this local time; the same twice where none does (PEP 495)."""
    return _offset(meant), _offset(meant.replace(fold=1))


def _change_around(meant: datetime, before: timedelta, after: timedelta) -> Change:
    """The change that the local time is touched by: read with one of the offsets it lies before, else not before."""
    low, high = sorted(meant.replace(tzinfo=UTC) - offset for offset in (before, after))
    at = _change_between(low, high, meant.tzinfo)
    return Change(at=at, before=before, after=after)


def _change_between(low: datetime, high: datetime, zone: tzinfo | None) -> datetime:
    """The instant in (low, high] at which the offset changes; changes fall on whole seconds."""
    before = _offset(low.astimezone(zone))
    first, last = _seconds(low), _seconds(high)
    while last - first > 1:
        middle = (first + last) // 2
        if _offset(datetime.fromtimestamp(middle, zone)) == before:
            first = middle
        else:
            last = middle
    return datetime.fromtimestamp(last, UTC)


def _seconds(moment: datetime) -> int:
    """Whole seconds since 1970, rounded down."""
    return (moment - _EPOCH) // timedelta(seconds=1)


def _offset(moment: datetime) -> timedelta:
    """How far the local clock of an aware moment is ahead of UTC."""
    offset = moment.utcoffset()
    return offset if offset is not None else _SAME


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
