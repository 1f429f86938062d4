"""`/settings`: one's own sessions and tokens."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response

from schedulerd.clock import Clock
from schedulerd.domain.access import Role, Scope, scopes_of
from schedulerd.domain.api_tokens import LONGEST_LIFE, USUAL_LIFE
from schedulerd.errors import BadParameters
from schedulerd.operations.operations import Operations
from schedulerd.sentences import said
from schedulerd.web.forms import go_on
from schedulerd.web.needs import needs
from schedulerd.web.principals import principal_of
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import page_router

_HERE: Final = "/settings"


def settings_pages(operations: Operations, pages: Pages, clock: Clock) -> APIRouter:
    """The routes. What is not one's own raises `NotFound` in the operations."""
    router = page_router()
    view = _View(operations, pages, clock)

    @router.get(_HERE)
    def settings(request: Request) -> Response:
        return view.page(request)

    @router.post(_HERE + "/tokens")
    @needs(Role.VIEWER)
    def create(
        request: Request,
        name: Annotated[str, Form(max_length=200)] = "",
        scope: Annotated[list[Scope] | None, Form()] = None,
        days: Annotated[int, Form(ge=1, le=LONGEST_LIFE.days)] = USUAL_LIFE.days,
    ) -> Response:
        return view.create(request, name, scope or [], timedelta(days=days))

    @router.post(_HERE + "/tokens/{token}/revoke")
    @needs(Role.VIEWER)
    def revoke(request: Request, token: str) -> Response:
        operations.api_tokens.revoke(token, by=principal_of(request))
        return go_on(_HERE, "revoked")

    @router.post(_HERE + "/sessions/{session}/end")
    @needs(Role.VIEWER)
    def end(request: Request, session: int) -> Response:
        operations.sign_in.end_session(session, by=principal_of(request))
        return go_on(_HERE, "ended")

    return router


class _View:
    def __init__(self, operations: Operations, pages: Pages, clock: Clock) -> None:
        self._operations: Final = operations
        self._pages: Final = pages
        self._clock: Final = clock

    def page(self, request: Request, *, status: int = 200, made: str = "", trouble: str = "") -> Response:
        you, now = principal_of(request), self._clock.now()
        tokens = self._operations.api_tokens.list(of=you)
        return self._pages.render(
            request,
            "settings.html",
            status=status,
            you=you,
            made=made,
            trouble=trouble,
            sessions=self._operations.sign_in.sessions(of=you),
            tokens=[(one, one.is_over(now)) for one in tokens],
            scopes=[scope for scope in Scope if scope in scopes_of(you.role)],
            days=USUAL_LIFE.days,
            longest=LONGEST_LIFE.days,
        )

    def create(self, request: Request, name: str, scopes: list[Scope], life: timedelta) -> Response:
        """The page with the new token, which is shown this once: it is in no address, and in no history of a browser."""
        try:
            if not scopes:
                raise BadParameters(said("choose what the token is for"))
            made = self._operations.api_tokens.create(
                name, by=principal_of(request), scopes=scopes, life=life
            )
        except BadParameters as error:
            return self.page(request, status=422, trouble=error.message)
        return self.page(request, made=made.text)
