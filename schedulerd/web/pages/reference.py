"""`/api/docs` and `/problems`: the API and its problems as pages, of this server and without scripts."""

from fastapi import APIRouter, Request, Response

from schedulerd.domain.access import Role
from schedulerd.domain.near import near
from schedulerd.errors import NotFound
from schedulerd.web.api_reference import groups_of, models_of
from schedulerd.web.needs import needs
from schedulerd.web.openapi import document_of
from schedulerd.web.problem_types import PROBLEM_TYPES
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import page_router


def reference_pages(pages: Pages) -> APIRouter:
    """The routes."""
    router = page_router()

    @router.get("/api/docs")
    @needs(Role.VIEWER)
    def api(request: Request) -> Response:
        document = document_of(request.app)
        return pages.render(
            request,
            "api_docs.html",
            about=document["info"]["description"],
            api_groups=groups_of(document),
            models=models_of(document),
        )

    @router.get("/problems")
    @needs(Role.VIEWER)
    def problems(request: Request) -> Response:
        return pages.render(request, "problem_types.html", types=PROBLEM_TYPES.values())

    @router.get("/problems/{slug}")
    @needs(Role.VIEWER)
    def problem(request: Request, slug: str) -> Response:
        kind = PROBLEM_TYPES.get(slug)
        if kind is None:
            raise NotFound("kind of problem", slug, near=near(slug, PROBLEM_TYPES))
        return pages.render(request, "problem_type.html", kind=kind)

    return router
