"""What was answered to a request, kept so that the same request again is answered alike and done once."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NewType

Mark = NewType("Mark", str)
"""Tells a request from others; it stays the same where the request is done again, as somebody died over it."""

KEPT: Final = timedelta(hours=24)
"""So long the same key is the same request."""

ABANDONED: Final = timedelta(minutes=1)
"""Who has not answered by then has died over it, and the request may be done again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer: its HTTP status, its body, and where what it tells of is to be found."""

    status: int
    body: str
    location: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """A request that came before with the same key; `reply` is None while it is being done."""

    fingerprint: str
    reply: Reply | None
