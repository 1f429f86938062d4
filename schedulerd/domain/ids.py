"""Ids that people and programs see: UUIDs of version 7 (RFC 9562), which sort by their time."""

from datetime import datetime
from typing import NewType
from uuid import UUID

FlowKey = NewType("FlowKey", int)
VersionKey = NewType("VersionKey", int)
ScheduleKey = NewType("ScheduleKey", int)
RunKey = NewType("RunKey", int)
RunId = NewType("RunId", UUID)

RANDOM_BITS = 74
_MILLISECOND_BITS = 48
_HEX_DIGITS = 32


def uuid7(now: datetime, *, entropy: int) -> UUID:
    """A UUID of version 7 for the moment `now`, from `entropy`, a random number of 74 bits.

    Raises `ValueError` for a moment before 1970 or an entropy of more than 74 bits.
    """
    milliseconds = int(now.timestamp() * 1_000)
    if not 0 <= milliseconds < 1 << _MILLISECOND_BITS:
        raise ValueError(f"{now} has no UUID of version 7")
    if not 0 <= entropy < 1 << RANDOM_BITS:
        raise ValueError("entropy must have at most 74 bits")
    high, low = entropy >> 62, entropy & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def ids_with(prefix: str) -> tuple[UUID, UUID] | None:
    """The first and the last id that begins so, hyphens or not; None for what begins no id."""
    digits = prefix.replace("-", "").lower()
    try:
        return UUID(hex=digits.ljust(_HEX_DIGITS, "0")), UUID(hex=digits.ljust(_HEX_DIGITS, "f"))
    except ValueError:
        return None
