"""`/settings/users`: who may sign in by a password. For admins; the rules are those of the operations."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response

from schedulerd.domain.access import Principal, Role
from schedulerd.domain.users import LONGEST_PASSWORD, SHORTEST_PASSWORD, User
from schedulerd.errors import BadParameters, Conflict
from schedulerd.operations.operations import Operations
from schedulerd.sentences import joined
from schedulerd.web.forms import go_on
from schedulerd.web.needs import needs
from schedulerd.web.principals import principal_of
from schedulerd.web.rendering import Pages
from schedulerd.web.roles import must_be_admin
from schedulerd.web.routers import page_router
from schedulerd.web.segments import segment

_WHERE: Final = "/settings/users"
_ONE: Final = _WHERE + "/{user}"
Name = Annotated[str, Form(max_length=200)]
Password = Annotated[str, Form(max_length=LONGEST_PASSWORD + 1)]


def user_pages(operations: Operations, pages: Pages) -> APIRouter:
    """The routes."""
    router = page_router()
    admin, asked, view = needs(Role.ADMIN), operations.users, _View(operations, pages)

    @router.get(_WHERE)
    @admin
    def users(request: Request) -> Response:
        return view.all(request)

    @router.post(_WHERE)
    @admin
    def add(
        request: Request,
        name: Name = "",
        role: Annotated[Role, Form()] = Role.VIEWER,
        password: Password = "",
    ) -> Response:
        return view.add(request, name, role, password)

    @router.get(_ONE)
    @admin
    def user(request: Request, user: str) -> Response:
        return view.one(request, asked.get(user))

    @router.post(_ONE + "/role")
    @admin
    def set_role(request: Request, user: str, role: Annotated[Role, Form()]) -> Response:
        return view.change(request, user, lambda by: asked.set_role(user, role, by=by), "user-changed")

    @router.post(_ONE + "/password")
    @admin
    def set_password(request: Request, user: str, password: Password = "") -> Response:
        return view.change(
            request, user, lambda by: asked.set_password(user, password, by=by), "user-changed"
        )

    @router.post(_ONE + "/lock")
    @admin
    def lock(request: Request, user: str) -> Response:
        return view.change(request, user, lambda by: asked.disable(user, by=by), "user-locked")

    @router.post(_ONE + "/unlock")
    @admin
    def unlock(request: Request, user: str) -> Response:
        return view.change(request, user, lambda by: asked.enable(user, by=by), "user-unlocked")

    @router.post(_ONE + "/delete")
    @admin
    def delete(request: Request, user: str) -> Response:
        return view.change(request, user, lambda by: asked.remove(user, by=by), "user-deleted", to=_WHERE)

    return router


class _View:
    def __init__(self, operations: Operations, pages: Pages) -> None:
        self._operations: Final = operations
        self._pages: Final = pages

    def all(
        self,
        request: Request,
        *,
        status: int = 200,
        trouble: str = "",
        name: str = "",
        role: Role = Role.VIEWER,
    ) -> Response:
        """The list, with what was typed into the form below it but for a password."""
        users = self._operations.users.list()
        typed = {"name": name, "role": role.value}
        return self._render(request, "users.html", status, trouble, users=users, typed=typed)

    def one(self, request: Request, user: User, *, status: int = 200, trouble: str = "") -> Response:
        sessions = [one for one in self._operations.sign_in.sessions() if one.user == user.name]
        tokens = [one for one in self._operations.api_tokens.list() if one.user == user.name]
        return self._render(
            request, "user.html", status, trouble, user=user, sessions=sessions, tokens=tokens
        )

    def add(self, request: Request, name: str, role: Role, password: str) -> Response:
        try:
            user = self._operations.users.add(name, role, password, by=principal_of(request))
        except (BadParameters, Conflict) as error:
            return self.all(request, status=_status(error), trouble=_told(error), name=name, role=role)
        return go_on(f"{_WHERE}/{segment(user.name)}", "user-added")

    def change(
        self, request: Request, name: str, deed: Callable[[Principal], User], done: str, *, to: str = ""
    ) -> Response:
        """Do it; where it cannot be done the page of the user says why. Raises `NotFound`."""
        user = self._operations.users.get(name)
        try:
            deed(principal_of(request))
        except (BadParameters, Conflict) as error:
            return self.one(request, user, status=_status(error), trouble=_told(error))
        return go_on(to or f"{_WHERE}/{segment(user.name)}", done)

    def _render(self, request: Request, template: str, status: int, trouble: str, **values: Any) -> Response:
        return self._pages.render(
            request,
            template,
            status=status,
            you=must_be_admin(request),
            trouble=trouble,
            shortest=SHORTEST_PASSWORD,
            longest=LONGEST_PASSWORD,
            **values,
        )


def _status(error: BadParameters | Conflict) -> int:
    return 409 if isinstance(error, Conflict) else 422


def _told(error: BadParameters | Conflict) -> str:
    return joined(". ", (error.message, error.mend)) if error.mend else error.message
