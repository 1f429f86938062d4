"""`POST /appearance`: how the reader wants to see pages, kept in cookies, so that it works without scripts."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse

from schedulerd.domain.zones import zone
from schedulerd.web.local_paths import local_path
from schedulerd.web.routers import page_router

_YEAR_SECONDS: Final = 365 * 24 * 3_600
_OF_BROWSER: Final = "browser"
# An empty field counts as one that is not there: what stands for no choice has a word, which is no theme.
Theme = Literal["system", "light", "dark"]
Density = Literal["comfortable", "compact"]
Lang = Literal["en", "ko"]


def appearance() -> APIRouter:
    """The route."""
    router = page_router()

    @router.post("/appearance")
    def choose(
        theme: Annotated[Theme | None, Form()] = None,
        density: Annotated[Density | None, Form()] = None,
        lang: Annotated[Lang | None, Form()] = None,
        tz: Annotated[str | None, Form(max_length=64)] = None,
        back: Annotated[str, Form(alias="next", max_length=2_000)] = "/",
    ) -> RedirectResponse:
        answer = RedirectResponse(local_path(back), 303)
        for name, value in (("theme", theme), ("density", density), ("lang", lang)):
            if value is not None:
                answer.set_cookie(name, value, max_age=_YEAR_SECONDS, samesite="lax", path="/")
        if tz == _OF_BROWSER:
            answer.delete_cookie("tz", path="/")  # a script says it again
        elif tz:
            answer.set_cookie("tz", zone(tz).key, max_age=_YEAR_SECONDS, samesite="lax", path="/")
        return answer

    return router
