"""`/api/v1/tokens`: one's own tokens; an admin sees and revokes everybody's."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal, Role, Scope
from schedulerd.domain.api_tokens import LONGEST_LIFE, USUAL_LIFE
from schedulerd.errors import NotPermitted
from schedulerd.operations.access_shapes import token_shape
from schedulerd.operations.operations import Operations
from schedulerd.web.api.access_answers import NewTokenAnswer, TokenAnswer
from schedulerd.web.api.answers import Items
from schedulerd.web.api.bodies import Body
from schedulerd.web.api.routing import api_router
from schedulerd.web.needs import needs
from schedulerd.web.principals import principal_of


class TokenBody(Body):
    """A token that is to be: its name, what it is for, and how many days it lasts."""

    name: Annotated[str, Field(max_length=200)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    days: Annotated[int, Field(ge=1, le=LONGEST_LIFE.days)] = USUAL_LIFE.days


def token_routes(operations: Operations, clock: Clock) -> APIRouter:
    """The routes."""
    router = api_router("/tokens", "access")

    @router.get("", operation_id="list_tokens", response_model=Items[TokenAnswer])
    @needs(Role.VIEWER)
    def tokens(request: Request) -> dict[str, Any]:
        """The tokens of whoever asks; an admin's list has everybody's."""
        you = _person(request)
        found = operations.api_tokens.list(of=None if you.may(Role.ADMIN) else you)
        return {"items": [token_shape(one, now=clock.now()) for one in found]}

    @router.post("", status_code=201, operation_id="create_token", response_model=NewTokenAnswer)
    @needs(Role.VIEWER)
    def create(request: Request, body: TokenBody) -> dict[str, Any]:
        """A new token, which is shown this once."""
        life = timedelta(days=body.days)
        made = operations.api_tokens.create(body.name, by=_person(request), scopes=body.scopes, life=life)
        return {**token_shape(made.token, now=clock.now()), "token": made.text}

    @router.delete("/{token}", status_code=204, operation_id="revoke_token")
    @needs(Role.VIEWER)
    def revoke(request: Request, token: str) -> Response:
        """Let a token in no more."""
        operations.api_tokens.revoke(token, by=_person(request))
        return Response(status_code=204)

    return router


def _person(request: Request) -> Principal:
    """Who asks, where that is a person or a token for everything. Raises `NotPermitted`."""
    you = principal_of(request)
    if not you.is_for(Scope.ADMIN):
        raise NotPermitted(f"this token is not for {Scope.ADMIN}")
    return you
