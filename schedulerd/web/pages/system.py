"""`/system`: how the server does."""

from fastapi import APIRouter, Request, Response

from schedulerd.errors import Unreachable
from schedulerd.operations.operations import Operations
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import page_router


def system_pages(operations: Operations, pages: Pages) -> APIRouter:
    """The route."""
    router = page_router()

    @router.get("/system")
    def system(request: Request) -> Response:
        try:
            status, why = operations.daemon.status(), ""
        except Unreachable as error:
            status, why = operations.daemon.status_without_database(), error.message
        return pages.render(request, "system.html", told=status, why=why)

    return router
