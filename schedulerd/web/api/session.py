"""`/api/v1/me`, `/session`, `/sessions`: who asks, to sign in and out, and where one is signed in."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from schedulerd.domain.access import Principal, Role
from schedulerd.domain.users import LONGEST_PASSWORD
from schedulerd.errors import NotPermitted
from schedulerd.operations.access_shapes import principal_shape, session_shape
from schedulerd.operations.operations import Operations
from schedulerd.web.api.access_answers import PrincipalAnswer, SessionAnswer
from schedulerd.web.api.answers import Items
from schedulerd.web.api.bodies import Body
from schedulerd.web.api.routing import api_router
from schedulerd.web.cookies import give_cookie, take_cookie
from schedulerd.web.needs import needs
from schedulerd.web.principals import principal_of
from schedulerd.web.problems import problem
from schedulerd.web.sign_in_desk import SignInDesk, TooManyTries

_LONGEST_NAME: Final = 200
Password = Annotated[str, Field(max_length=LONGEST_PASSWORD)]


class SignInBody(Body):
    """A name and a password."""

    name: Annotated[str, Field(max_length=_LONGEST_NAME)]
    password: Password


class PasswordBody(Body):
    """The password that was, and the one that is to be."""

    old: Password
    new: Password


def me_routes(desk: SignInDesk) -> APIRouter:
    """The routes of who asks."""
    router = api_router("", "access")

    @router.get("/me", operation_id="get_me", response_model=PrincipalAnswer)
    @needs(Role.VIEWER)
    async def me(request: Request) -> dict[str, Any]:
        """Who asks."""
        return principal_shape(principal_of(request))

    @router.put("/me/password", status_code=204, operation_id="change_own_password")
    @needs(Role.VIEWER)
    async def change_password(request: Request, body: PasswordBody) -> Response:
        """Take another password. One stays signed in here alone."""
        user = _person(request).user
        if user is None:
            return problem(
                request, 409, "whoever came by a link has no password", mend="`schedulerd users add NAME`"
            )
        try:
            opened = await desk.change_password(
                request, user, old=body.old, new=body.new, by=_person(request)
            )
        except TooManyTries as error:
            return _wait(request, error)
        answer = Response(status_code=204)
        give_cookie(request, answer, opened.cookie)
        return answer

    return router


def session_routes(operations: Operations, desk: SignInDesk) -> APIRouter:
    """The routes to sign in and out, and of where one is signed in."""
    router = api_router("", "access")

    @router.post("/session", operation_id="sign_in", response_model=PrincipalAnswer)
    async def sign_in(request: Request, body: SignInBody) -> Response:
        """Sign in by a name and a password: the answer brings a cookie."""
        try:
            opened = await desk.by_password(request, body.name, body.password)
        except NotPermitted as error:
            return problem(request, 401, error.message)
        except TooManyTries as error:
            return _wait(request, error)
        answer = JSONResponse(principal_shape(opened.principal))
        give_cookie(request, answer, opened.cookie)
        return answer

    @router.delete("/session", status_code=204, operation_id="sign_out")
    @needs(Role.VIEWER)
    async def sign_out(request: Request) -> Response:
        """End the session of the cookie."""
        await desk.sign_out(request)
        answer = Response(status_code=204)
        take_cookie(request, answer)
        return answer

    @router.get("/sessions", operation_id="list_sessions", response_model=Items[SessionAnswer])
    @needs(Role.VIEWER)
    def sessions(request: Request) -> dict[str, Any]:
        """Where whoever asks is signed in; an admin's list has everybody."""
        you = _person(request)
        found = operations.sign_in.sessions(of=None if you.may(Role.ADMIN) else you)
        return {"items": [session_shape(one, by=you) for one in found]}

    @router.delete("/sessions/{key}", status_code=204, operation_id="end_session")
    @needs(Role.VIEWER)
    def end(request: Request, key: int) -> Response:
        """End a session."""
        operations.sign_in.end_session(key, by=_person(request))
        return Response(status_code=204)

    return router


def _person(request: Request) -> Principal:
    """Who asks, where that is no token: one that leaked is not to look at sessions. Raises `NotPermitted`."""
    you = principal_of(request)
    if you.scopes is not None:
        raise NotPermitted("a token cannot do this", mend="sign in")
    return you


def _wait(request: Request, error: TooManyTries) -> Response:
    answer = problem(request, 429, "too many wrong passwords")
    answer.headers["Retry-After"] = str(int(error.seconds) + 1)
    return answer
