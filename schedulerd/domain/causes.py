"""What becomes of a cause: each makes each schedule that it is meant for due once. Pure."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any

from schedulerd.domain.cause_values import EACH_MEMBER
from schedulerd.domain.ids import RunId, RunKey
from schedulerd.domain.runs import SkipReason, Trigger
from schedulerd.domain.schedules import After, FileAppears, Schedule, Webhook
from schedulerd.domain.states import RunState
from schedulerd.errors import BadParameters


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


def cause_of_call(schedule: Schedule, body: Any, *, call: str) -> Cause:
    """What a call of its webhook is to a schedule; `call` tells it from others. Raises `BadParameters`.

    What the schedule says itself of the parameters stands.
    """
    when = schedule.definition.when
    assert isinstance(when, Webhook)
    mark = f"webhook {sha256(call.encode()).hexdigest()}"
    parameters = _of_body(when, body)
    if taken := sorted(set(parameters) & set(schedule.definition.parameters)):
        raise BadParameters(f"the schedule says itself what {taken[0]!r} is; a call may not")
    return Cause(mark=mark, subject=when.hook, trigger=Trigger.WEBHOOK, parameters=parameters)


def _of_body(when: Webhook, body: Any) -> Mapping[str, Any]:
    if when.parameter is None:
        return {}
    if when.parameter != EACH_MEMBER:
        return {when.parameter: body}
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise BadParameters("the body must be an object: each of its members is a parameter of the flow")
    return body


def outcome(schedule: Schedule) -> SkipReason | None:
    """Why a cause does not become a run; None where it does."""
    return SkipReason.PAUSED if schedule.paused is not None else None
