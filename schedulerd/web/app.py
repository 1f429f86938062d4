"""The web application: for now the door, the sign of health and the preview; the API and the pages grow here."""

from collections.abc import Awaitable, Callable, Collection

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse

from schedulerd.clock import Clock
from schedulerd.operations.webhooks import Webhooks
from schedulerd.version import __version__
from schedulerd.web.hooks import hooks
from schedulerd.web.problems import problem, tell_problems
from schedulerd.web.schedules import schedules

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_WELCOME = f"""schedulerd {__version__} is running.

Ask it on the command line:

    schedulerd status
    schedulerd runs list
    schedulerd logs
"""


_SAFE = ("GET", "HEAD", "OPTIONS")
_LONGEST_BODY = 1 << 20


def make_app(*, hosts: Collection[str], clock: Clock, webhooks: Webhooks | None = None) -> FastAPI:
    """The application; without `webhooks` none can be called. A request for a host that is not in `hosts` is refused: a browser was told a lie (DNS rebinding)."""
    app = FastAPI(title="schedulerd", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)

    @app.middleware("http")
    async def door(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        if _host(request.headers.get("host", "")) not in hosts:
            return PlainTextResponse("This server does not answer to that name.\n", 421, headers=_HEADERS)
        response = _at_the_door(request) or await go_on(request)
        response.headers.update(_HEADERS)
        return response

    tell_problems(app)
    app.include_router(schedules(clock))
    if webhooks is not None:
        app.include_router(hooks(webhooks, clock))

    @app.get("/healthz")
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @app.get("/")
    async def welcome() -> PlainTextResponse:
        return PlainTextResponse(_WELCOME)

    return app


def _at_the_door(request: Request) -> Response | None:
    """Refuse what another site had a browser send, and what is not a JSON body of a fair size."""
    if request.method in _SAFE:
        return None
    if _is_foreign(request):
        return problem(request, 403, "the request comes from another site")
    if _is_empty(request):
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return problem(request, 415, "send the body as application/json")
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > _LONGEST_BODY:
        return problem(request, 413, f"the body has at most {_LONGEST_BODY} bytes, and says how many")
    return None


def _is_empty(request: Request) -> bool:
    """Has it no body?"""
    headers = request.headers
    return "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"


def _is_foreign(request: Request) -> bool:
    """Was it another site's page that had the browser send this? Programs send neither of the headers."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def _host(header: str) -> str:
    """The name in a Host header, without its port."""
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0].lower()
