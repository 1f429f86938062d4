"""What the spawner says, and that a process ended: what it means for the attempts and inspections."""

import logging
from dataclasses import dataclass

from schedulerd.clock import Clock
from schedulerd.domain.health import TroubleKind
from schedulerd.engine import wire
from schedulerd.scheduler.attempts import Attempt, Attempts
from schedulerd.scheduler.definitions import Definitions
from schedulerd.scheduler.following import Follower
from schedulerd.scheduler.hooks import HookDesk
from schedulerd.scheduler.inspecting import Inspector
from schedulerd.scheduler.intake import IntakeDesk
from schedulerd.scheduler.spawners import Spawners
from schedulerd.scheduler.starting import Starting

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class SpawnerNews:
    """Takes note of news in memory; nothing here needs the database. `is_ready`: a spawner has once been ready."""

    attempts: Attempts
    inspector: Inspector
    intake: IntakeDesk
    definitions: Definitions
    follower: Follower
    hooks: HookDesk
    spawners: Spawners
    starting: Starting
    clock: Clock
    is_ready: bool = False

    def hear(self, said: wire.Message | None) -> bool:
        """Take note of what the spawner said; True when all attempts are to be looked at now, for it has died."""
        match said:
            case None:
                self._lose_spawner()
                return True
            case wire.Ready(threads=threads):
                self._ready(threads)
            case wire.Pong():
                self.spawners.answered()
            case wire.Taken(key=key, pid=pid):
                self._taken(key, pid)
            case wire.Gone(key=key):
                self._gone(key)
            case wire.Refused(key=key, reason=reason, room=room):
                self._refused(key, reason, TroubleKind.FOLDERS if room else TroubleKind.PROCESSES)
            case wire.Ended(key=key):
                self._ended(key)
            case _:
                raise AssertionError(f"a spawner does not say {said}")
        return False

    def hear_end(self, folder: str) -> bool:
        """The process of an adopted run has ended; True when attempts are to be looked at now, to settle it."""
        attempt = self._find(folder)
        if attempt is None:
            return False
        self.follower.reap(attempt)
        self.hooks.look_soon()
        return True

    def _find(self, key: str) -> Attempt | None:
        """The attempt of this key, of a run or of a call of hooks."""
        return self.attempts.get(key) or self.hooks.attempts.get(key)

    def _ready(self, threads: int) -> None:
        self.is_ready = True
        self.spawners.ready()
        if threads != 1:
            log.warning("preload_started_threads", extra={"threads": threads})

    def _taken(self, key: str, pid: int) -> None:
        attempt = self._find(key)
        if attempt is not None:
            attempt.asked, attempt.ours, attempt.pid = False, True, pid
        self.starting.went_well()

    def _refused(self, key: str, reason: str, kind: TroubleKind) -> None:
        self.starting.failed(kind, f"no run can be started: {reason}")
        self._gone(key)

    def _gone(self, key: str) -> None:
        attempt = self._find(key)
        if attempt is not None:
            attempt.asked = False
        self.inspector.not_taken(key)

    def _ended(self, key: str) -> None:
        attempt = self._find(key)
        if attempt is None:
            found = self.inspector.ended(key)
            if found is not None:
                self.definitions.inspected(found)
        elif attempt.ours or attempt.asked:  # else it speaks of a launch that was given up since
            attempt.asked, attempt.ours, attempt.dead = False, True, True
            self.intake.note(key)

    def _lose_spawner(self) -> None:
        """The spawner has died: what it had is looked at one by one, and another takes its place."""
        for attempt in self.attempts:
            attempt.asked = attempt.ours = False
        self.hooks.lost_spawner()
        self.inspector.start_over()
        self.spawners.lost(self.clock.monotonic())
