"""`/agents`: who starts runs, what they are at, and draining one."""

from typing import Final

from fastapi import APIRouter, Request, Response

from schedulerd.domain.run_filters import term_text
from schedulerd.operations.operations import Operations
from schedulerd.web.blocking import Blocking
from schedulerd.web.forms import go_on, text
from schedulerd.web.principals import principal_of
from schedulerd.web.rendering import Pages
from schedulerd.web.roles import must_be_operator
from schedulerd.web.routers import page_router
from schedulerd.web.segments import path_of

_LAST: Final = 50


def agent_pages(operations: Operations, pages: Pages) -> APIRouter:
    """The routes."""
    router = page_router()
    blocking = Blocking()

    @router.get("/agents")
    def agents(request: Request) -> Response:
        seen = _seen(operations)
        return pages.render(request, "agents.html", seen=seen, found=operations.agents.list())

    @router.get("/agents/{agent}")
    def agent(request: Request, agent: str) -> Response:
        return _agent(request, operations, pages, agent)

    @router.get("/agents/{agent}/drain")
    def ask(request: Request, agent: str) -> Response:
        must_be_operator(request)
        return pages.render(request, "agent_drain.html", found=operations.agents.get(agent))

    @router.post("/agents/{agent}/drain")
    async def drain(request: Request, agent: str) -> Response:
        reason = text(await request.form(), "reason")
        await blocking.run(lambda: operations.agents.drain(agent, reason=reason, by=principal_of(request)))
        return go_on(path_of(request).removesuffix("/drain"), "drained")

    @router.post("/agents/{agent}/resume")
    def resume(request: Request, agent: str) -> Response:
        operations.agents.resume(agent, by=principal_of(request))
        return go_on(path_of(request).removesuffix("/resume"), "taken-back")

    @router.post("/agents/{agent}/forget")
    def forget(request: Request, agent: str) -> Response:
        operations.agents.forget(agent, by=principal_of(request))
        return go_on("/agents", "forgotten")

    return router


def _agent(request: Request, operations: Operations, pages: Pages, name: str) -> Response:
    seen = _seen(operations)
    found = operations.agents.get(name)
    history = operations.history
    last = history.page(history.query(term_text("agent", name), zone=None), limit=_LAST)
    return pages.render(request, "agent.html", seen=seen, found=found, runs=last.runs)


def _seen(operations: Operations) -> str:
    return operations.snapshots.take().fingerprint(every=True, agents=True)
