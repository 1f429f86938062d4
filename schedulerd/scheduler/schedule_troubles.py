"""Which schedules stand still because they cannot be reckoned, or put in force: told as one trouble of the daemon's health."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from schedulerd.domain.health import TroubleKind
from schedulerd.scheduler.health import HealthBook

_MOST_TOLD: Final = 5


class ScheduleTroubles:
    """Keeps book of them by name; each goes when its schedule is well again, is another, or is no more."""

    def __init__(self, health: HealthBook) -> None:
        self._health: Final = health
        self._put_off: dict[str, str] = {}
        self._refused: dict[str, str] = {}

    def put_off(self, name: str, error: Exception, *, until: datetime) -> None:
        """Its due times cannot be reckoned: that is tried again then."""
        self._put_off[name] = (
            f"schedule {name!r} cannot be decided ({_told(error)}); put off until {until:%Y-%m-%d %H:%M} UTC"
        )
        self._tell()

    def decided(self, name: str) -> None:
        """Its due times have been reckoned."""
        if self._put_off.pop(name, None) is not None:
            self._tell()

    def refused(self, name: str, error: Exception) -> None:
        """What its file says of it now cannot be put in force; what was in force stays."""
        self._refused[name] = (
            f"schedule {name!r} is not in force as its file says ({_told(error)}), until that is mended"
        )
        self._tell()

    def unchanged(self, name: str) -> None:
        """Its file says again what is in force."""
        if self._refused.pop(name, None) is not None:
            self._tell()

    def accepted(self, name: str) -> None:
        """What its file says now is in force: whatever was wrong is no more."""
        self._put_off.pop(name, None)
        self._refused.pop(name, None)
        self._tell()

    def keep_only(self, are_there: Callable[[str], bool]) -> None:
        """The files speak of no others."""
        for known in (self._put_off, self._refused):
            for name in [name for name in known if not are_there(name)]:
                known.pop(name)
        self._tell()

    def _tell(self) -> None:
        told = [*self._refused.values(), *self._put_off.values()]
        if not told:
            self._health.clear(TroubleKind.SCHEDULES)
            return
        more = [f"and {len(told) - _MOST_TOLD} more"] if len(told) > _MOST_TOLD else []
        self._health.note(TroubleKind.SCHEDULES, "; ".join([*told[:_MOST_TOLD], *more]))


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
