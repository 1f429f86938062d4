"""`/api/v1/users`: for admins."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import Field

from schedulerd.domain.access import Principal, Role, Scope
from schedulerd.domain.users import LONGEST_PASSWORD, User
from schedulerd.operations.access_shapes import user_shape
from schedulerd.operations.operations import Operations
from schedulerd.web.api.access_answers import UserAnswer
from schedulerd.web.api.answers import Items
from schedulerd.web.api.bodies import Body
from schedulerd.web.api.routing import api_router
from schedulerd.web.needs import needs
from schedulerd.web.principals import principal_of

_LONGEST_NAME: Final = 200
Password = Annotated[str, Field(max_length=LONGEST_PASSWORD)]


class UserBody(Body):
    """A user who is to be."""

    name: Annotated[str, Field(max_length=_LONGEST_NAME)]
    role: Role = Role.VIEWER
    password: Password


class UserChange(Body):
    """What is to be changed of a user."""

    role: Role | None = None
    enabled: bool | None = None


class NewPassword(Body):
    """The password that is to be."""

    password: Password


def user_routes(operations: Operations) -> APIRouter:
    """The routes."""
    router = api_router("/users", "access")
    admin = needs(Role.ADMIN, Scope.ADMIN)

    @router.get("", operation_id="list_users", response_model=Items[UserAnswer])
    @admin
    def users() -> dict[str, Any]:
        """All users, by name."""
        return {"items": [user_shape(one) for one in operations.users.list()]}

    @router.post("", status_code=201, operation_id="add_user", response_model=UserAnswer)
    @admin
    def add(request: Request, body: UserBody) -> dict[str, Any]:
        """A new user."""
        return user_shape(operations.users.add(body.name, body.role, body.password, by=principal_of(request)))

    @router.get("/{name}", operation_id="get_user", response_model=UserAnswer)
    @admin
    def user(name: str) -> dict[str, Any]:
        """A user."""
        return user_shape(operations.users.get(name))

    @router.patch("/{name}", operation_id="change_user", response_model=UserAnswer)
    @admin
    def change(request: Request, name: str, body: UserChange) -> dict[str, Any]:
        """Give a user another role, or let the user in or not. The user has to sign in anew."""
        return user_shape(_changed(operations, name, body, by=principal_of(request)))

    @router.delete("/{name}", status_code=204, operation_id="remove_user")
    @admin
    def remove(request: Request, name: str) -> Response:
        """Remove a user, with all sessions and tokens of that one."""
        operations.users.remove(name, by=principal_of(request))
        return Response(status_code=204)

    @router.put("/{name}/password", status_code=204, operation_id="set_user_password")
    @admin
    def set_password(request: Request, name: str, body: NewPassword) -> Response:
        """Give a user another password. The user has to sign in anew, everywhere."""
        operations.users.set_password(name, body.password, by=principal_of(request))
        return Response(status_code=204)

    return router


def _changed(operations: Operations, name: str, body: UserChange, *, by: Principal) -> User:
    asked = operations.users
    user = asked.get(name)
    if body.enabled is not None:
        user = (asked.enable if body.enabled else asked.disable)(name, by=by)
    if body.role is not None:
        user = asked.set_role(name, body.role, by=by)
    return user
