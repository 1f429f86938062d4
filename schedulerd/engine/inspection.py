"""Inspecting a flow file: what it defines, found in a process of its own, since its code may do anything.

`look` runs in that process and leaves an answer; `understand` turns an answer into values, in the daemon.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from schedulerd.authoring.describing import describe
from schedulerd.authoring.failures import describe_failure
from schedulerd.authoring.loading import loading
from schedulerd.domain.due import check_when
from schedulerd.domain.durations import parse_duration
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition, FlowDefinition, FlowKind
from schedulerd.domain.schedules import Cron, Interval, ScheduleDefinition, When
from schedulerd.engine.code import Source, execute_file, find_neighbours, keep, loaded_neighbours
from schedulerd.engine.recorder import failure_as_json
from schedulerd.errors import BadExpression

Answer = Mapping[str, Any]
LARGEST = 1 << 20  # bytes of a flow file


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
        version = keep([source, *loaded_neighbours(roots)], code=code)
    except BaseException as error:  # border: around somebody's module; SystemExit at its top level too
        return {"error": failure_as_json(describe_failure(error))}
    return {"version": version, "source": content.decode("utf-8", "replace"), "flows": flows}


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


def understand(file: str, answer: Answer, *, timezone: str) -> FileDefinition | Failure:
    """The definition that an answer holds, or the failure; `timezone` is for schedules that name none."""
    if "error" in answer:
        return failure_from_json(answer["error"])
    try:
        flows = tuple(_flow(file, flow, timezone) for flow in answer["flows"])
    except BadExpression as error:
        return Failure(type="BadSchedule", message=f"{error.reason}: {error.expression!r}", file=file)
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
        schedules=tuple(
            _schedule(file, name, number, schedule, timezone)
            for number, schedule in enumerate(flow["schedules"])
        ),
    )


def _schedule(
    file: str, flow: str, number: int, schedule: Mapping[str, Any], timezone: str
) -> ScheduleDefinition:
    name = schedule.get("name") or f"{flow}#{number}"
    when = _when(schedule, schedule.get("timezone") or timezone)
    check_when(when, name=name)
    return ScheduleDefinition(
        name=name, when=when, flow=flow, parameters=schedule.get("parameters") or {}, origin=file
    )


def _when(schedule: Mapping[str, Any], timezone: str) -> When:
    if schedule["kind"] == "cron":
        return Cron(expression=schedule["cron"], timezone=timezone)
    every = schedule["every"]
    anchor = schedule.get("anchor")
    return Interval(
        every=parse_duration(every) if isinstance(every, str) else timedelta(seconds=every),
        timezone=timezone,
        anchor=None if anchor is None else datetime.fromisoformat(anchor),
    )


def read_answer(path: Path) -> Answer | None:
    """The answer that an inspection left, None when it left none."""
    try:
        answer: Answer = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return answer
