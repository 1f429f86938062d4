"""A run of a flow that was called within another run, in the same process."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import RunId
from schedulerd.domain.results import ResultKind
from schedulerd.domain.runs import Run
from schedulerd.domain.states import RunState


@dataclass(frozen=True, kw_only=True, slots=True)
class Subflow:
    """What a run tells of a flow that was called within it; it is known by `task`, which stands for it in this attempt.

    `within` is the task that stands for the child run in which it was called; None: in the run itself. Without an `id` it
    is the one that made the same `call` in an earlier attempt, and completed: now this task stands for it.
    """

    task: int
    id: RunId | None
    flow: str
    name: str
    state: RunState
    within: int | None = None
    attempt: int = 1
    reason: str = ""
    parameters: Mapping[str, Any] | None = None
    tags: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failure: Failure | None = None
    result_preview: str | None = None
    call: str | None = None
    kept: ResultKind | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChildRun:
    """A child run in the process of `root`, as the database remembers it.

    `number` counts those of the root from 1. `parent` is the run that called the flow: the root, or another child of it.
    `task` is the number of the task run of the parent that stands for it, in the attempt `of_attempt` of the root;
    `attempt` counts the tries that the flow makes itself. `name` is its flow's, or as `flow_run_name` says.
    """

    root: Run
    number: int
    id: RunId
    parent: RunId
    within: int | None
    of_attempt: int
    task: int
    flow: str
    name: str
    state: RunState
    reason: str
    attempt: int
    parameters: Mapping[str, Any]
    tags: tuple[str, ...]
    started_at: datetime | None
    ended_at: datetime | None
    failure: Failure | None
    result_preview: str | None
    call: str | None
    kept: ResultKind | None

    @property
    def selector(self) -> str:
        """How a person names it: `etl#1842.3`."""
        return f"{self.root.selector}.{self.number}"

    @property
    def log_removed(self) -> bool:
        """Was its log removed, with that of its root?"""
        return self.root.log_removed

    def duration(self, *, now: datetime) -> timedelta | None:
        """How long it has been running, or ran; None when it is not known when it started."""
        if self.started_at is None:
            return None
        return max((self.ended_at or now) - self.started_at, timedelta())


AnyRun = Run | ChildRun
"""A run of a process of its own, or one within another."""
