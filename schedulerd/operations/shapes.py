"""Values as programs see them: what `-o json` and the API answer. Times are RFC 3339 in UTC, durations milliseconds."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from schedulerd.domain.child_runs import AnyRun, ChildRun
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileError, Flow
from schedulerd.domain.graph import predecessors
from schedulerd.domain.logs import NumberedLine, level_name
from schedulerd.domain.runs import Move, Run, Trigger
from schedulerd.domain.states import RunState
from schedulerd.domain.surroundings import Surroundings
from schedulerd.domain.tasks import TaskAttempt, TaskRun

if TYPE_CHECKING:
    from schedulerd.domain.run_graphs import RunGraph
    from schedulerd.operations.flows import FlowVersion
    from schedulerd.operations.runs import RunDetails
    from schedulerd.store.strips import Mark

Shape = dict[str, Any]

LATE_AFTER: Final = timedelta(seconds=15)
_MILLISECOND: Final = timedelta(milliseconds=1)


def time_text(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds: `2026-11-22T06:00:00.000Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(duration: timedelta | None) -> int | None:
    """Whole milliseconds."""
    return None if duration is None else duration // _MILLISECOND


def is_late(run: Run, *, now: datetime) -> bool:
    """Should the run have started a while ago? One that waits for another of its schedule should not."""
    return run.state is RunState.SCHEDULED and not run.queued and now - run.due_at > LATE_AFTER


def run_shape(run: AnyRun, *, now: datetime) -> Shape:
    """A run, or a child run, as in a list."""
    return _child_run_shape(run, now=now) if isinstance(run, ChildRun) else _run_shape(run, now=now)


def _child_run_shape(run: ChildRun, *, now: datetime) -> Shape:
    """What a child run has not is that of its root, in whose process it is; it holds no place, and waits for nothing."""
    began = time_text(run.started_at)
    return _run_shape(run.root, now=now) | {
        "id": str(run.id),
        "flow": run.flow,
        "number": run.number,
        "name": run.selector,
        "flow_run_name": run.name,
        "state": run.state.value,
        "reason": run.reason,
        "late": False,
        "trigger": Trigger.FLOW.value,
        "schedule": None,
        **dict.fromkeys(("due_at", "created_at", "pending_at", "started_at"), began),
        "ended_at": time_text(run.ended_at),
        "duration_ms": milliseconds(run.duration(now=now)),
        "attempt": run.attempt,
        "parameters": dict(run.parameters),
        "tags": list(run.tags),
        "pool": None,
        "priority": 0,
        "pid": run.root.pid if run.state is RunState.RUNNING else None,  # it may be of an earlier attempt
        "parent": str(run.parent),
        "root": str(run.root.id),
        "task": run.task,
        "error": error_shape(run.failure),
        "cpu_ms": None,
        "max_rss_bytes": None,
    }


def _run_shape(run: Run, *, now: datetime) -> Shape:
    return {
        "id": str(run.id),
        "flow": run.flow,
        "number": run.number,
        "name": run.selector,
        "flow_run_name": None,
        "state": run.state.value,
        "reason": run.reason,
        "late": is_late(run, now=now),
        "trigger": run.trigger.value,
        "schedule": run.schedule,
        "due_at": time_text(run.due_at),
        "created_at": time_text(run.created_at),
        "pending_at": time_text(run.pending_at),
        "started_at": time_text(run.started_at),
        "ended_at": time_text(run.ended_at),
        "duration_ms": milliseconds(run.duration(now=now)),
        "attempt": run.attempt,
        "parameters": dict(run.parameters),
        "tags": [],
        "pool": run.pool,
        "priority": run.priority,
        "agent": run.agent,
        "pid": run.pid,
        "version": run.version_hash,
        "parent": None if run.parent is None else str(run.parent),
        "root": None,
        "task": None,
        "error": error_shape(run.failure),
        "cpu_ms": run.cpu_ms,
        "max_rss_bytes": run.max_rss_bytes,
    }


def run_details_shape(details: "RunDetails", *, now: datetime) -> Shape:
    """A run with what it returned, its tasks, moves and child runs."""
    return run_shape(details.run, now=now) | {
        "result_preview": details.run.result_preview,
        "tasks": [task_shape(task, now=now) for task in details.tasks],
        "moves": [move_shape(move) for move in details.moves],
        "children": [
            run_shape(one, now=now) | {"result_preview": one.result_preview} for one in details.children
        ],
    }


def task_shape(task: TaskRun, *, now: datetime) -> Shape:
    """A task run."""
    ran = None if task.started_at is None else max((task.ended_at or now) - task.started_at, timedelta())
    return {
        "id": task.number,
        "name": task.name,
        "map_index": task.map_index,
        "state": task.state.value,
        "attempt": task.attempt,
        "started_at": time_text(task.started_at),
        "ended_at": time_text(task.ended_at),
        "duration_ms": milliseconds(ran),
        "attempts": [_attempt_shape(one, now=now) for one in task.attempts],
        "upstream": list(task.upstream),
        "result_preview": task.result_preview,
        "error": error_shape(task.failure),
    }


def _attempt_shape(attempt: TaskAttempt, *, now: datetime) -> Shape:
    began = attempt.started_at
    ran = None if began is None else max((attempt.ended_at or now) - began, timedelta())
    return {
        "attempt": attempt.attempt,
        "started_at": time_text(began),
        "ended_at": time_text(attempt.ended_at),
        "duration_ms": milliseconds(ran),
    }


def run_graph_shape(graph: "RunGraph") -> Shape:
    """The nodes of a run's graph, each with those before it."""
    before = predecessors(len(graph.nodes), graph.edges)
    return {
        "nodes": [
            {
                "key": node.key,
                "name": node.name,
                "task": node.task,
                "group": node.is_group,
                "state": None if node.state is None else node.state.value,
                "counts": {state.value: count for state, count in node.counts.items()},
                "after": [graph.nodes[one].key for one in before[place]],
            }
            for place, node in enumerate(graph.nodes)
        ],
        "left_out": graph.left_out,
        "edges_left_out": graph.edges_left_out,
    }


