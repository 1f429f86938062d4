"""The one gate of the web application: every request is let through by it or by nothing. It runs after routing.

What is open is open by its very route: neither the end, nor the beginning, nor the case of letters of a path opens anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schedulerd.domain.access import Means, Principal
from schedulerd.domain.api_tokens import PREFIX
from schedulerd.errors import Unreachable
from schedulerd.sentences import said
from schedulerd.web.access import Access
from schedulerd.web.blocking import TooBusyError
from schedulerd.web.cookies import cookie_of
from schedulerd.web.lasting import END
from schedulerd.web.needs import SAFE, Needs, needs_of
from schedulerd.web.problems import API, Problem, problem, shown
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import admit
from schedulerd.web.segments import path_of

OPEN: Final = frozenset(
    {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/login"),
        ("POST", "/login"),
        ("GET", "/enter/{code}"),
        ("POST", "/enter/{code}"),
        ("POST", "/api/v1/session"),
        ("POST", "/api/v1/hooks/{hook}"),  # it has a secret of its own
        ("POST", "/appearance"),
        ("GET", "/static/{version}/{name}"),
    }
)
"""The routes that need nothing, by method and path. There are no others."""

_IN_URLS: Final = frozenset(
    {"token", "access_token", "api_key", "apikey", "authorization", "bearer", "password"}
)
_AGAIN_SECONDS: Final = 5
_DOCS: Final = "/api/docs"  # a page for people, though of the API


LOOK_AGAIN_SECONDS: Final = 15.0
"""Whoever gets an answer for longer than that is recognised again, so that a session in use is not idle."""


class _NoLonger(Exception):
    """Whoever gets an answer is let in no more."""


class Found(NamedTuple):
    """The route of a request; one with another method where the path is all that fits."""

    route: RouteContext
    fits: bool


class Gatekeeper:
    """Lets through who may, as `request.state.principal`. Plain ASGI, so that streams pass.

    `routes` gives those of the application once it is put together; without `access` only what is open is let through.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Callable[[], Sequence[BaseRoute]],
        pages: Pages,
        access: Access | None,
        monotonic: Callable[[], float],
    ) -> None:
        self._app: Final = app
        self._routes: Final = routes
        self._pages: Final = pages
        self._access: Final = access
        self._monotonic: Final = monotonic
        self._known: list[RouteContext] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # there are none
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        found = self._find(request)
        admit(scope, None if found is None else found.route.endpoint)
        if found is not None and is_open(request.method, found):
            await self._app(scope, receive, send)
        elif _shows_secret(request):  # told without a page, which would repeat the URL
            answer = problem(request, 400, said("a secret does not belong into a URL: it is kept there"))
            await answer(scope, receive, send)
        elif refusal := await self._refusal(request, found):
            told = shown(self._pages, request, refusal) if isinstance(refusal, Problem) else refusal
            await told(scope, receive, send)
        else:
            await self._go_on(request, found, receive, send)

    def _find(self, request: Request) -> Found | None:
        """The route that the router will take."""
        self._known = self._known or list(iter_route_contexts(self._routes()))
        partly = None
        for route in self._known:
            if not route.path_regex.match(request.scope["path"]):
                continue
            if route.methods is None or request.method in route.methods:
                return Found(route, fits=True)
            partly = partly or Found(route, fits=False)
        return partly

    async def _refusal(self, request: Request, found: Found | None) -> Response | None:
        """Why this is not let through; None when it is, and it is known who asks."""
        try:
            principal = await self._who(request)
        except (Unreachable, TooBusyError):
            answer = problem(request, 503, said("the database does not answer now"))
            answer.headers["Retry-After"] = str(_AGAIN_SECONDS)
            return answer
        if principal is None:
            return _to_the_door(request)
        principal = replace(principal, address="" if request.client is None else request.client.host)
        request.state.principal, request.state.session = principal, principal.key
        if (
            principal.means is not Means.TOKEN
            and request.method not in SAFE
            and not _says_where_from(request)
        ):
            return problem(
                request,
                403,
                said(
                    "a browser says from which site a request comes: neither Origin nor Sec-Fetch-Site is there"
                ),
            )
        if missing := _needed(request, found).missing(principal):
            return problem(request, 403, missing)
        return None

    async def _who(self, request: Request) -> Principal | None:
        """Who asks; who shows a token is not looked at for a cookie."""
        if self._access is None:
            return None
        recogniser = self._access.recogniser
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":  # another kind may be for a proxy in front of us
            return await recogniser.by_token(token.strip())
        cookie = cookie_of(request)
        return await recogniser.by_cookie(cookie) if cookie else None

    async def _go_on(self, request: Request, found: Found | None, receive: Receive, send: Send) -> None:
        looked_at = self._monotonic()

        async def send_on(message: Message) -> None:
            nonlocal looked_at
            if (
                message["type"] != "http.response.start"
                and self._monotonic() - looked_at >= LOOK_AGAIN_SECONDS
            ):
                looked_at = self._monotonic()
                await self._require_still(request)
            await send(message)

        try:
            await self._give(request, found, receive, send_on)
        except _NoLonger:
            await send(END)

    async def _give(self, request: Request, found: Found | None, receive: Receive, send: Send) -> None:
        """Have the application answer, for as long as whoever asks is let in."""
        assert self._access is not None  # nobody is let in without
        answer = partial(self._app, request.scope, receive)
        needs = _needed(request, found)
        await self._access.lasting.give(answer, to=send, who=request.state.principal, needs=needs)

    async def _require_still(self, request: Request) -> None:
        """Raise `_NoLonger` when whoever gets a long answer would not be let in any more."""
        try:
            principal = await self._who(request)
        except (Unreachable, TooBusyError):
            return  # the next look will tell
        if principal is None:
            raise _NoLonger


def is_open(method: str, found: Found) -> bool:
    """Does the route need nothing?"""
    return found.fits and (method, found.route.path_format) in OPEN


def _needed(request: Request, found: Found | None) -> Needs:
    if found is None or not found.fits:
        return needs_of(None, "GET", "/runs")  # there is nothing: whoever may look is told so
    return needs_of(found.route.endpoint, request.method, found.route.path_format or "")


def _to_the_door(request: Request) -> Response:
    """A stranger: a program is told so, a person is shown where to sign in."""
    here = path_of(request) + (f"?{request.url.query}" if request.url.query else "")
    is_page = (
        (not request.url.path.startswith(API) or request.url.path == _DOCS)
        and "text/event-stream" not in request.headers.get("accept", "")
        and "authorization" not in request.headers  # whoever shows a token is a program
    )
    to = "/login" if request.method not in SAFE or here == "/" else f"/login?next={quote(here, safe='/')}"
    if is_page and "hx-request" not in request.headers:
        return RedirectResponse(to, 303)
    headers = {"WWW-Authenticate": "Bearer"}
    if is_page:  # a part of a page that is fetched again: the page as a whole goes there
        return Response(status_code=401, headers=headers | {"HX-Redirect": "/login"})
    answer = problem(request, 401, said("sign in, or show a token: `Authorization: Bearer sdt_…`"))
    answer.headers.update(headers)
    return answer


def _shows_secret(request: Request) -> bool:
    """Is there something in the query of the URL that lets somebody in?"""
    given = request.query_params.multi_items()
    return any(name.lower() in _IN_URLS or value.startswith(f"{PREFIX}_") for name, value in given)


def _says_where_from(request: Request) -> bool:
    return "sec-fetch-site" in request.headers or "origin" in request.headers
