"""`/api/v1/agents` and `/api/v1/system`: who runs runs, and how the server does."""

from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRouter

from schedulerd.clock import Clock
from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.near import near
from schedulerd.errors import NotFound, Unreachable
from schedulerd.operations.daemon import Daemon, DaemonStatus
from schedulerd.operations.status_shapes import agent_shape, status_shape
from schedulerd.version import __version__
from schedulerd.web.api.answers import AgentAnswer, Items, SystemAnswer
from schedulerd.web.api.etags import IfNoneMatch, tagged
from schedulerd.web.api.routing import Name, api_router
from schedulerd.web.code_sight import sees_code


def agent_routes(daemon: Daemon, clock: Clock) -> APIRouter:
    """The routes of agents."""
    router = api_router("/agents", "system")

    @router.get("", operation_id="list_agents", response_model=Items[AgentAnswer])
    def agents() -> dict[str, Any]:
        """The agents by name, those that are gone too."""
        now = clock.now()
        return {"items": [agent_shape(one, now=now) for one in daemon.agents()]}

    @router.get("/{agent}", operation_id="get_agent", response_model=AgentAnswer)
    def agent(request: Request, agent: Name, if_none_match: IfNoneMatch = None) -> Response:
        """An agent."""
        return tagged(request, agent_shape(_named(agent, daemon.agents()), now=clock.now()))

    return router


def system_routes(daemon: Daemon, clock: Clock) -> APIRouter:
    """The route of the whole."""
    router = api_router("/system", "system")

    @router.get("", operation_id="get_system", response_model=SystemAnswer)
    def system(request: Request) -> dict[str, Any]:
        """How the server does: what `schedulerd status` says. What is wrong in a file is told to who may see the file."""
        shape = status_shape(_status(daemon), now=clock.now())
        if not sees_code(request):
            shape["problems"] = [{**one, "type": "", "message": ""} for one in shape["problems"] or ()]
        return {**shape, "version": __version__}

    return router


def _status(daemon: Daemon) -> DaemonStatus:
    """How it does; without the database what can be known without it."""
    try:
        return daemon.status()
    except Unreachable:
        return daemon.status_without_database()


def _named(name: str, agents: tuple[AgentBeat, ...]) -> AgentBeat:
    found = next((one for one in agents if one.name == name), None)
    if found is None:
        raise NotFound("agent", name, near=near(name, [one.name for one in agents]))
    return found
