"""What a form of a page carries beside its fields: a key of its own, so that two clicks are one deed."""

import secrets
from collections.abc import Mapping
from typing import Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from schedulerd.domain.access import Principal
from schedulerd.web.toasts import COOKIE, told

_SECONDS: Final = 30


def new_key() -> str:
    """For a form that is shown."""
    return f"form-{secrets.token_hex(12)}"


def texts(form: FormData, prefix: str) -> Mapping[str, str]:
    """The texts whose names begin so, by the rest of their names."""
    return {
        name.removeprefix(prefix): value
        for name, value in form.items()
        if name.startswith(prefix) and isinstance(value, str)
    }


def text(form: FormData, name: str) -> str:
    """One text; empty where there is none."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def actor_of(request: Request) -> str:
    """Who does it, as histories tell it."""
    principal: Principal | None = getattr(request.state, "principal", None)
    return "web" if principal is None else f"{principal.name} (web)"


def go_on(path: str, done: str, *about: str) -> Response:
    """To that page, which says what was done; and with what: a run, or a schedule and when or why it was paused."""
    answer = RedirectResponse(path, 303)
    answer.set_cookie(COOKIE, told(done, *about), max_age=_SECONDS, httponly=True, samesite="lax", path="/")
    return answer
