"""`/api/v1/audit`: who changed what, for admins."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from schedulerd.domain.access import Role, Scope
from schedulerd.domain.audit import AuditFilter
from schedulerd.operations.access_shapes import entry_shape
from schedulerd.operations.operations import Operations
from schedulerd.web.api.access_answers import EntriesAnswer
from schedulerd.web.api.routing import api_router
from schedulerd.web.needs import needs
from schedulerd.web.numbers import MOST


def audit_routes(operations: Operations) -> APIRouter:
    """The route."""
    router = api_router("/audit", "access")

    @router.get("", operation_id="list_audit", response_model=EntriesAnswer)
    @needs(Role.ADMIN, Scope.ADMIN)
    def audit(
        since: AwareDatetime | None = None,
        who: Annotated[str | None, Query(max_length=200)] = None,
        before: Annotated[int | None, Query(ge=1, le=MOST)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> dict[str, Any]:
        """Who changed what, the newest first; `next_before` leads on."""
        found = operations.audit.list(AuditFilter(since=since, who=who, before=before, limit=limit))
        following = found[-1].key if len(found) == limit else None
        return {"items": [entry_shape(one) for one in found], "next_before": following}

    return router
