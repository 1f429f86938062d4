"""Limits with a name, of which code within runs takes slots: so many at a time, or so many in a second. Pure.

Slots that are held are counted from the runs that go on; there is no counter that a crash could leave too high.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from schedulerd.errors import BadParameters

MOST_SLOTS: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedLimit:
    """A limit: `slots` at a time; or with `per_second`, up to `slots` at once, and so many more each second.

    `level` is how many were taken at `level_at` of one that counts per second.
    """

    name: str
    slots: int
    per_second: float | None = None
    level: float = 0.0
    level_at: datetime | None = None

    @property
    def is_rate(self) -> bool:
        """Are slots given back by the passing of time, and not by those who took them?"""
        return self.per_second is not None

    def taken(self, *, now: datetime) -> float:
        """How many slots of one that counts per second are not free yet."""
        if self.per_second is None or self.level_at is None:
            return 0.0
        passed = max(0.0, (now - self.level_at).total_seconds())
        return max(0.0, self.level - passed * self.per_second)

    def with_taken(self, occupy: int, *, now: datetime) -> "NamedLimit | None":
        """The limit once so many more are taken; None while there are not as many."""
        level = self.taken(now=now) + occupy
        if level > self.slots + 1e-9:
            return None
        return replace(self, level=level, level_at=now)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldSlot:
    """That a run holds slots of a limit."""

    limit: str
    run_name: str
    occupy: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitUse:
    """A limit, and who holds slots of it."""

    limit: NamedLimit
    held: tuple[HeldSlot, ...]

    def taken(self, *, now: datetime) -> float:
        """How many slots are taken."""
        return self.limit.taken(now=now) if self.limit.is_rate else sum(one.occupy for one in self.held)


def check_limit(slots: int, per_second: float | None) -> None:
    """Raise `BadParameters` for a limit that cannot be."""
    if not 0 <= slots <= MOST_SLOTS:
        raise BadParameters(f"a limit has from 0 to {MOST_SLOTS:,} slots, not {slots}")
    if per_second is not None and not 0 < per_second <= MOST_SLOTS:
        raise BadParameters(f"per second it may be more than 0, up to {MOST_SLOTS:,}, not {per_second:g}")
