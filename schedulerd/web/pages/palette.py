"""`/palette`: what may be meant by a few typed words. With `part=choices` the list alone, which a script shows over any page."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from schedulerd.clock import Clock
from schedulerd.operations.operations import Operations
from schedulerd.web.palette_search import PaletteSearch
from schedulerd.web.rendering import Pages
from schedulerd.web.roles import must_be_viewer
from schedulerd.web.routers import page_router


def palette_pages(operations: Operations, pages: Pages, clock: Clock) -> APIRouter:
    """The route."""
    router = page_router()

    @router.get("/palette")
    def palette(
        request: Request,
        q: Annotated[str, Query(max_length=200)] = "",
        part: Literal["", "choices"] = "",
    ) -> Response:
        search = PaletteSearch(
            operations=operations,
            clock=clock,
            who=must_be_viewer(request),
            preferences=pages.preferences(request),
            translate=pages.translate(request),
        )
        template = "palette_choices.html" if part else "palette.html"
        return pages.render(request, template, q=q, meant=search.meant(q), part=part)

    return router
