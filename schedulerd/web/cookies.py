"""The cookie by which a browser shows its session: not for scripts, not for other sites, and one for each port.

Browsers send a cookie to every port of a host, so that two daemons on one machine would sign each other out.
"""

from typing import Final

from fastapi import Request, Response

from schedulerd.domain.sessions import LONGEST

_NAME: Final = "schedulerd"
_HTTPS: Final = "https"


def cookie_name(request: Request) -> str:
    """What it is called; browsers take the prefix to mean that nobody but this very host has set it."""
    is_https = request.url.scheme == _HTTPS
    port = request.url.port or (443 if is_https else 80)
    return f"{'__Host-' if is_https else ''}{_NAME}-{port}"


def cookie_of(request: Request) -> str:
    """The session that the browser shows; empty where it shows none."""
    return request.cookies.get(cookie_name(request), "")


def give_cookie(request: Request, response: Response, cookie: str) -> None:
    """Have the browser show it from now on."""
    response.set_cookie(
        cookie_name(request),
        cookie,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=request.url.scheme == _HTTPS,
        httponly=True,
        samesite="lax",  # with `strict` every link from a mail would show the login
    )


def take_cookie(request: Request, response: Response) -> None:
    """Have the browser show none any more."""
    is_https = request.url.scheme == _HTTPS
    response.delete_cookie(cookie_name(request), path="/", secure=is_https, httponly=True, samesite="lax")
