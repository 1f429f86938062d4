"""`/activity`: who changed what, when and from where; for admins."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from schedulerd.domain.access import Role
from schedulerd.domain.audit import AuditFilter, Difference, differences
from schedulerd.operations.operations import Operations
from schedulerd.web.needs import needs
from schedulerd.web.numbers import MOST
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import page_router

_PAGE: Final = 50


def activity_pages(operations: Operations, pages: Pages) -> APIRouter:
    """The route."""
    router = page_router()

    @router.get("/activity")
    @needs(Role.ADMIN)
    def activity(
        request: Request,
        who: Annotated[str, Query(max_length=200)] = "",
        before: Annotated[int | None, Query(ge=1, le=MOST)] = None,
    ) -> Response:
        found = operations.audit.list(AuditFilter(who=who or None, before=before, limit=_PAGE + 1))
        shown = found[:_PAGE]
        return pages.render(
            request,
            "activity.html",
            who=who,
            is_first=before is None,
            entries=[(one, [_shown(each) for each in differences(one.change)]) for one in shown],
            more=shown[-1].key if len(found) > _PAGE else None,
        )

    return router


def _shown(one: Difference) -> Mapping[str, str]:
    """A field with what it was and is, as texts; empty where it was or is not there."""
    return {"field": one.field, "before": _text(one.before), "after": _text(one.after)}


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
