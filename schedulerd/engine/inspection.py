"""Inspecting a flow file: what it defines, found in a process of its own, since its code may do anything.

`look` runs in that process and leaves an answer; `understand` turns an answer into values, in the daemon.
"""

import json
import os
import signal
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from schedulerd.authoring.describing import describe
from schedulerd.authoring.failures import describe_failure
from schedulerd.authoring.loading import loading
from schedulerd.authoring.schedule_times import definition_of, value_of
from schedulerd.domain.entries import BadEntry, Entry
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition, FlowDefinition, FlowKind
from schedulerd.domain.hooks import read_hooks
from schedulerd.domain.limit_values import mend_of, unknown_pool
from schedulerd.domain.retrying import read_retries
from schedulerd.domain.schedules import ScheduleDefinition
from schedulerd.domain.signal_names import signal_name
from schedulerd.domain.surroundings import Surroundings
from schedulerd.domain.surroundings_values import read_environment, read_surroundings
from schedulerd.engine.accounts import check_surroundings
from schedulerd.engine.code import Source, execute_file, find_neighbours, keep, loaded_neighbours
from schedulerd.engine.late_imports import late_neighbours
from schedulerd.engine.recorder import failure_as_json

Answer = Mapping[str, Any]
LARGEST = 1 << 20  # bytes of a flow file
_FAULTS: Final = frozenset(  # of what is not written in Python: nobody sends them
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL}
)
_PEERS: Final = {
    "prefect": "schedulerd has the names of Prefect: write `from schedulerd import …` (docs/reference/names.md)",
    "airflow": "a DAG is a flow here: `from schedulerd import flow, task` (docs/howto/write-a-flow.md)",
}


def look(file: str, *, roots: Sequence[Path], code: Path) -> dict[str, Any]:
    """Load a flow file and say what it defines, or why it cannot be loaded; its code is kept under `code`."""
    try:
        content = Path(file).read_bytes()
        if len(content) > LARGEST:
            raise ValueError(f"the file has {len(content):,} bytes; a flow file has at most {LARGEST:,}")
        source = Source(module="", path=file, content=content)
        find_neighbours(file)
        with loading(file) as found:
            module = execute_file(source)
        flows = [describe(flow, entrypoint=name) for name, flow in found.named(vars(module))]
        loaded = [source, *loaded_neighbours(roots)]
        version = keep([*loaded, *late_neighbours(loaded, Path(file).parent)], code=code)
    except BaseException as error:  # border: around somebody's module; SystemExit at its top level too
        failure = describe_failure(error)
        return {"error": failure_as_json(replace(failure, message=_words(error, failure.message)))}
    return {"version": version, "source": content.decode("utf-8", "replace"), "flows": flows}


def _words(error: BaseException, message: str) -> str:
    """What stands in a list of broken files: more than the exception says, where that is too little."""
    if isinstance(error, SystemExit):
        return f"loading the file called sys.exit({message})"
    if isinstance(error, ModuleNotFoundError) and error.name in _PEERS:
        return f"{message}; {_PEERS[error.name]}"
    return message or type(error).__name__


def describe_kill(number: int) -> str:
    """What is said of a file that left no answer because this signal ended its process, and what to look for in it."""
    message = f"loading the file killed its process with {signal_name(number)}"
    if number in _FAULTS:
        return message
    memory = ", or takes more memory than there is" if number == signal.SIGKILL else ""
    return f"{message}: while it is imported it sends signals (os.kill, os.killpg){memory}"


def failure_from_json(fields: Mapping[str, Any]) -> Failure:
    """The failure of a JSON object, whatever is missing in it."""
    return Failure(
        type=str(fields.get("type", "")),
        message=str(fields.get("message", "")),
        file=fields.get("file"),
        line=fields.get("line"),
        task=fields.get("task"),
        traceback=str(fields.get("traceback", "")),
    )


