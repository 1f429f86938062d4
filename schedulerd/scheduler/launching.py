"""Launches claimed runs: their folder is made ready, and a spawner is asked for it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from schedulerd.domain.flows import Flow, FlowDefinition, FlowKind
from schedulerd.domain.runs import Run
from schedulerd.engine import wire
from schedulerd.engine.folders import RunFolders
from schedulerd.engine.link import SpawnerLink
from schedulerd.scheduler.attempts import Attempt
from schedulerd.scheduler.starting import Starting

log = logging.getLogger(__name__)

_SHELL: Final = "/bin/sh"


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """What every run of this daemon is launched with. `directory` is where runs work."""

    state_dir: Path
    code: Path
    directory: Path
    grace: timedelta

    def base(self) -> dict[str, Any]:
        """The part that all requests share."""
        return {
            "state_dir": str(self.state_dir),
            "code": str(self.code),
            "directory": str(self.directory),
            "grace": self.grace.total_seconds(),
            "timeout_seconds": None,
        }


class Launcher:
    """Prepares folders and asks the spawner; the run's existence and its claim are committed before."""

    def __init__(self, folders: RunFolders, launch: Launch, starting: Starting) -> None:
        self._folders = folders
        self._starting = starting
        self._launch = launch
        self._link: SpawnerLink | None = None

    def use(self, link: SpawnerLink | None) -> None:
        """Ask this spawner from now on; None while there is none."""
        self._link = link

    def prepare(self, run: Run, flow: Flow) -> None:
        """Make the folder of an attempt; raises `OSError` when the disk does not take it."""
        self._folders.prepare(run.folder, request_of(run, flow, self._launch.base()))

    def ask(self, attempt: Attempt) -> None:
        """Have a prepared attempt started; when that cannot be said now, it stays unasked and is asked for later."""
        if self._starting.is_paused:
            return
        attempt.asked = self.say(wire.Start(key=attempt.folder))

    def say(self, message: wire.Message) -> bool:
        """Tell the spawner; False when that was not possible."""
        return self._link is not None and self._link.ask(message)

    @property
    def grace(self) -> timedelta:
        """The time between a polite end and a forced one."""
        return self._launch.grace


def request_of(run: Run, flow: Flow, base: Mapping[str, Any]) -> dict[str, Any]:
    """All that a run's process needs to know. Parameters stay in this file: never in an argument list or a shell."""
    definition = flow.definition
    request = {
        **base,
        "key": run.folder,
        "timeout_seconds": definition.timeout_seconds,
        "flow": run.flow,
        "parameters": dict(run.parameters),
        "environment": {
            "SCHEDULERD_RUN_ID": str(run.id),
            "SCHEDULERD_FLOW": run.flow,
            "SCHEDULERD_RUN_NUMBER": str(run.number),
            "SCHEDULERD_ATTEMPT": str(run.attempt),
            "SCHEDULERD_DUE_AT": run.due_at.isoformat(),
        },
    }
    if definition.kind is FlowKind.COMMAND:
        return request | _command(definition, request["environment"])
    return {
        **request,
        "kind": "flow",
        "file": definition.file,
        "entrypoint": definition.entrypoint,
        "version": run.version_hash,
    }


def _command(definition: FlowDefinition, ours: Mapping[str, str]) -> dict[str, Any]:
    """What a command needs: its shell, its variables, what it reads, and the folder that it begins in.

    One that is given a HOME begins there, as cron's do.
    """
    shell = definition.environment.get("SHELL") or _SHELL
    return {
        "kind": "command",
        "command": definition.command,
        "shell": shell,
        "environment": {**definition.environment, "SHELL": shell, **ours},
        "home": definition.environment.get("HOME"),
        "stdin": definition.stdin,
    }
