"""A flow run: what asked for it, where it is, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import FlowKey, RunId, RunKey, ScheduleKey, VersionKey
from schedulerd.domain.states import RunState


class Trigger(StrEnum):
    """What asked for a run."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    CRONTAB = "crontab"
    AFTER = "after"
    FILE = "file"
    WEBHOOK = "webhook"
    FLOW = "flow"


class SkipReason(StrEnum):
    """Why a due time did not become a run."""

    OVERLAP = "overlap"
    COALESCED = "coalesced"
    MISFIRE = "misfire"
    PAUSED = "paused"
    WINDOW = "window"
    LIMIT = "limit"
    BLACKOUT = "blackout"
    EDITED = "edited"
    REMOVED = "removed"
    QUEUE_FULL = "queue-full"
    REPLACED = "replaced"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRun:
    """A run to be recorded: `scheduled`, or `skipped` with its reason.

    `caught_up`: it makes up for a missed time, and so waits for the run of its schedule before it, whatever overlap says.
    `pool` and `priority` None: those of its flow. `parent`: the run whose code asks for it.
    """

    id: RunId
    flow: FlowKey
    created_at: datetime
    trigger: Trigger
    due_at: datetime
    state: RunState = RunState.SCHEDULED
    reason: str = ""
    schedule: ScheduleKey | None = None
    slot: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    caught_up: bool = False
    pool: str | None = None
    priority: int | None = None
    parent: RunKey | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """How far the files of a run have been taken into the database, in bytes."""

    journal: int = 0
    stdout: int = 0
    stderr: int = 0

    @property
    def total(self) -> int:
        """All bytes together."""
        return self.journal + self.stdout + self.stderr


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A flow run as the database remembers it.

    `queued`: it waits for one of its schedule. `pool` is where it takes a place, or took one. `retry_at`: when one that
    is `retrying` is tried again. `hooks` are the final states for which the version of its flow has hooks. `parent` is the
    run whose code asked for it, `root` the first above it that is still known: that is told of a run that is to be started.
    """

    key: RunKey
    id: RunId
    flow: str
    flow_key: FlowKey
    number: int
    state: RunState
    reason: str
    trigger: Trigger
    schedule: str | None
    schedule_key: ScheduleKey | None
    slot: str | None
    due_at: datetime
    created_at: datetime
    pending_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    attempt: int
    parameters: Mapping[str, Any]
    version: VersionKey | None
    version_hash: str | None
    agent: str | None
    boot_id: str | None
    pid: int | None
    failure: Failure | None
    cpu_ms: int | None
    max_rss_bytes: int | None
    position: Position
    result_preview: str | None = None
    caught_up: bool = False
    log_removed: bool = False
    queued: bool = False
    pool: str | None = None
    priority: int = 0
    retry_at: datetime | None = None
    parent: RunId | None = None
    root: RunId | None = None
    hooks: frozenset[RunState] = frozenset()

    @property
    def selector(self) -> str:
        """How a person names this run: `etl#1842`."""
        return f"{self.flow}#{self.number}"

    @property
    def folder(self) -> str:
        """The name of this attempt's folder on disk."""
        return f"{self.id}.{self.attempt}"

    def duration(self, *, now: datetime) -> timedelta | None:
        """How long it has been running, or ran; None when it never started."""
        if self.started_at is None:
            return None
        return max((self.ended_at or now) - self.started_at, timedelta())


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One change of a run's state."""

    at: datetime
    was: RunState
    to: RunState
    actor: str
    message: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFilter:
    """Which runs to list, newest first. What is empty or None does not narrow.

    `since` and `until` compare with when the run was recorded; `text` is looked for in the flow's name, the
    parameters, the reason and the failure. `before` goes on after the last run of the page before.
    """

    flows: tuple[str, ...] = ()
    states: frozenset[RunState] = frozenset()
    schedule: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    limit: int = 50
    before: RunKey | None = None
