"""The web application: for now the door and the sign of health; the API and the pages grow here."""

from collections.abc import Awaitable, Callable, Collection

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse

from schedulerd.version import __version__

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


def make_app(*, hosts: Collection[str]) -> FastAPI:
    """The application. A request for a host that is not in `hosts` is refused: a browser was told a lie (DNS rebinding)."""
    app = FastAPI(title="schedulerd", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)

    @app.middleware("http")
    async def door(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        if _host(request.headers.get("host", "")) not in hosts:
            return PlainTextResponse("This server does not answer to that name.\n", 421, headers=_HEADERS)
        response = await go_on(request)
        response.headers.update(_HEADERS)
        return response

    @app.get("/healthz")
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @app.get("/")
    async def welcome() -> PlainTextResponse:
        return PlainTextResponse(_WELCOME)

    return app


def _host(header: str) -> str:
    """The name in a Host header, without its port."""
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0].lower()
