"""Whether runs may be started now: not while there is no room for them, not right after one could not be started, and not
while somebody has the agent drained.

What cannot be started is put back, and tried again with growing pauses: a moment in which the machine has no process or
no room to give costs no run.
"""

import logging
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.agents import Drain
from schedulerd.domain.health import TroubleKind
from schedulerd.scheduler.health import HealthBook

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 15.0
_FORGOTTEN_AFTER_SECONDS: Final = 60.0
_KINDS: Final = (TroubleKind.PROCESSES, TroubleKind.FOLDERS)


class Starting:
    """Says whether to go on with starting runs, from what became of the last ones."""

    def __init__(self, health: HealthBook, clock: Clock) -> None:
        self._health: Final = health
        self._clock: Final = clock
        self._pause = 0.0
        self._until = float("-inf")
        self._lacks_room = False

    @property
    def is_held(self) -> bool:
        """Should no run be taken on for now?"""
        return self._health.has(TroubleKind.SPACE) or self.is_paused

    @property
    def is_paused(self) -> bool:
        """Did a run fail to start just now, so that no other can be expected to?"""
        return self._clock.monotonic() < self._until

    def drained(self, agent: str, drain: Drain | None) -> None:
        """The agent has this drain, or none. It is the tick that keeps to it; here it is told."""
        if drain is None:
            self._health.clear(TroubleKind.DRAIN)
            return
        mend = f"`schedulerd agents resume {agent}` has it start runs again; runs that are due wait, and others go on"
        self._health.note(TroubleKind.DRAIN, drain.told(agent), mend=mend, since=drain.at)

    def failed(self, kind: TroubleKind, reason: str) -> None:
        """A run could not be started, for a reason that has nothing to do with it: the others wait a little too."""
        self._health.note(kind, reason)
        now = self._clock.monotonic()
        if now >= self._until:  # else it is one of those that were on their way already
            self._pause = min(max(_FIRST_PAUSE_SECONDS, self._pause * 2), _LONGEST_PAUSE_SECONDS)
            self._until = now + self._pause

    def went_well(self) -> None:
        """A run was started."""
        self._pause = 0.0
        self._until = float("-inf")
        for kind in _KINDS:
            self._health.clear(kind)

    def look(self) -> None:
        """Try anew as soon as there is room again, and forget what nothing has been heard of for long: there may be no run
        to try it with.
        """
        lacked, self._lacks_room = self._lacks_room, self._health.has(TroubleKind.SPACE)
        if lacked and not self._lacks_room:
            self.went_well()
        quiet = self._clock.monotonic() - self._until
        if quiet >= _FORGOTTEN_AFTER_SECONDS and any(self._health.has(kind) for kind in _KINDS):
            self.went_well()
