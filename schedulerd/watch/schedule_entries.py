"""One `[[schedule]]` of a schedule file, made into a definition or refused with the line of the key that is wrong."""

import os
from typing import Any

from schedulerd.domain.blackout_values import Calendars
from schedulerd.domain.entries import BadEntry
from schedulerd.domain.schedule_values import schedule_of
from schedulerd.domain.schedules import ScheduleDefinition
from schedulerd.domain.toml_text import TomlText
from schedulerd.engine.accounts import check_surroundings
from schedulerd.errors import BadDefinition


class ScheduleEntry:
    """One `[[schedule]]` and its place in the file."""

    def __init__(self, toml: TomlText, path: str, index: int, values: Any) -> None:
        self._toml = toml
        self._path = path
        self._index = index
        self._values = values

    def definition(self, *, timezone: str, calendars: Calendars) -> ScheduleDefinition:
        """What it defines, or `BadDefinition` with the line of the key; `timezone` is for one that names none."""
        try:
            found = schedule_of(self._values, timezone=timezone, origin=self.origin, calendars=calendars)
            check_surroundings(found.surroundings, found.environment, uid=os.geteuid())
            return found
        except BadEntry as error:
            raise self.wrong(error.reason, *error.path, mend=error.mend) from error

    @property
    def origin(self) -> str:
        """Where it stands: `file:line`."""
        return f"{self._path}:{self._line()}"

    def names(self) -> set[str]:
        """Its name, where it has one."""
        name = self._values.get("name") if isinstance(self._values, dict) else None
        return {name} if isinstance(name, str) else set()

    def wrong(self, reason: str, *key: str | int, mend: str = "") -> BadDefinition:
        """The error to raise for a key, by its path in the entry; for the entry as a whole without one."""
        return BadDefinition(reason, file=self._path, line=self._line(*key), mend=mend)

    def _line(self, *key: str | int) -> int | None:
        return self._toml.line_of("schedule", self._index, *key)
