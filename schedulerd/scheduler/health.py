"""Keeps book of what is wrong now, and says in the log when something begins and ends. Of the core's thread only."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.health import MENDS, Health, Trouble, TroubleKind

log = logging.getLogger(__name__)

_SERIOUS: Final = frozenset(
    {TroubleKind.DATABASE, TroubleKind.SPACE, TroubleKind.SPAWNER, TroubleKind.WATCHER}
)


class HealthBook:
    """The troubles that there are now, one of each kind. `heard` is called when one begins, and when it is over."""

    def __init__(
        self, clock: Clock, *, heard: Callable[[TroubleKind, str], None] = lambda _, __: None
    ) -> None:
        self._clock: Final = clock
        self._heard: Final = heard
        self._troubles: dict[TroubleKind, Trouble] = {}
        self._since: dict[TroubleKind, float] = {}

    @property
    def health(self) -> Health:
        """How it stands."""
        return Health(troubles=tuple(self._troubles.values()))

    def has(self, kind: TroubleKind) -> bool:
        """Is there trouble of this kind now?"""
        return kind in self._troubles

    def note(
        self,
        kind: TroubleKind,
        reason: str,
        *,
        mend: str = "",
        since: datetime | None = None,
        lasted: float = 0.0,
    ) -> None:
        """There is this trouble, since now unless said, or for so many seconds already. Told in the log once, however often
        it is noted."""
        known = self._troubles.get(kind)
        if known is not None:
            self._troubles[kind] = replace(known, reason=reason, mend=mend or MENDS[kind])
            return
        began = since or self._clock.now() - timedelta(seconds=lasted)
        self._troubles[kind] = Trouble(kind=kind, reason=reason, since=began, mend=mend or MENDS[kind])
        self._since[kind] = self._clock.monotonic() - lasted
        level = logging.ERROR if kind in _SERIOUS else logging.WARNING
        log.log(level, "trouble", extra={"with": kind, "reason": reason})
        self._heard(kind, f"{reason}; {self._troubles[kind].mend}")

    def clear(self, kind: TroubleKind) -> None:
        """There is no trouble of this kind, or no more."""
        if self._troubles.pop(kind, None) is not None:
            seconds = round(self._clock.monotonic() - self._since.pop(kind), 1)
            log.info("trouble_over", extra={"with": kind, "seconds": seconds})
            self._heard(kind, f"trouble with the {kind} is over, after {seconds:,.0f} s")
