"""What a schedule is: when, of what, with which parameters and policies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from schedulerd.domain.heartbeats import Heartbeat
from schedulerd.domain.ids import FlowKey, ScheduleKey
from schedulerd.domain.retrying import NEVER, RetryPolicy
from schedulerd.domain.states import RunState
from schedulerd.domain.surroundings import Surroundings


class DayMatch(StrEnum):
    """Where an expression restricts both the day of the month and the day of the week: is one enough, or must both fit?"""

    EITHER = "either"
    BOTH = "both"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cron:
    """By a cron expression, in a time zone. `day_match` None: Debian cron's rule (see `domain/cron.py`)."""

    expression: str
    timezone: str = "UTC"
    day_match: DayMatch | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """Every so often: the n-th time is anchor + n × interval. `anchor` None: the moment it was first seen.

    The anchor is a phase, not a start. A naive one is a local time of the zone.
    """

    every: timedelta
    timezone: str = "UTC"
    anchor: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Once:
    """At one local time (naive) in a time zone."""

    at: datetime
    timezone: str = "UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class RRule:
    """By a recurrence rule (RFC 5545) in local time. `anchor` (naive) is its DTSTART: what the rule does not name of a
    time, and the phase of an INTERVAL, come from it. None: the midnight with which the day began on which it was first
    seen."""

    expression: str
    timezone: str = "UTC"
    anchor: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reboot:
    """Once for each start of the machine. It has no due times of its own: the boot is what makes it due."""

    timezone: str = "UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class After:
    """Once for each run of one of these flows that has ended in one of these states."""

    flows: tuple[str, ...]
    states: tuple[RunState, ...] = (RunState.COMPLETED,)
    timezone: str = "UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class FileAppears:
    """Once for each file that appears and is complete. `pattern` is a whole path, with wildcards in its last part.

    The flow is given the path as its `parameter`.
    """

    pattern: str
    parameter: str = "path"
    timezone: str = "UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """Once for each call of the web process by this name that shows the secret of the name `secret`.

    The flow is given the body of the call as its `parameter`, or with `*` each of its members as one of that name; None:
    it is given nothing.
    """

    hook: str
    secret: str
    parameter: str | None = None
    timezone: str = "UTC"


Caused = After | FileAppears | Webhook
"""What has causes and no due times; each cause makes it due once."""

When = Cron | Interval | Once | RRule | Reboot | Caused


class BlackoutAction(StrEnum):
    """What becomes of due times in a blackout."""

    SKIP = "skip"
    RUN_AFTER = "run-after"


@dataclass(frozen=True, kw_only=True, slots=True)
class BlackoutWindow:
    """From each time of a cron expression, for so long (elapsed time)."""

    expression: str
    duration: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class BlackoutSpan:
    """From one local time up to, and without, another: both naive, in the zone of the schedule."""

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Blackout:
    """When a schedule must not start anything. Everything is local time of the schedule's zone.

    `days` are whole days, `calendars` what windows and days came from, in words (`holidays DE-BY`, `closed.ics`).
    With `run-after`, of the due times of an uninterrupted blackout the newest starts at its end, unless the schedule
    is due then anyway; all others are skipped.
    """

    windows: tuple[BlackoutWindow, ...] = ()
    days: tuple[date, ...] = ()
    spans: tuple[BlackoutSpan, ...] = ()
    action: BlackoutAction = BlackoutAction.SKIP
    calendars: tuple[str, ...] = ()


class Catchup(StrEnum):
    """What becomes of due times that were missed."""

    LATEST = "latest"
    ALL = "all"
    NONE = "none"


class Overlap(StrEnum):
    """What becomes of a due time while an earlier run of the schedule still runs."""

    SKIP = "skip"
    QUEUE = "queue"
    ALLOW = "allow"
    REPLACE = "replace"


@dataclass(frozen=True, kw_only=True, slots=True)
class Policies:
    """What to do with due times that were missed or come while a run still runs."""

    catchup: Catchup = Catchup.LATEST
    catchup_limit: int = 100
    catchup_window: timedelta = timedelta(days=1)
    misfire_grace: timedelta = timedelta(seconds=60)
    overlap: Overlap = Overlap.SKIP
    queue_limit: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleDefinition:
    """A schedule as a file defines it. `name` is unique; `flow` or `command` is what it runs; `origin` is `file:line`.

    It is due from `start` to `end`, both included (naive: local time of its zone). Each due time is delayed by a
    stable part of `jitter`. A command has `surroundings`, `environment` besides that of the daemon, a `timeout` (of
    zero: none, whatever the settings say), `stdin` to read, and `mail_to`, the address that its output is sent to.
    `pool` and `priority` None: those of its flow; `max_running` and `retrying` are a command's. `heartbeat` says which
    monitors are told of its runs.
    """

    name: str
    when: When
    flow: str | None = None
    command: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    policies: Policies = field(default_factory=Policies)
    enabled: bool = True
    origin: str = ""
    start: datetime | None = None
    end: datetime | None = None
    jitter: timedelta = timedelta()
    blackout: Blackout | None = None
    surroundings: Surroundings = field(default_factory=Surroundings)
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: timedelta | None = None
    stdin: str | None = None
    mail_to: str | None = None
    pool: str | None = None
    priority: int | None = None
    max_running: int | None = None
    retrying: RetryPolicy = NEVER
    heartbeat: Heartbeat | None = None

    def is_due_like(self, other: "ScheduleDefinition") -> bool:
        """Does this one have the due times of the other? What is done about them may differ."""
        return _timing_facts(self) == _timing_facts(other)


def _timing_facts(definition: ScheduleDefinition) -> tuple[object, ...]:
    return (
        definition.when,
        definition.enabled,
        definition.start,
        definition.end,
        definition.jitter,
        definition.blackout,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """That somebody paused a schedule: when, who and why."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A schedule in force: its definition, and how far it has been decided.

    `first_seen` anchors an interval without an anchor; `watermark` is the moment up to which due times have been
    decided; `next_due` the first due time after it, None when there is none or the schedule is paused or not enabled.
    `boot_id` is the start of the machine up to which a `@reboot` has been decided, None of all others.
    """

    key: ScheduleKey
    flow_key: FlowKey
    definition: ScheduleDefinition
    first_seen: datetime
    watermark: datetime
    next_due: datetime | None
    last_due: datetime | None = None
    paused: Pause | None = None
    boot_id: str | None = None
