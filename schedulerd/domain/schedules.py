"""What a schedule is: when, of what, with which parameters and policies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from schedulerd.domain.ids import FlowKey, ScheduleKey


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
    """Every so often: the n-th time is anchor + n × interval. `anchor` None: the moment it was first seen."""

    every: timedelta
    timezone: str = "UTC"
    anchor: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Once:
    """At one local time (naive) in a time zone."""

    at: datetime
    timezone: str = "UTC"


When = Cron | Interval | Once


class Catchup(StrEnum):
    """What becomes of due times that were missed."""

    LATEST = "latest"
    ALL = "all"
    NONE = "none"


class Overlap(StrEnum):
    """What becomes of a due time while an earlier run of the schedule still runs."""

    SKIP = "skip"
    ALLOW = "allow"


@dataclass(frozen=True, kw_only=True, slots=True)
class Policies:
    """What to do with due times that were missed or come while a run still runs."""

    catchup: Catchup = Catchup.LATEST
    catchup_limit: int = 100
    catchup_window: timedelta = timedelta(days=1)
    misfire_grace: timedelta = timedelta(seconds=60)
    overlap: Overlap = Overlap.SKIP


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleDefinition:
    """A schedule as a file defines it. `name` is unique; `flow` or `command` is what it runs; `origin` is `file:line`."""

    name: str
    when: When
    flow: str | None = None
    command: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    policies: Policies = field(default_factory=Policies)
    enabled: bool = True
    origin: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A schedule in force: its definition, and how far it has been decided.

    `first_seen` anchors an interval without an anchor; `watermark` is the moment up to which due times have been
    decided; `next_due` the first due time after it, None when there is none or the schedule is not enabled.
    """

    key: ScheduleKey
    flow_key: FlowKey
    definition: ScheduleDefinition
    first_seen: datetime
    watermark: datetime
    next_due: datetime | None
    last_due: datetime | None = None
