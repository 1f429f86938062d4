"""The only reader of the time. Everything else is handed a moment or a `Clock`."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """What tells the time: the machine's clock, or a test's."""

    def now(self) -> datetime:
        """The present moment: aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward, from an unspecified start; for waits and deadlines."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment: aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only go forward, from an unspecified start; for waits and deadlines."""
        return time.monotonic()


def microseconds() -> int:
    """The present moment as whole microseconds since 1970 UTC; what journals carry."""
    return time.time_ns() // 1_000


def microseconds_of(moment: datetime) -> int:
    """A moment as whole microseconds since 1970 UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(microseconds: int) -> datetime:
    """The moment so many microseconds after the beginning of 1970, in UTC. Raises `OverflowError` for one beyond all years."""
    return _EPOCH + timedelta(microseconds=microseconds)
