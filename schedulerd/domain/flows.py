"""What a flow file or a command schedule defines: a name, parameters, tasks, and the code to run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from schedulerd.domain.schedules import ScheduleDefinition


class FlowKind(StrEnum):
    """What a run of the flow executes."""

    PYTHON = "python"
    COMMAND = "command"


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowDefinition:
    """A flow as its file defines it.

    `parameters` is a JSON schema (an object's), `tasks` the names of the tasks known before a run, `edges` pairs of
    indices into `tasks`. `entrypoint` is the variable in the file that holds the flow. A command's `command` is
    what the shell is given.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class FileDefinition:
    """What inspecting one file found: its flows, and the version of its code.

    `version` is the SHA-256 of the file and of the local modules that it imports, in hex; `source` the file's text.
    """

    file: str
    version: str
    source: str
    flows: tuple[FlowDefinition, ...]
