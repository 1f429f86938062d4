"""Keeps a spawner alive, and the line to it open."""

import logging
from collections.abc import Callable
from typing import Final

from schedulerd.domain.health import TroubleKind
from schedulerd.engine import wire
from schedulerd.engine.link import SpawnerLink
from schedulerd.scheduler.ears import Ears
from schedulerd.scheduler.health import HealthBook
from schedulerd.scheduler.launching import Launcher
from schedulerd.scheduler.pulse import Pulse

log = logging.getLogger(__name__)

_STEADY_SECONDS: Final = 10.0  # one that lived so long died of something else than its start
_LONGEST_PAUSE_SECONDS: Final = 30.0
_LAST_WAIT_SECONDS: Final = 2.0


class Spawners:
    """The present spawner, and those before it that have not ended yet because their runs have not."""

    def __init__(
        self, new: Callable[[], SpawnerLink], launcher: Launcher, ears: Ears, health: HealthBook
    ) -> None:
        self._new = new
        self._health = health
        self._launcher = launcher
        self._ears = ears
        self._present: SpawnerLink | None = None
        self._former: list[SpawnerLink] = []
        self._started_at = self._start_at = float("-inf")
        self._pause = 0.0
        self._pulse: Pulse | None = None

    @property
    def pid(self) -> int | None:
        """The present spawner's pid, None while there is none."""
        return None if self._present is None else self._present.pid

    def lost(self, now: float) -> None:
        """The present one has died; the next is started at once, or after a while when it keeps dying."""
        if self._present is not None:
            self._present.hang_up()
            self._former.append(self._present)
        self._present = self._pulse = None
        self._launcher.use(None)
        steady = now - self._started_at >= _STEADY_SECONDS
        self._pause = 0.0 if steady else min(max(1.0, self._pause * 2), _LONGEST_PAUSE_SECONDS)
        self._start_at = now + self._pause
        log.error("spawner_died", extra={"again_in": f"{self._pause:g}s"})
        self._health.note(TroubleKind.SPAWNER, "the process from which runs are started has died")
        self.look(now)

    def look(self, now: float) -> None:
        """Start one when there is none and it is time; `now` is monotonic."""
        self._former = [link for link in self._former if not link.wait(0)]
        if self._pulse is not None and self._pulse.has_stopped(now):
            self._kill()
        if self._present is None and now >= self._start_at:
            link = self._new()
            try:
                link.start()
            except OSError as error:  # no process to be had, say
                link.hang_up()
                self._could_not_start(now, error)
                return
            self._present, self._started_at = link, now
            self._launcher.use(link)
            self._ears.listen_to(link)

    def ready(self) -> None:
        """The present one has said that it can start runs."""
        self._health.clear(TroubleKind.SPAWNER)
        self._pulse = Pulse(lambda: self._launcher.say(wire.Ping()))

    def answered(self) -> None:
        """The present one has said that it is there."""
        if self._pulse is not None:
            self._pulse.answered()

    def _kill(self) -> None:
        """The present one hangs, or somebody stopped it: another takes its place as soon as it has gone."""
        assert self._present is not None
        log.error("spawner_hangs", extra={"pid": self._present.pid})
        self._pulse = None
        self._present.kill()

    def _could_not_start(self, now: float, error: OSError) -> None:
        self._pause = min(max(1.0, self._pause * 2), _LONGEST_PAUSE_SECONDS)
        self._start_at = now + self._pause
        reason = f"the process from which runs are started cannot be started: {error.strerror}"
        self._health.note(TroubleKind.SPAWNER, reason)

    def hang_up(self, *, runs_go_on: bool) -> None:
        """Let go of all: each ends by itself when its runs have ended."""
        if self._present is not None:
            self._present.hang_up()
            self._former.append(self._present)
            self._present = None
        for link in self._former:
            if runs_go_on or not link.wait(_LAST_WAIT_SECONDS):
                link.let_go()
