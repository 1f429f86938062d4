"""What a flow file or a command schedule defines: a name, parameters, tasks, and the code to run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import FlowKey, VersionKey
from schedulerd.domain.retrying import NEVER, RetryPolicy
from schedulerd.domain.schedules import ScheduleDefinition
from schedulerd.domain.states import RunState
from schedulerd.domain.surroundings import Surroundings


class FlowKind(StrEnum):
    """What a run of the flow executes."""

    PYTHON = "python"
    COMMAND = "command"


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowDefinition:
    """A flow as its file defines it.

    `parameters` is a JSON schema (an object's), `tasks` the names of the tasks known before a run, `edges` pairs of
    indices into `tasks`. `entrypoint` is the variable in the file that holds the flow. A limit of zero seconds is none,
    whatever the settings say. A run has `surroundings`, and `environment` besides that of the daemon. A command's
    `command` is what the shell is given, with `stdin` to read; its output is sent to `mail_to`.
    Its runs take a place in `pool`, those with a higher `priority` start first, and `max_running` of them may be live.
    One that ended badly is tried again as `retrying` says. When one ends in a state of `hooks`, functions of its file are
    called.
    """

    name: str
    kind: FlowKind
    file: str
    entrypoint: str = ""
    command: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()
    edges: tuple[tuple[int, int], ...] = ()
    timeout_seconds: float | None = None
    schedules: tuple[ScheduleDefinition, ...] = ()
    surroundings: Surroundings = field(default_factory=Surroundings)
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: str | None = None
    mail_to: str | None = None
    pool: str | None = None
    priority: int = 0
    max_running: int | None = None
    retrying: RetryPolicy = NEVER
    hooks: frozenset[RunState] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class FileDefinition:
    """What inspecting one file found: its flows, and the version of its code.

    `version` is the SHA-256 of the file and of the local modules that it imports, in hex; `source` the file's text.
    """

    file: str
    version: str
    source: str
    flows: tuple[FlowDefinition, ...]


class LastRun(NamedTuple):
    """How the newest run of a flow stands."""

    number: int
    state: RunState
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """A flow in force, or `removed`: its definition and version, and how it stands.

    `error` is what is wrong with the present content of its file, when the last good version stays in force.
    """

    key: FlowKey
    definition: FlowDefinition
    version: VersionKey | None
    version_hash: str | None
    first_seen: datetime
    changed_at: datetime
    removed: bool = False
    error: Failure | None = None
    last_run: LastRun | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FileError:
    """A flow file that cannot be taken as it is now; `version_hash` is the version of it still in force, if any."""

    file: str
    error: Failure
    seen_at: datetime
    version_hash: str | None = None
