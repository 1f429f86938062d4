"""`/api/v1/openapi.json`: the document that describes the API, for programs."""

from fastapi import Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRouter

from schedulerd.domain.access import Role
from schedulerd.web.api.routing import api_router
from schedulerd.web.needs import needs
from schedulerd.web.openapi import document_of


def reference_routes() -> APIRouter:
    """The route."""
    router = api_router("/openapi.json", "reference")

    @router.get("", operation_id="get_openapi")
    @needs(Role.VIEWER)
    def openapi(request: Request) -> JSONResponse:
        """This document: OpenAPI 3.1."""
        return JSONResponse(document_of(request.app))

    return router
