"""The daemon's status as programs see it."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from schedulerd.domain.agents import Agent, Drain
from schedulerd.domain.health import Trouble
from schedulerd.operations.daemon import DaemonStatus, Recorded
from schedulerd.operations.shapes import Shape, file_error_shape, time_text
from schedulerd.version import __version__

if TYPE_CHECKING:
    from schedulerd.operations.agents import AgentRuns, GoingRun


def status_shape(status: DaemonStatus, *, now: datetime) -> Shape:
    """How the daemon stands; what only the database knows is null while it cannot be asked."""
    return {
        "running": status.pid is not None,
        "ready": status.is_ready,
        "pid": status.pid,
        "troubles": [_trouble_shape(trouble) for trouble in status.health.troubles],
        "silent_seconds": round(status.silent_seconds, 1),
        "state_dir": status.state_dir,
        "database": status.database,
        **(_UNKNOWN if status.recorded is None else _recorded_shape(status.recorded, now=now)),
    }


def _trouble_shape(trouble: Trouble) -> Shape:
    return trouble.as_json() | {"since": time_text(trouble.since)}


_UNKNOWN: Final[Shape] = dict.fromkeys(("runs", "flows", "schedules", "next_due", "problems", "agents"))


def _recorded_shape(recorded: Recorded, *, now: datetime) -> Shape:
    return {
        "runs": {"running": recorded.running, "waiting": recorded.waiting},
        "flows": recorded.flows,
        "schedules": recorded.schedules,
        "next_due": time_text(recorded.next_due),
        "problems": [file_error_shape(problem) for problem in recorded.problems],
        "agents": [agent_shape(agent, now=now) for agent in recorded.agents],
    }


def agent_shape(agent: Agent, *, now: datetime) -> Shape:
    """An agent, by its last sign of life."""
    return {
        "name": agent.name,
        "host": agent.host,
        "pid": agent.pid,
        "version": agent.version,
        "started_at": time_text(agent.started_at),
        "beat_at": time_text(agent.beat_at),
        "online": agent.is_online(now=now),
        "state": agent.state(now=now, version=__version__).value,
        "drain": _drain_shape(agent.drain),
        "status": dict(agent.status),
    }


def agent_runs_shape(found: "AgentRuns", *, now: datetime) -> Shape:
    """An agent with the runs that hold its places."""
    return agent_shape(found.agent, now=now) | {"runs": [_going_shape(one) for one in found.runs]}


def _drain_shape(drain: Drain | None) -> Shape | None:
    return None if drain is None else {"at": time_text(drain.at), "by": drain.by, "reason": drain.reason}


def _going_shape(going: "GoingRun") -> Shape:
    return {
        "id": str(going.run.id),
        "name": going.run.selector,
        "state": going.run.state.value,
        "started_at": time_text(going.run.started_at),
        "usual_end": time_text(going.ends_at),
    }
