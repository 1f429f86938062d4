"""Who makes a request."""

from typing import cast

from starlette.requests import Request

from schedulerd.domain.access import Principal


def principal_of(request: Request) -> Principal:
    """Who was let in by the gate; for an operation that keeps in the audit who asked for it."""
    return cast(Principal, request.state.principal)