def move_shape(move: Move) -> Shape:
    """A change of state."""
    return {
        "at": time_text(move.at),
        "from": move.was.value,
        "to": move.to.value,
        "actor": move.actor,
        "message": move.message,
    }


def line_shape(numbered: NumberedLine) -> Shape:
    """A log line."""
    line = numbered.line
    return {
        "at": time_text(line.at),
        "level": level_name(line.level),
        "logger": line.logger,
        "task": numbered.task_name,
        "child": numbered.child_name,
        "message": line.message,
        "stream": line.stream.value,
        "n": numbered.number,
    }


def error_shape(failure: Failure | None) -> Shape | None:
    """Why something did not complete."""
    if failure is None:
        return None
    return {name: getattr(failure, name) for name in ("type", "message", "file", "line", "task", "traceback")}


def flow_shape(flow: Flow, schedules: Iterable[str]) -> Shape:
    """A flow and the names of its schedules."""
    definition = flow.definition
    return {
        "name": definition.name,
        "kind": definition.kind.value,
        "file": definition.file,
        "entrypoint": definition.entrypoint,
        "version": flow.version_hash,
        "description": definition.description,
        "tags": list(definition.tags),
        "parameters": dict(definition.parameters),
        "tasks": list(definition.tasks),
        "edges": [list(edge) for edge in definition.edges],
        "schedules": list(schedules),
        "timeout_ms": milliseconds(_time_limit(definition.timeout_seconds)),
        "surroundings": surroundings_shape(definition.surroundings, definition.environment),
        "last_run": _last_run_shape(flow),
        "removed": flow.removed,
        "error": error_shape(flow.error),
    }


def version_shape(version: "FlowVersion") -> Shape:
    """A version of a flow's code."""
    return {
        "version": version.hash,
        "in_force": version.in_force,
        "runs": version.runs,
        "last_run_at": time_text(version.last_run_at),
    }


def graph_shape(flow: Flow) -> Shape:
    """The tasks of a flow that are known before a run, each with those that it needs."""
    definition = flow.definition
    return {
        "flow": definition.name,
        "version": flow.version_hash,
        "tasks": [
            {"number": number, "name": name, "upstream": [a for a, b in definition.edges if b == number]}
            for number, name in enumerate(definition.tasks)
        ],
    }


def strip_shape(flow: str, marks: "Sequence[Mark]", *, now: datetime) -> Shape:
    """The last runs of a flow, the newest last, and how many there are of each state; one that was missed counts as that."""
    return {
        "flow": flow,
        "counts": dict(Counter(mark.shown for mark in marks)),
        "items": [
            {
                "id": str(mark.id),
                "number": mark.number,
                "state": mark.state.value,
                "reason": mark.reason,
                "started_at": time_text(mark.started_at),
                "ended_at": time_text(mark.ended_at),
                "duration_ms": milliseconds(mark.duration(now=now)),
            }
            for mark in marks
        ],
    }


def surroundings_shape(surroundings: Surroundings, environment: Iterable[str]) -> Shape:
    """What is said of the surroundings of runs. Of variables only the names: a value may be a secret after all."""
    cpu, umask = surroundings.cpu_seconds, surroundings.umask
    return {
        "user": surroundings.user,
        "environment": sorted(environment),
        "env_file": surroundings.env_file,
        "directory": surroundings.directory,
        "umask": None if umask is None else f"{umask:03o}",
        "leave_children": surroundings.leave_children,
        "nice": surroundings.nice,
        "memory_bytes": surroundings.memory_bytes,
        "cpu_time_ms": None if cpu is None else cpu * 1_000,
        "open_files": surroundings.open_files,
    }


def _time_limit(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _last_run_shape(flow: Flow) -> Shape | None:
    last = flow.last_run
    if last is None:
        return None
    return {"number": last.number, "state": last.state.value, "ended_at": time_text(last.ended_at)}


def file_error_shape(error: FileError) -> Shape:
    """A file that cannot be taken as it is; `version` is the one of it that stays in force."""
    return {
        "file": error.file,
        "line": error.error.line,
        "type": error.error.type,
        "message": error.error.message,
        "seen_at": time_text(error.seen_at),
        "version": error.version_hash,
    }
