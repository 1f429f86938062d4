"""What reads the files that people write, as the daemon does: handed in, since those readers are of a higher floor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from schedulerd.domain.schedules import ScheduleDefinition


class LineKind(StrEnum):
    """What a line of a crontab is."""

    SCHEDULE = "schedule"
    VARIABLE = "variable"
    ERROR = "error"
    HELD = "held"
    COMMENT = "comment"


@dataclass(frozen=True, kw_only=True, slots=True)
class CrontabLine:
    """A line of a crontab, and what it says. `message` is what is wrong with it or worth knowing of it.

    `keys` are those of a schedule file that mean the same as a line with a schedule.
    """

    number: int
    source: str
    kind: LineKind
    message: str = ""
    definition: ScheduleDefinition | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)


class Reader(Protocol):
    """The very readers that the daemon goes by."""

    def schedules(self, text: str, path: Path) -> Sequence[ScheduleDefinition]:
        """The schedules of a file at this path that has this text. Raises `BadDefinition` for the first that is wrong."""

    def crontab(self, text: str, *, prefix: str) -> Sequence[CrontabLine]:
        """The lines of a crontab, whose schedules are named after the prefix. Raises `BadDefinition` where it cannot be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where definitions are kept, and what reads them. `schedules` None: in no folder.

    `may_upload`: may flow files be put into the first of `flows`? `timezone` is that of schedules which name none; `inspect_timeout` is what finding the flows of a file may take.
    """

    reader: Reader
    schedules: Path | None
    flows: tuple[Path, ...] = ()
    pools: tuple[str, ...] = ()
    may_upload: bool = False
    timezone: str = "UTC"
    inspect_timeout: timedelta = timedelta(seconds=30)
