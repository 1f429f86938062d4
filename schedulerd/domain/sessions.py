"""How long somebody who signed in stays so, and how long a sign-in code can be used. Pure.

A clock that is set back must not prolong anything for ever: what was made later than now is over.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schedulerd.domain.access import Means, Role

IDLE: Final = timedelta(hours=12)
LONGEST: Final = timedelta(days=14)
CODE_LIFE: Final = timedelta(minutes=10)
SEEN_EVERY: Final = timedelta(minutes=1)
"""When a session or a token was used last is written no more often than so."""

MOST_SESSIONS: Final = 50
"""So many sessions one name has at most: with another the one that was seen least lately is over."""

AHEAD: Final = timedelta(minutes=5)
"""By so much the clocks of two machines may differ."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A browser in which somebody has signed in. `user` is None for one that came by a sign-in link, who has a role of
    its own."""

    key: int
    who: str
    role: Role
    user: str | None
    created_at: datetime
    seen_at: datetime
    agent: str
    address: str

    @property
    def means(self) -> Means:
        """By what it was opened."""
        return Means.LINK if self.user is None else Means.PASSWORD

    def is_over(self, now: datetime) -> bool:
        """Has it been idle for too long, or gone on for too long?"""
        return not (is_fresh(self.seen_at, now, IDLE) and is_fresh(self.created_at, now, LONGEST))


@dataclass(frozen=True, kw_only=True, slots=True)
class SignInCode:
    """A code that lets whoever has it sign in, once."""

    who: str
    role: Role
    made_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Is it too late to use it?"""
        return not is_fresh(self.made_at, now, CODE_LIFE)


def is_fresh(since: datetime, now: datetime, life: timedelta) -> bool:
    """Is it now within `life` of that moment, and not before it?"""
    return -AHEAD <= now - since < life


def is_seen_anew(seen_at: datetime | None, now: datetime) -> bool:
    """Is it time to write that it was used?"""
    return seen_at is None or abs(now - seen_at) >= SEEN_EVERY
