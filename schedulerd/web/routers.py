"""How routers are made. None of their routes runs unless the gate let the request through to it."""

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.exceptions import HTTPException
from starlette.types import Scope

from schedulerd.web.late_routes import LateRoute
from schedulerd.web.segments import CONVERTOR

log = logging.getLogger(__name__)

_ADMITTED: Final = "schedulerd.admitted"
_NAME: Final = re.compile(r"\{(\w+)\}")


class Router(APIRouter):
    """A router whose paths have names in them: each is one segment, with whatever is in it."""

    def __init__(self, *, prefix: str = "", **more: Any) -> None:
        super().__init__(prefix=_with_names(prefix), route_class=LateRoute, **more)

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        """Add a route; what is in braces, and says nothing else of itself, is a name."""
        super().add_api_route(_with_names(path), endpoint, **more)


def _with_names(path: str) -> str:
    return _NAME.sub(rf"{{\1:{CONVERTOR}}}", path)


def page_router() -> APIRouter:
    """A router for what the document of the API does not tell of."""
    return Router(include_in_schema=False, dependencies=[Depends(require_admitted)])


def documented_router(tag: str, *, prefix: str = "", needs: Sequence[Callable[..., Any]] = ()) -> APIRouter:
    """A router for what the document of the API tells of, under `tag`; its routes depend on what it `needs`."""
    return Router(
        prefix=prefix,
        tags=[tag],
        dependencies=[Depends(require_admitted), *map(Depends, needs)],
        generate_unique_id_function=operation_id,
    )


def operation_id(route: Any) -> str:
    """The id of an operation whose route gives it none: the name of its function, with what it is about."""
    name, tags = str(route.name), route.tags
    return name if "_" in name or not tags else f"{name}_{str(tags[0]).removesuffix('s')}"


def admit(scope: Scope, endpoint: Callable[..., Any] | None) -> None:
    """Let a request through to the route with this endpoint, and to no other."""
    scope[_ADMITTED] = endpoint


def require_admitted(request: Request) -> None:
    """A dependency of all routes: the one that was chosen is the one that was judged."""
    if request.scope.get(_ADMITTED) is not request.scope["endpoint"]:
        log.error("gate_was_passed_by", extra={"path": request.url.path})
        raise HTTPException(403, "this was not let through by the gate")