def understand(
    file: str, answer: Answer, *, timezone: str, pools: Collection[str] | None = None
) -> FileDefinition | Failure:
    """The definition that an answer holds, or the failure.

    `timezone` is for schedules that name none; `pools` are those that there are, None where that is not known.
    """
    if "error" in answer:
        return failure_from_json(answer["error"])
    try:
        flows = tuple(_flow(file, flow, timezone) for flow in answer["flows"])
    except _BadFlowError as error:
        return Failure(type=error.type, message=error.message, file=file, line=error.line)
    for flow, said in zip(flows, answer["flows"], strict=True):
        for name in (flow.pool, *(schedule.pool for schedule in flow.schedules)):
            if pools is not None and name is not None and (fault := unknown_pool(name, pools)):
                message = f"flow {flow.name!r}: {fault}; {mend_of(name)}"
                return Failure(type="BadDefinition", message=message, file=file, line=said.get("line"))
    twice = {flow.name for flow in flows if sum(other.name == flow.name for other in flows) > 1}
    if twice:
        return Failure(
            type="DuplicateFlow", message=f"two flows of this file are called {min(twice)!r}", file=file
        )
    return FileDefinition(
        file=file, version=str(answer["version"]), source=str(answer["source"]), flows=flows
    )


def _flow(file: str, flow: Mapping[str, Any], timezone: str) -> FlowDefinition:
    name = str(flow["name"])
    surroundings, environment = _surroundings(flow)
    return FlowDefinition(
        name=name,
        kind=FlowKind.PYTHON,
        file=file,
        entrypoint=str(flow["entrypoint"]),
        description=str(flow["description"] or ""),
        tags=tuple(flow["tags"]),
        parameters=flow["parameters"],
        tasks=tuple(flow["tasks"]),
        edges=tuple((above, below) for above, below in flow["edges"]),
        timeout_seconds=flow["timeout_seconds"],
        pool=flow["pool"],
        priority=flow["priority"],
        max_running=flow["max_running"],
        retrying=read_retries(flow.get("retrying", {})),
        hooks=read_hooks(" ".join(flow.get("hooks", ()))),
        surroundings=surroundings,
        environment=environment,
        schedules=tuple(
            _schedule(file, flow, number, schedule, timezone)
            for number, schedule in enumerate(flow["schedules"])
        ),
    )


def _surroundings(flow: Mapping[str, Any]) -> tuple[Surroundings, Mapping[str, str]]:
    said = flow.get("surroundings", {})
    entry = Entry({key: value_of(key, value) for key, value in said.items()})
    try:
        surroundings, environment = read_surroundings(entry), read_environment(entry)
        check_surroundings(surroundings, environment, uid=os.geteuid())
    except BadEntry as error:
        message = f"flow {flow['name']!r}: {error.reason}"
        raise _BadFlowError("BadSurroundings", message, flow.get("line")) from error
    return surroundings, environment


def _schedule(
    file: str, flow: Mapping[str, Any], number: int, said: Mapping[str, Any], timezone: str
) -> ScheduleDefinition:
    name = said.get("name") or f"{flow['name']}#{number}"
    origin = f"{file}:{flow['line']}" if flow.get("line") else file
    try:
        return definition_of(said, name=name, flow=flow["name"], timezone=timezone, origin=origin)
    except BadEntry as error:
        message = f"schedule {name!r}: {error.reason}" + (f"; {error.mend}" if error.mend else "")
        raise _BadFlowError("BadSchedule", message, flow.get("line")) from error


class _BadFlowError(Exception):
    """What a flow says that cannot be, and the line of the flow."""

    def __init__(self, kind: str, message: str, line: int | None) -> None:
        super().__init__(message)
        self.type = kind
        self.message = message
        self.line = line


def read_answer(path: Path) -> Answer | None:
    """The answer that an inspection left, None when it left none."""
    try:
        answer: Answer = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return answer
