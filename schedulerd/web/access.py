"""What has to do with coming in, put together: who is recognised, and the routes to sign in and to manage that."""

from typing import Final

from fastapi import APIRouter

from schedulerd.clock import Clock
from schedulerd.operations.operations import Operations
from schedulerd.web.api.audit import audit_routes
from schedulerd.web.api.session import me_routes, session_routes
from schedulerd.web.api.tokens import token_routes
from schedulerd.web.api.users import user_routes
from schedulerd.web.lasting import Lasting
from schedulerd.web.pages.sign_in import sign_in_pages
from schedulerd.web.recogniser import Recogniser
from schedulerd.web.rendering import Pages
from schedulerd.web.sign_in_desk import SignInDesk


class Access:
    """For the gate `recogniser` and `lasting`; for the application the routes."""

    def __init__(self, operations: Operations, pages: Pages, clock: Clock) -> None:
        self._operations: Final = operations
        self._pages: Final = pages
        self._clock: Final = clock
        self.recogniser: Final = Recogniser(operations.sign_in, clock.monotonic)
        self.lasting: Final = Lasting(operations.sign_in.present, ended=self.recogniser.forget_all)

    def routers(self) -> list[APIRouter]:
        """The routes."""
        operations = self._operations
        desk = SignInDesk(operations.sign_in, operations.users, self.recogniser, self._clock)
        return [
            sign_in_pages(desk, self._pages),
            me_routes(desk),
            session_routes(operations, desk),
            token_routes(operations, self._clock),
            user_routes(operations),
            audit_routes(operations),
        ]
