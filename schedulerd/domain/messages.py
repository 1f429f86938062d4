"""Messages on their way to an address, and when one that could not be sent is tried again. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType

MessageKey = NewType("MessageKey", int)

FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=10)
PATIENCE: Final = timedelta(days=1)
"""What could not be sent for so long is given up."""

KEPT: Final = timedelta(days=7)
"""How long it is kept what was told."""


class MessageState(StrEnum):
    """What has become of a message."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewMessage:
    """A message to one address of a rule: `target` is its fingerprint, and `shown` as much of it as may be seen."""

    rule: str
    target: str
    shown: str
    made_at: datetime
    title: str
    body: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A message as it is remembered. `answer` is what came of the last try, in words."""

    key: MessageKey
    rule: str
    target: str
    shown: str
    made_at: datetime
    title: str
    body: str
    state: MessageState
    tries: int
    next_at: datetime | None
    done_at: datetime | None
    answer: str


def next_try(
    tries: int, *, since: datetime, now: datetime, patience: timedelta = PATIENCE
) -> datetime | None:
    """When to try again after so many tries that failed, the first for what was made at `since`; None: no more."""
    if now - since >= patience:
        return None
    pause: timedelta = FIRST_PAUSE * (1 << min(max(tries - 1, 0), 20))
    return now + min(pause, LONGEST_PAUSE)
