"""The daemon's status as programs see it."""

from schedulerd.domain.agents import AgentBeat
from schedulerd.operations.daemon import DaemonStatus
from schedulerd.operations.shapes import Shape, file_error_shape, time_text


def status_shape(status: DaemonStatus) -> Shape:
    """How the daemon stands."""
    return {
        "running": status.pid is not None,
        "pid": status.pid,
        "state_dir": status.state_dir,
        "database": status.database,
        "runs": {"running": status.running, "waiting": status.waiting},
        "flows": status.flows,
        "schedules": status.schedules,
        "next_due": time_text(status.next_due),
        "problems": [file_error_shape(problem) for problem in status.problems],
        "agents": [agent_shape(agent) for agent in status.agents],
    }


def agent_shape(agent: AgentBeat) -> Shape:
    """A sign of life of an agent."""
    return {
        "name": agent.name,
        "host": agent.host,
        "pid": agent.pid,
        "version": agent.version,
        "started_at": time_text(agent.started_at),
        "beat_at": time_text(agent.beat_at),
        "status": dict(agent.status),
    }
