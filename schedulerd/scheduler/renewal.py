"""When what changed in the watched folders comes into force, and when due times are met after a start."""

from collections.abc import Callable
from typing import Final

from schedulerd.clock import Clock
from schedulerd.errors import StoreUnavailable
from schedulerd.scheduler.definitions import Definitions
from schedulerd.scheduler.inspecting import Inspector
from schedulerd.scheduler.messages import DefinitionsChanged
from schedulerd.scheduler.starting import Starting

_SAVED_TOGETHER_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 1.0  # how long it rests after it has failed
_FIRST_LOOK_SECONDS: Final = 5.0  # how long due times wait, after a start, for the files to be read


class Renewal:
    """Has definitions inspected and applied. `is_planned`: the files were read once, so due times may be met."""

    def __init__(
        self,
        definitions: Definitions,
        inspector: Inspector,
        starting: Starting,
        clock: Clock,
        *,
        reread: Callable[[], None],
    ) -> None:
        self._definitions: Final = definitions
        self._inspector: Final = inspector
        self._starting: Final = starting
        self._clock: Final = clock
        self._reread: Final = reread
        self._began_at: Final = clock.monotonic()
        self._changed_at = float("-inf")
        self._rests_until = float("-inf")
        self._waiting: list[Callable[[], None]] = []
        self._whole_heard = False
        self.is_planned = False

    @property
    def is_behind(self) -> bool:
        """Is there more to put in force, that nothing has to be waited for?"""
        return self._definitions.is_behind and not self._has_to_wait()

    def reload(self, done: Callable[[], None]) -> None:
        """Have all files read anew; `done` is called when what they say is in force."""
        self._waiting.append(done)
        self._whole_heard = False
        self._reread()

    def hear(self, change: DefinitionsChanged) -> None:
        """Something has changed in the folders."""
        self._whole_heard = self._whole_heard or change.whole
        self._changed_at = self._clock.monotonic()
        self._definitions.changed(change)
        for file in sorted(change.look_at):
            self._inspector.want(file)

    def look(self) -> bool:
        """Go on with what was heard; True when something new is in force. Raises what `Definitions.apply` does."""
        if not self._starting.is_paused:
            self._inspector.pump()
        if self._has_to_wait():
            return False
        was = self.is_planned
        applied = self._apply()
        waited = self._clock.monotonic() - self._began_at
        self.is_planned = was or self._definitions.is_applied or waited >= _FIRST_LOOK_SECONDS
        self._answer()
        return bool(applied) or self.is_planned != was

    def _apply(self) -> bool:
        try:
            return self._definitions.apply()
        except StoreUnavailable:
            raise
        except Exception:
            self._rests_until = self._clock.monotonic() + _AGAIN_SECONDS
            raise

    def _has_to_wait(self) -> bool:
        return self._is_being_saved() or self._clock.monotonic() < self._rests_until

    def _is_being_saved(self) -> bool:
        """What was saved together, or was there at the start, counts as one: no schedule before its flow."""
        patience = _SAVED_TOGETHER_SECONDS if self.is_planned else _FIRST_LOOK_SECONDS
        since = max(self._changed_at, self._began_at)
        return not self._inspector.is_idle and self._clock.monotonic() - since < patience

    def _answer(self) -> None:
        if self._whole_heard and self._inspector.is_idle and self._definitions.is_applied:
            for done in self._waiting:
                done()
            self._waiting.clear()
