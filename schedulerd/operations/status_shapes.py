"""The daemon's status as programs see it."""

from datetime import datetime
from typing import Final

from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.health import Trouble
from schedulerd.operations.daemon import DaemonStatus, Recorded
from schedulerd.operations.shapes import Shape, file_error_shape, time_text


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


def agent_shape(agent: AgentBeat, *, now: datetime) -> Shape:
    """A sign of life of an agent."""
    return {
        "name": agent.name,
        "host": agent.host,
        "pid": agent.pid,
        "version": agent.version,
        "started_at": time_text(agent.started_at),
        "beat_at": time_text(agent.beat_at),
        "online": agent.is_online(now=now),
        "status": dict(agent.status),
    }
