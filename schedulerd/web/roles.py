"""What a page asks of who looks at it, beyond what the gate asks for its route: nobody passes who was not recognised."""

from starlette.requests import Request

from schedulerd.domain.access import Principal, Role
from schedulerd.errors import NotPermitted
from schedulerd.sentences import said


def must_be_viewer(request: Request) -> Principal:
    """Who asks, who may look. Raises `NotPermitted`."""
    return _must_be(request, Role.VIEWER)


def must_be_operator(request: Request) -> Principal:
    """Who asks, who may change when flows run. Raises `NotPermitted`."""
    return _must_be(request, Role.OPERATOR)


def must_be_admin(request: Request) -> Principal:
    """Who asks, who may do everything. Raises `NotPermitted`."""
    return _must_be(request, Role.ADMIN)


def _must_be(request: Request, role: Role) -> Principal:
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        raise NotPermitted(said("this needs the role {role}; sign in first", role=role.value))
    if not principal.may(role):
        raise NotPermitted(
            said(
                "this needs the role {role}; {name} is {value}",
                role=role.value,
                name=principal.name,
                value=principal.role.value,
            )
        )
    return principal
