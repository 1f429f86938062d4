"""`/api/v1/limits`: limits with a name, of which code within runs takes slots."""

from typing import Annotated, Any

from fastapi import Request, Response
from fastapi.routing import APIRouter
from pydantic import ConfigDict, Field

from schedulerd.clock import Clock
from schedulerd.domain.named_limits import MOST_SLOTS
from schedulerd.operations.operations import Operations
from schedulerd.operations.setting_shapes import limit_shape
from schedulerd.web.api.answers import Items, LimitAnswer
from schedulerd.web.api.bodies import Body
from schedulerd.web.api.routing import Name, SettingName, api_router
from schedulerd.web.principals import principal_of


class LimitBody(Body):
    """So many slots at a time; with `per_second` they come back by time."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"slots": 3, "per_second": None}]})

    slots: Annotated[int, Field(ge=0, le=MOST_SLOTS)]
    per_second: Annotated[float, Field(gt=0, le=MOST_SLOTS)] | None = None


def limit_routes(operations: Operations, clock: Clock) -> APIRouter:
    """The routes."""
    router = api_router("/limits", "settings")

    @router.get("", operation_id="list_limits", response_model=Items[LimitAnswer])
    def limits() -> dict[str, Any]:
        """The limits by name, and which runs hold slots of them."""
        now = clock.now()
        return {"items": [limit_shape(one, now=now) for one in operations.named_limits.list()]}

    @router.put("/{name}", operation_id="set_limit", response_model=LimitAnswer)
    def set_(request: Request, name: SettingName, body: LimitBody) -> dict[str, Any]:
        """Set a limit, new or not; who holds slots goes on."""
        made = operations.named_limits.set(
            name, body.slots, per_second=body.per_second, by=principal_of(request)
        )
        return limit_shape(made, now=clock.now())

    @router.delete("/{name}", operation_id="delete_limit", status_code=204)
    def unset(request: Request, name: Name) -> Response:
        """Remove a limit: code that names it waits for nothing."""
        operations.named_limits.unset(name, by=principal_of(request))
        return Response(status_code=204)

    return router
