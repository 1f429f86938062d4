"""`/api/v1/agents` and `/api/v1/system`: who runs runs, and how the server does."""

from typing import Annotated, Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRouter
from pydantic import ConfigDict, Field

from schedulerd.clock import Clock
from schedulerd.errors import Unreachable
from schedulerd.operations.daemon import Daemon, DaemonStatus
from schedulerd.operations.operations import Operations
from schedulerd.operations.status_shapes import agent_runs_shape, status_shape
from schedulerd.version import __version__
from schedulerd.web.api.answers import AgentRunsAnswer, Items, SystemAnswer
from schedulerd.web.api.bodies import Body
from schedulerd.web.api.etags import IfNoneMatch, tagged
from schedulerd.web.api.routing import Name, api_router
from schedulerd.web.code_sight import sees_code
from schedulerd.web.principals import principal_of

_LONGEST_REASON: Final = 2_000


class DrainBody(Body):
    """Why it is drained."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "a new kernel"}]})

    reason: Annotated[str, Field(max_length=_LONGEST_REASON)] = ""


_NO_REASON: Final = DrainBody()


def agent_routes(operations: Operations, clock: Clock) -> APIRouter:
    """The routes of agents."""
    router = api_router("/agents", "system")

    @router.get("", operation_id="list_agents", response_model=Items[AgentRunsAnswer])
    def agents() -> dict[str, Any]:
        """The agents by name with their runs, those that are gone too."""
        now = clock.now()
        return {"items": [agent_runs_shape(one, now=now) for one in operations.agents.list()]}

    @router.get("/{agent}", operation_id="get_agent", response_model=AgentRunsAnswer)
    def agent(request: Request, agent: Name, if_none_match: IfNoneMatch = None) -> Response:
        """An agent."""
        return tagged(request, agent_runs_shape(operations.agents.get(agent), now=clock.now()))

    @router.post("/{agent}/drain", operation_id="drain_agent", response_model=AgentRunsAnswer)
    def drain(request: Request, agent: Name, body: DrainBody = _NO_REASON) -> Response:
        """Have it start no more runs until it is resumed. What is due waits, and `runs` go on: it waits for those."""
        found = operations.agents.drain(agent, reason=body.reason, by=principal_of(request))
        return tagged(request, agent_runs_shape(found, now=clock.now()))

    @router.post("/{agent}/resume", operation_id="resume_agent", response_model=AgentRunsAnswer)
    def resume(request: Request, agent: Name) -> Response:
        """Have it start runs again."""
        found = operations.agents.resume(agent, by=principal_of(request))
        return tagged(request, agent_runs_shape(found, now=clock.now()))

    @router.delete("/{agent}", status_code=204, operation_id="forget_agent")
    def forget(request: Request, agent: Name) -> Response:
        """Forget an agent that is gone for good. One that lives, or whose runs were not settled, is kept (409)."""
        operations.agents.forget(agent, by=principal_of(request))
        return Response(status_code=204)

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
