"""`/api/v1/secrets`: which there are, by name. A value goes in, and never comes out."""

from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRouter
from pydantic import ConfigDict, Field

from schedulerd.domain.access import Role, Scope
from schedulerd.operations.operations import Operations
from schedulerd.operations.setting_shapes import secret_shape
from schedulerd.web.api.answers import Items, SecretAnswer
from schedulerd.web.api.bodies import Body
from schedulerd.web.api.routing import Name, SettingName, api_router
from schedulerd.web.needs import needs
from schedulerd.web.principals import principal_of


class SecretBody(Body):
    """What a secret is to be: text, or any JSON."""

    model_config = ConfigDict(
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"value": "correct horse battery staple"}]},
    )

    value: Any = Field(json_schema_extra={"writeOnly": True}, repr=False)


def secret_routes(operations: Operations) -> APIRouter:
    """The routes."""
    router = api_router("/secrets", "settings")

    @router.get("", operation_id="list_secrets", response_model=Items[SecretAnswer])
    def secrets() -> dict[str, Any]:
        """The secrets by name, and since when each is as it is. Values are shown to nobody."""
        return {"items": [secret_shape(one) for one in operations.secrets.list()]}

    @router.put("/{name}", operation_id="set_secret", response_model=SecretAnswer)
    @needs(Role.ADMIN, Scope.ADMIN)
    def set_(request: Request, name: SettingName, body: SecretBody) -> dict[str, Any]:
        """Set a secret, new or not."""
        return secret_shape(operations.secrets.set(name, body.value, by=principal_of(request)))

    @router.delete("/{name}", operation_id="delete_secret", status_code=204)
    @needs(Role.ADMIN, Scope.ADMIN)
    def unset(request: Request, name: Name) -> Response:
        """Remove a secret."""
        operations.secrets.unset(name, by=principal_of(request))
        return Response(status_code=204)

    return router
