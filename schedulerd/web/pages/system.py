"""`/system` and `/agents`: how the server does, and who runs runs."""

from fastapi import APIRouter, Request, Response

from schedulerd.clock import Clock
from schedulerd.errors import Unreachable
from schedulerd.operations.operations import Operations
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import page_router


def system_pages(operations: Operations, pages: Pages, clock: Clock) -> APIRouter:
    """The routes."""
    router = page_router()

    @router.get("/system")
    def system(request: Request) -> Response:
        try:
            status, why = operations.daemon.status(), ""
        except Unreachable as error:
            status, why = operations.daemon.status_without_database(), error.message
        return pages.render(request, "system.html", told=status, why=why)

    @router.get("/agents")
    def agents(request: Request) -> Response:
        recorded = operations.daemon.status().recorded
        now = clock.now()
        found = [(agent, agent.is_online(now=now)) for agent in (recorded.agents if recorded else ())]
        return pages.render(request, "agents.html", agents=found)

    return router
