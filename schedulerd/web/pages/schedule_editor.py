"""`/schedules/new`, `/schedules/{name}/edit` and `/delete`: giving a flow or a command a schedule, changing it, and ending it."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from schedulerd.clock import Clock
from schedulerd.errors import Conflict, NotFound, Stale
from schedulerd.operations.definitions import BadValue
from schedulerd.operations.operations import Operations
from schedulerd.sentences import said
from schedulerd.web.blocking import Blocking
from schedulerd.web.editor_preview import Preview, preview_of
from schedulerd.web.editor_sheet import Sheet, empty_sheet, sheet_of, typed_sheet
from schedulerd.web.forms import go_on, text
from schedulerd.web.rendering import Pages
from schedulerd.web.roles import must_be_admin, must_be_operator
from schedulerd.web.routers import page_router
from schedulerd.web.schedule_forms import BadField, values_of
from schedulerd.web.segments import segment

_NEW: Final = "/schedules/new"


def schedule_editor_pages(operations: Operations, pages: Pages, clock: Clock) -> APIRouter:
    """The routes. They come before those of a schedule's own page, whose name may be anything."""
    router = page_router()
    editor = _Editor(operations, pages, clock)

    @router.get(_NEW)
    def new(request: Request) -> Response:
        must_be_operator(request)
        return editor.show(request, empty_sheet(operations, request.query_params))

    @router.post(_NEW)
    async def create(request: Request) -> Response:
        form = await request.form()
        return await editor.blocking.run(lambda: editor.create(request, form))

    @router.post("/schedules/preview")
    async def preview(request: Request) -> Response:
        form = await request.form()
        return await editor.blocking.run(lambda: editor.preview(request, form))

    @router.get("/schedules/{schedule}/edit")
    def edit(request: Request, schedule: str) -> Response:
        must_be_operator(request)
        return editor.show(request, sheet_of(operations, schedule))

    @router.post("/schedules/{schedule}/edit")
    async def change(request: Request, schedule: str) -> Response:
        form = await request.form()
        return await editor.blocking.run(lambda: editor.change(request, schedule, form))

    @router.get("/schedules/{schedule}/delete")
    def ask(request: Request, schedule: str) -> Response:
        return editor.ask(request, schedule)

    @router.post("/schedules/{schedule}/delete")
    async def delete(request: Request, schedule: str) -> Response:
        form = await request.form()
        return await editor.blocking.run(lambda: editor.delete(request, schedule, etag=text(form, "etag")))

    return router


class _Editor:
    def __init__(self, operations: Operations, pages: Pages, clock: Clock) -> None:
        self._operations: Final = operations
        self._pages: Final = pages
        self._clock: Final = clock
        self.blocking: Final = Blocking()

    def show(
        self,
        request: Request,
        sheet: Sheet,
        *,
        status: int = 200,
        troubles: Mapping[str, str] | None = None,
        theirs: Sheet | None = None,
        stale: Stale | None = None,
    ) -> Response:
        (must_be_admin if sheet.is_command else must_be_operator)(request)
        return self._pages.render(
            request,
            "schedule_editor.html",
            status=status,
            sheet=sheet,
            troubles=troubles or {},
            preview=self._preview(request, sheet),
            theirs=theirs,
            stale=stale,
            viewer=self._pages.preferences(request).zone,
        )

    def create(self, request: Request, form: FormData) -> Response:
        sheet = typed_sheet(self._operations, form)
        if text(form, "do") == "preview":
            return self.show(request, sheet)
        return self._save(request, sheet)

    def change(self, request: Request, name: str, form: FormData) -> Response:
        etag = text(form, "etag")
        was = sheet_of(self._operations, name)
        sheet = typed_sheet(self._operations, form, name=name, was=was.values, etag=etag)
        if text(form, "do") == "preview":
            return self.show(request, sheet)
        try:
            return self._save(request, sheet)
        except Stale as error:
            sheet = typed_sheet(self._operations, form, name=name, was=was.values, etag=was.etag)
            return self.show(request, sheet, status=412, theirs=was, stale=error)

    def _save(self, request: Request, sheet: Sheet) -> Response:
        by = must_be_operator(request)
        if sheet.troubles:
            return self.show(request, sheet, status=422, troubles=sheet.troubles)
        definitions = self._operations.definitions
        try:
            values = values_of(sheet.typed, was=sheet.values)
            if sheet.name:
                saved = definitions.change(sheet.name, values, etag=sheet.etag, by=by)
            else:
                saved = definitions.create(values, by=by)
        except (BadField, BadValue) as error:
            return self.show(request, sheet, status=422, troubles={error.key: error.reason})
        except Stale:
            raise
        except Conflict as error:
            return self.show(request, sheet, status=409, troubles={"name": error.message})
        return self._after(request, saved.name, "saved", saved.waits_for)

    def _after(self, request: Request, name: str, what: str, waits_for: str) -> Response:
        if waits_for:
            return self._pages.render(
                request, "schedule_waits.html", status=202, name=name, what=what, waits_for=waits_for
            )
        return go_on("/schedules" if what == "deleted" else f"/schedules/{segment(name)}", what, name)

    def preview(self, request: Request, form: FormData) -> Response:
        """The part of the page that says what is typed just now; with 200 also where that is wrong, since it is being typed."""
        must_be_operator(request)
        name = text(form, "of")
        was: Mapping[str, Any] = sheet_of(self._operations, name).values if name else {}
        sheet = typed_sheet(self._operations, form, name=name, was=was)
        return self._pages.render(
            request,
            "schedule_preview.html",
            preview=self._preview(request, sheet),
            viewer=self._pages.preferences(request).zone,
        )

    def _preview(self, request: Request, sheet: Sheet) -> Preview:
        return preview_of(
            self._operations,
            sheet,
            by=must_be_operator(request),
            now=self._clock.now(),
            language=self._pages.preferences(request).language,
        )

    def ask(self, request: Request, name: str, *, stale: Stale | None = None) -> Response:
        must_be_operator(request)
        place = self._operations.definitions.place(name)
        if place.own is None:
            raise Conflict(
                said("{name!r} is defined in {origin}, which people write", name=name, origin=place.origin),
                mend=said("change it there"),
            )
        return self._pages.render(
            request,
            "schedule_delete.html",
            status=412 if stale else 200,
            name=name,
            etag=place.own.etag,
            stale=stale,
            origin=place.origin,
            fires=self._operations.fires.next(name, limit=1),
        )

    def delete(self, request: Request, name: str, *, etag: str) -> Response:
        by = must_be_operator(request)
        try:
            gone = self._operations.definitions.delete(name, etag=etag, by=by)
        except Stale as error:
            return self.ask(request, name, stale=error)
        except NotFound:  # by the first of two clicks
            return go_on("/schedules", "deleted")
        return self._after(request, name, "deleted", gone.waits_for)
