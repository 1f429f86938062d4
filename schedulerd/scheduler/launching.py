"""Launches claimed runs: their folder is made ready, and a spawner is asked for it."""

import json
import logging
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from schedulerd.clock import microseconds_of
from schedulerd.domain.flows import Flow, FlowDefinition, FlowKind
from schedulerd.domain.hooks import DueHooks
from schedulerd.domain.results import Result
from schedulerd.domain.runs import Run, Trigger
from schedulerd.domain.surroundings import Surroundings, time_limit
from schedulerd.engine import wire
from schedulerd.engine.folders import KNOWN, RESULTS, RunFolders
from schedulerd.engine.link import SpawnerLink
from schedulerd.engine.recorder import failure_as_json
from schedulerd.scheduler.attempts import Attempt
from schedulerd.scheduler.starting import Starting

log = logging.getLogger(__name__)

_SHELL: Final = "/bin/sh"


@dataclass(frozen=True, kw_only=True, slots=True)
class Usual:
    """What the settings say of the surroundings and the time limit of runs whose flows say nothing."""

    surroundings: Surroundings = field(default_factory=Surroundings)
    timeout: timedelta | None = None

    def surroundings_of(self, flow: FlowDefinition | None) -> Surroundings:
        """What surrounds the runs of a flow, of None where it is not known any more."""
        return self.surroundings if flow is None else flow.surroundings.within(self.surroundings)

    def timeout_of(self, flow: FlowDefinition | None) -> timedelta | None:
        """How long a run of the flow may take, None for as long as it likes."""
        return time_limit(None if flow is None else flow.timeout_seconds, self.timeout)


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """What every run of this daemon is launched with. `directory` is where runs work."""

    state_dir: Path
    code: Path
    directory: Path
    grace: timedelta
    max_result: int = 0
    result_storage: str = ""
    hook_timeout: timedelta = timedelta(minutes=1)
    usual: Usual = field(default_factory=Usual)

    @property
    def results(self) -> Path:
        """Where large values that runs return are kept, a folder for each run."""
        return self.state_dir / RESULTS

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

    def prepare(self, run: Run, flow: Flow, known: Sequence[Result] = ()) -> None:
        """Make the folder of an attempt, with what tasks came to in an earlier one.

        Raises `OSError` when the disk does not take it.
        """
        known_file = {KNOWN: known_json(known)} if known else {}
        self._folders.prepare(run.folder, request_of(run, flow, self._launch), known_file)

    def prepare_hooks(self, due: DueHooks, run: Run, flow: Flow, value: Result | None) -> None:
        """Make the folder of a call of hooks, which are given what the flow returned. Raises `OSError` as `prepare` does."""
        self._folders.prepare(due.folder, hooks_request(due, run, flow, self._launch, value))

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

    @property
    def hook_timeout(self) -> timedelta:
        """How long the hooks of a run may take."""
        return self._launch.hook_timeout

    @property
    def usual(self) -> Usual:
        """What holds for runs whose flows say nothing."""
        return self._launch.usual


def known_json(known: Sequence[Result]) -> bytes:
    """What tasks came to in an earlier attempt, for the process of the next."""
    return json.dumps(
        [{"call": one.call, **_value(one), **_times(one)} for one in known],
    ).encode()


def _times(known: Result) -> dict[str, str]:
    times = {"began": known.began_at, "ended": known.ended_at}
    return {name: str(microseconds_of(at)) for name, at in times.items() if at is not None}


def request_of(run: Run, flow: Flow, launch: Launch) -> dict[str, Any]:
    """All that a run's process needs to know. Parameters stay in this file: never in an argument list or a shell."""
    definition = flow.definition
    limit = launch.usual.timeout_of(definition)
    request = {
        **launch.base(),
        **_place(launch.usual.surroundings_of(definition), launch.directory),
        "key": run.folder,
        "timeout_seconds": None if limit is None else limit.total_seconds(),
        "flow": run.flow,
        "schedule": run.schedule,
        "parameters": dict(run.parameters),
        "environment": {
            **definition.environment,
            "SCHEDULERD_RUN_ID": str(run.id),
            "SCHEDULERD_FLOW": run.flow,
            "SCHEDULERD_RUN_NUMBER": str(run.number),
            "SCHEDULERD_ATTEMPT": str(run.attempt),
            "SCHEDULERD_DUE_AT": run.due_at.isoformat(),
            **_of_file(run),
        },
    }
    if run.parent is not None:
        request |= {"parent": str(run.parent), "root": str(run.root or run.parent)}
    if run.hooks:
        request["hooks_after"] = sorted(run.hooks)
    if definition.kind is FlowKind.COMMAND:
        return request | _command(definition, request["environment"])
    return {
        **request,
        "results": {
            "folder": str(launch.results / str(run.id)),
            "limit": launch.max_result,
            "storage": launch.result_storage,
        },
        "kind": "flow",
        "file": definition.file,
        "entrypoint": definition.entrypoint,
        "version": run.version_hash,
    }


def _of_file(run: Run) -> dict[str, str]:
    """The file that a run is about, for a command, which has no parameters."""
    if run.trigger is not Trigger.FILE or "path" not in run.parameters:
        return {}
    return {"SCHEDULERD_FILE": str(run.parameters["path"])}


def hooks_request(
    due: DueHooks, run: Run, flow: Flow, launch: Launch, value: Result | None
) -> dict[str, Any]:
    """All that a process needs to know to call the hooks of a run that ended: as that attempt's, but for its end."""
    ended = replace(run, attempt=due.attempt, version_hash=due.version_hash)
    failure = run.failure if run.attempt == due.attempt else None
    return {
        **request_of(ended, flow, launch),
        "kind": "hooks",
        "key": due.folder,
        "timeout_seconds": launch.hook_timeout.total_seconds(),
        "ending": {
            "state": due.state,
            "message": due.message,
            "at": microseconds_of(due.at),
            "started_at": microseconds_of(run.started_at or due.at),
            "failure": None if failure is None else failure_as_json(failure),
            "value": None if value is None else _value(value),
        },
    }


def _value(value: Result) -> dict[str, str]:
    return {
        "kind": value.kind.value,
        "content": b64encode(value.content).decode(),
        "file": value.file,
    }


def _place(wanted: Surroundings, directory: Path) -> dict[str, Any]:
    """The surroundings, where there are any, with whole paths in them, and the directory that a run works in."""
    said = wanted.as_json()
    if wanted.env_file is not None:
        said["env_file"] = str(directory / wanted.env_file)
    place = str(directory / said.pop("directory", ""))
    return {"directory": place, "surroundings": said} if said else {"directory": place}


def _command(definition: FlowDefinition, environment: Mapping[str, str]) -> dict[str, Any]:
    """What a command needs: its shell, its variables, what it reads, and the folder that it begins in.

    One that is given a HOME and no directory begins there, as cron's do.
    """
    has_place = definition.surroundings.directory is not None
    shell = definition.environment.get("SHELL") or _SHELL
    return {
        "kind": "command",
        "command": definition.command,
        "shell": shell,
        "environment": {**environment, "SHELL": shell},
        "home": None if has_place else definition.environment.get("HOME"),
        "stdin": definition.stdin,
    }
