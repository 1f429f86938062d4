"""`/login`, `/enter/CODE`, `/logout`: how a person comes in and goes. They work without scripts."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from schedulerd.domain.access import Role
from schedulerd.errors import NotPermitted
from schedulerd.operations.sign_in import Opened
from schedulerd.sentences import said
from schedulerd.web.cookies import give_cookie, take_cookie
from schedulerd.web.local_paths import local_path
from schedulerd.web.needs import needs
from schedulerd.web.problems import problem, shown
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import page_router
from schedulerd.web.sign_in_desk import SignInDesk, TooManyTries

_LONGEST: Final = 2_000
_HOME: Final = "/"
_LATE: Final = "make another: `schedulerd open`"
_NOTHING: Final[dict[str, Any]] = {"name": "", "trouble": "", "wait": 0}
Typed = Annotated[str, Form(max_length=_LONGEST)]


def sign_in_pages(desk: SignInDesk, pages: Pages) -> APIRouter:
    """The routes."""
    router = page_router()

    @router.get("/login")
    def login_form(request: Request) -> Response:
        return pages.render(
            request, "login.html", next=local_path(request.query_params.get("next", _HOME)), **_NOTHING
        )

    @router.post("/login")
    async def login(
        request: Request,
        name: Typed = "",
        password: Typed = "",
        wanted: Annotated[str, Form(alias="next", max_length=_LONGEST)] = _HOME,
    ) -> Response:
        to = local_path(wanted)
        try:
            return _come_in(request, await desk.by_password(request, name, password), to)
        except NotPermitted as error:
            return pages.render(
                request, "login.html", status=401, next=to, name=name, trouble=error.message, wait=0
            )
        except TooManyTries as error:
            seconds = int(error.seconds) + 1
            headers = {"Retry-After": str(seconds)}
            return pages.render(
                request,
                "login.html",
                status=429,
                headers=headers,
                next=to,
                name=name,
                trouble="",
                wait=seconds,
            )

    @router.get("/enter/{code}")
    def enter_form(request: Request, code: str) -> Response:
        # It does not use the code, nor look at it: whoever previews a link, or fetches it ahead, would sign in.
        return pages.render(request, "enter.html", code=code)

    @router.post("/enter/{code}")
    async def enter(request: Request, code: str) -> Response:
        try:
            return _come_in(request, await desk.by_code(request, code), _HOME)
        except NotPermitted as error:
            return shown(pages, request, problem(request, 403, error.message, mend=_LATE))
        except TooManyTries as error:
            told = problem(request, 429, said("too many links came from there that were none"))
            told.headers["Retry-After"] = str(int(error.seconds) + 1)
            return shown(pages, request, told)

    @router.post("/logout")
    @needs(Role.VIEWER)
    async def logout(request: Request) -> Response:
        await desk.sign_out(request)
        answer = RedirectResponse("/login", 303)
        take_cookie(request, answer)
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer

    return router


def _come_in(request: Request, opened: Opened, to: str) -> Response:
    answer = RedirectResponse(to, 303)
    give_cookie(request, answer, opened.cookie)
    return answer
