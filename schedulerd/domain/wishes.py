"""What people ask of a run through the store; the daemon's core, which alone decides, makes the moves."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from schedulerd.domain.ids import RunKey

WishKey = NewType("WishKey", int)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """That a run be cancelled: who asked, when and why. `kills`: without any grace, which stays until it has ended."""

    key: WishKey
    run: RunKey
    at: datetime
    actor: str
    reason: str
    kills: bool = False
