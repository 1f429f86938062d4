"""`/schedules`: what runs when, and pausing it."""

from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, Request, Response

from schedulerd.domain.likeness import Likeness, typed
from schedulerd.operations.operations import Operations
from schedulerd.web.api.listing import page_by_name
from schedulerd.web.blocking import Blocking
from schedulerd.web.forms import actor_of, go_on, text
from schedulerd.web.local_paths import local_path
from schedulerd.web.principals import principal_of
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import page_router

_PAGE: Final = 50
_FIRES: Final = 20
_WHERE: Final = "/schedules"


def schedule_pages(operations: Operations, pages: Pages) -> APIRouter:
    """The routes."""
    router = page_router()
    blocking = Blocking()

    @router.get("/schedules")
    def schedules(request: Request, q: str = "", after: str = "") -> Response:
        return _schedules(request, operations, pages, q, after)

    @router.get("/schedules/{schedule}")
    def schedule(request: Request, schedule: str) -> Response:
        return _schedule(request, operations, pages, schedule)

    @router.post("/schedules/{schedule}/pause")
    async def pause(request: Request, schedule: str) -> Response:
        form = await request.form()
        reason = text(form, "reason")
        made = await blocking.run(
            lambda: operations.schedules.pause(
                schedule, actor=actor_of(request), reason=reason, by=principal_of(request)
            )
        )
        since = () if made.paused is None else (made.paused.at.isoformat(),)
        return go_on(local_path(text(form, "next") or _WHERE), "paused", schedule, *since)

    @router.post("/schedules/{schedule}/resume")
    async def resume(request: Request, schedule: str) -> Response:
        form = await request.form()
        of = _paused_at(text(form, "paused_at"))
        paused = (await blocking.run(lambda: operations.schedules.get(schedule))).paused
        await blocking.run(
            lambda: operations.schedules.resume(schedule, by=principal_of(request), paused_at=of)
        )
        why = () if paused is None else (paused.reason,)
        return go_on(local_path(text(form, "next") or _WHERE), "resumed", schedule, *why)

    return router


def _paused_at(written: str) -> datetime | None:
    """Which pause is to end, where the form says so: that of the way back does."""
    if not written:
        return None
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)  # nothing was paused then


def _schedules(request: Request, operations: Operations, pages: Pages, q: str, after: str) -> Response:
    seen = operations.snapshots.take().fingerprint(every=True)
    words = typed(q)
    found = [
        one.name
        for one in operations.schedules.titles()
        if not q or words.likeness(f"{one.name} {one.flow}") is not Likeness.NONE
    ]
    page = page_by_name(found, str, limit=_PAGE, after=after or None, before=None)
    return pages.render(
        request,
        "schedules.html",
        q=q,
        seen=seen,
        schedules=operations.schedules.named(page.items),
        more=page.next_cursor,
        is_first=not after,
    )


def _schedule(request: Request, operations: Operations, pages: Pages, name: str) -> Response:
    language = pages.preferences(request).language
    found = operations.schedules.get(name)
    return pages.render(
        request,
        "schedule.html",
        schedule=found,
        definition=found.definition,
        editable=operations.definitions.is_ours(found.definition),
        fires=operations.fires.of_schedule(name, limit=_FIRES, language=language),
    )
