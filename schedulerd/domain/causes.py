"""What becomes of a cause: each makes each schedule that it is meant for due once. Pure."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any

from schedulerd.domain.ids import RunId, RunKey
from schedulerd.domain.runs import SkipReason, Trigger
from schedulerd.domain.schedules import After, FileAppears, Schedule
from schedulerd.domain.states import RunState


@dataclass(frozen=True, kw_only=True, slots=True)
class EndedRun:
    """A run that has ended, and of which nobody has looked yet what comes after it."""

    key: RunKey
    id: RunId
    flow: str
    number: int
    state: RunState
    attempt: int
    ended_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class SettledFile:
    """A file that was seen twice as the same: where, which one it is, and when it came to its place or was changed."""

    path: str
    inode: int
    size: int
    modified_ns: int
    changed_at: datetime

    @property
    def mark(self) -> str:
        """What tells it from all others, at this place or elsewhere; one that is written anew is another."""
        said = f"{self.path}\0{self.inode}\0{self.size}\0{self.modified_ns}"
        return f"file {sha256(said.encode()).hexdigest()}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """What made a schedule due: a mark that tells it from others, what it is in words, and what the flow is given of it."""

    mark: str
    subject: str
    trigger: Trigger
    parameters: Mapping[str, Any]


def cause_of_end(schedule: Schedule, run: EndedRun) -> Cause | None:
    """What the end of a run is to a schedule; None where it is nothing: another flow, another state, or before its time.

    Each attempt that people ask for has an end of its own.
    """
    when = schedule.definition.when
    if not isinstance(when, After) or run.flow not in when.flows or run.state not in when.states:
        return None
    if run.ended_at < schedule.watermark:
        return None  # before the schedule was there, or was as it is
    mark = f"after {run.id}.{run.attempt}"
    subject = f"{run.flow}#{run.number} {run.state}"
    return Cause(mark=mark, subject=subject, trigger=Trigger.AFTER, parameters={})


def cause_of_file(schedule: Schedule, file: SettledFile) -> Cause | None:
    """What a file is to a schedule; None where it was there before the schedule was, or was as it is."""
    when = schedule.definition.when
    if not isinstance(when, FileAppears) or file.changed_at < schedule.watermark:
        return None
    parameters = {when.parameter: file.path}
    return Cause(mark=file.mark, subject=file.path, trigger=Trigger.FILE, parameters=parameters)


def is_meant(when: FileAppears, path: str) -> bool:
    """Does the pattern mean this file? What begins with a dot is meant only by a pattern that does."""
    folder, name = os.path.split(path)
    where, pattern = os.path.split(when.pattern)
    return folder == where and name.startswith(".") <= pattern.startswith(".") and fnmatchcase(name, pattern)


def outcome(schedule: Schedule) -> SkipReason | None:
    """Why a cause does not become a run; None where it does."""
    return SkipReason.PAUSED if schedule.paused is not None else None
