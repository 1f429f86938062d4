"""How routes of the API are made: each below `/api/v1`, and none takes a parameter that it does not know."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel

from schedulerd.domain.access import Principal
from schedulerd.domain.near import near
from schedulerd.domain.nesting import TOO_DEEP, is_too_deep
from schedulerd.domain.variables import NAME
from schedulerd.web.needs import SAFE
from schedulerd.web.problems import Refusal
from schedulerd.web.routers import documented_router

BASE: Final = "/api/v1"
Name = Annotated[str, Path(min_length=1, max_length=255)]
"""The name of something in a path."""

SettingName = Annotated[str, Path(pattern=f"^{NAME}$")]
"""The name of a variable, a secret or a limit that is to be."""


def api_router(path: str, tag: str) -> APIRouter:
    """A router for a resource, as all of the API are."""
    return documented_router(tag, prefix=f"{BASE}{path}", needs=[require_known_parameters, require_shallow])


def require_known_parameters(request: Request) -> None:
    """Refuse a query with a parameter that the route does not take: a typing error is never passed over in silence."""
    known = set(_parameters(request.scope["route"].dependant))
    for name in request.query_params:
        if name not in known:
            likely = near(name, known)
            raise Refusal(
                400,
                f"there is no parameter {name!r} here",
                slug="unknown-parameter",
                mend=f"did you mean {', '.join(likely)}?" if likely else f"known are: {_told(known)}",
            )


async def require_shallow(request: Request) -> None:
    """Refuse a body that is nested so deep that it could be kept and not be told. What is no JSON is the route's to refuse."""
    if request.method in SAFE or not await request.body():
        return
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        return
    if is_too_deep(body):
        raise Refusal(400, f"the body {TOO_DEEP}")


def actor_of(request: Request) -> str:
    """Who does it, as histories tell it."""
    principal: Principal | None = getattr(request.state, "principal", None)
    return "api" if principal is None else f"{principal.name} (api)"


def _told(known: set[str]) -> str:
    return ", ".join(sorted(known)) or "none"


def _parameters(dependant: Dependant) -> Iterator[str]:
    """The names in the query, those of groups of parameters and of dependencies too."""
    for field in dependant.query_params:
        kind: Any = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from (one.alias or name for name, one in kind.model_fields.items())
        else:
            yield field.alias
    for needed in dependant.dependencies:
        yield from _parameters(needed)
