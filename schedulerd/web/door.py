"""The door of the web application: what never gets in, and what every answer carries. Plain ASGI, so that streams pass."""

import re
from collections.abc import Callable, Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schedulerd.web.answer_headers import complete
from schedulerd.web.problems import problem
from schedulerd.web.segments import with_whole_segments

_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_LONGEST_BODY: Final = 1 << 20
_API: Final = "/api/"
_JSON: Final = ("application/json", "application/merge-patch+json")
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_HOST: Final = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^][:@/\\?#\s]+)(?::[0-9]{1,5})?")


class Door:
    """Refuses a request for a host that is not in `hosts` (a browser was told a lie: DNS rebinding), one that another site
    had a browser send (such a site may lead here, and neither read nor listen nor change), and a body of another kind or
    size than is taken. Gives every answer its headers.

    `monotonic` seconds measure how long an answer took: `Server-Timing`.
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], monotonic: Callable[[], float]) -> None:
        self._app: Final = app
        self._hosts: Final = hosts
        self._monotonic: Final = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._monotonic()

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._see_off(MutableHeaders(scope=message), self._monotonic() - began)
            await send(message)

        scope = with_whole_segments(scope)
        refusal = self._refuse(Request(scope))
        await (refusal or self._app)(scope, receive, send_on)

    def _refuse(self, request: Request) -> Response | None:
        if _name_of(request.headers.getlist("host")) not in self._hosts:
            return PlainTextResponse("This server does not answer to that name.\n", 421)
        is_safe = request.method in _SAFE
        if is_foreign(request.headers) and not (is_safe and _is_followed(request.headers)):
            return problem(request, 403, "the request comes from another site")
        return None if is_safe else _refuse_body(request)

    def _see_off(self, headers: MutableHeaders, took: float) -> None:
        complete(headers)
        headers["Server-Timing"] = f"total;dur={took * 1_000:.1f}"


def _refuse_body(request: Request) -> Response | None:
    """The API takes JSON, pages take forms; both of a fair size that is said before."""
    if _is_empty(request.headers):
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_api = request.url.path.startswith(_API)
    if kind not in (_JSON if is_api else _FORMS):
        return problem(request, 415, f"send the body as {_JSON[0] if is_api else _FORMS[0]}")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        return problem(request, 415, "send the body as it is: nothing is unpacked here")
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > _LONGEST_BODY:
        return problem(request, 413, f"the body has at most {_LONGEST_BODY} bytes, and says how many")
    return None


def _is_empty(headers: Headers) -> bool:
    """Has it no body?"""
    return "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"


def is_foreign(headers: Headers) -> bool:
    """Was it another site's page that had the browser send this? Programs send neither of the headers.

    As `CrossOriginProtection` of Go 1.25: `Sec-Fetch-Site` where there is one, else `Origin` against `Host`.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def _is_followed(headers: Headers) -> bool:
    """Is it a link that somebody follows? What a page loads for itself (a stream, an image, a script) is none."""
    return (
        headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest", "document") == "document"
    )


def _name_of(hosts: list[str]) -> str:
    """The name in the one Host header, without its port; empty where there is none, or something else in it."""
    found = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
    return "" if found is None else found["name"].lower()
