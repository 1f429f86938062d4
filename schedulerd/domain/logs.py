"""A line of a run's log."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Stream(StrEnum):
    """Where a line came from: Python's logging, one of the output files, or schedulerd itself."""

    LOGGING = "logging"
    STDOUT = "stdout"
    STDERR = "stderr"
    SYSTEM = "system"


LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


def level_name(level: int) -> str:
    """The nearest named level at or below `level`."""
    return next((name for name, least in reversed(LEVELS.items()) if level >= least), "debug")


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """A line of a run's log. `task` is the number of the task run that wrote it.

    While it is taken in, `within` is the task run that stands for the child run in which it was written.
    """

    at: datetime
    level: int
    message: str
    stream: Stream
    logger: str = ""
    task: int | None = None
    within: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberedLine:
    """A stored line with its number in its run, from 1, and the names of its task, and of the child run that wrote it."""

    number: int
    line: LogLine
    task_name: str | None = None
    child_name: str | None = None
