"""`/flows/new`: flows that were found and have no schedule yet, commands, crontabs, and flow files that come in from outside."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData, UploadFile

from schedulerd.clock import Clock
from schedulerd.domain.access import Role
from schedulerd.domain.flows import FlowKind
from schedulerd.errors import BadDefinition, Conflict, SchedulerdError, Stale
from schedulerd.operations.flow_files import BadFlowFile, FlowFile
from schedulerd.operations.operations import Operations
from schedulerd.sentences import said
from schedulerd.web.blocking import Blocking
from schedulerd.web.crontab_rows import Row, rows_of
from schedulerd.web.forms import text
from schedulerd.web.rendering import Pages
from schedulerd.web.roles import must_be_admin, must_be_operator
from schedulerd.web.routers import page_router

_WHERE: Final = "/flows/new"
_USUAL_PREFIX: Final = "crontab"
_LONGEST_PREFIX: Final = 60
_A_FLOW: Final = """from schedulerd import flow


@flow
def hello(name: str = "world") -> str:
    print(f"hello, {name}")
    return name
"""


def register_pages(operations: Operations, pages: Pages, clock: Clock) -> APIRouter:
    """The routes. They come before those of a flow's own page, whose name may be anything."""
    router = page_router()
    desk = _Desk(operations, pages, clock)

    @router.get(_WHERE)
    def register(request: Request) -> Response:
        return desk.show(request)

    @router.get(f"{_WHERE}/crontab")
    def crontab(request: Request) -> Response:
        return desk.crontab(request)

    @router.post(f"{_WHERE}/crontab")
    async def import_crontab(request: Request) -> Response:
        form = await request.form()
        return await desk.blocking.run(lambda: desk.read_crontab(request, form))

    @router.get(f"{_WHERE}/file")
    def file(request: Request, flow: str = "") -> Response:
        return desk.file(request, flow)

    @router.post(f"{_WHERE}/file")
    async def upload(request: Request) -> Response:
        async with request.form() as form:  # what was sent is a file of the system, to be closed
            sent = form.get("upload")
            content = await sent.read() if isinstance(sent, UploadFile) and sent.filename else b""
            return await desk.blocking.run(lambda: desk.upload(request, form, content))

    return router


class _Desk:
    def __init__(self, operations: Operations, pages: Pages, clock: Clock) -> None:
        self._operations: Final = operations
        self._pages: Final = pages
        self._clock: Final = clock
        self.blocking: Final = Blocking()

    def show(self, request: Request) -> Response:
        principal = must_be_operator(request)
        found = [
            one for one in self._operations.flows.list() if one.flow.definition.kind is not FlowKind.COMMAND
        ]
        return self._pages.render(
            request,
            "register.html",
            flows=[one.flow for one in found if not one.schedules.names],
            scheduled=sum(bool(one.schedules.names) for one in found),
            broken=self._operations.flows.errors(),
            may_upload=principal.may(Role.ADMIN) and self._operations.flow_files.is_open,
        )

    # -- crontabs -----------------------------------------------------------------------------------------------

    def crontab(self, request: Request, *, status: int = 200, **values: Any) -> Response:
        must_be_admin(request)
        shown: Mapping[str, Any] = {
            "crontab": "",
            "prefix": _USUAL_PREFIX,
            "rows": (),
            "trouble": "",
            "imported": None,
            "nothing": False,
            **values,
        }
        places = self._operations.definitions.places
        return self._pages.render(
            request, "register_crontab.html", status=status, timezone=places.timezone, **shown
        )

    def read_crontab(self, request: Request, form: FormData) -> Response:
        by = must_be_admin(request)
        pasted, prefix = text(form, "crontab").replace("\r\n", "\n"), text(form, "prefix").strip()
        said: Mapping[str, Any] = {"crontab": pasted, "prefix": prefix}
        try:
            rows = self._rows(request, pasted, prefix)
        except BadDefinition as error:
            return self.crontab(request, status=422, trouble=error.message, **said)
        if text(form, "do") != "import":
            return self.crontab(request, rows=rows, **said)
        picked = {str(one) for one in form.getlist("pick")}
        chosen = [row for row in rows if row.is_schedule and str(row.number) in picked]
        if not chosen:
            return self.crontab(request, status=422, rows=rows, nothing=True, **said)
        done = self._operations.definitions.create_all([row.line.keys for row in chosen], by=by)
        results = list(zip(chosen, done, strict=True))
        failed = any(isinstance(one, SchedulerdError) for one in done)
        return self.crontab(request, status=409 if failed else 200, imported=results, **said)

    def _rows(self, request: Request, crontab: str, prefix: str) -> Sequence[Row]:
        if not prefix.isprintable() or not 0 < len(prefix) <= _LONGEST_PREFIX:
            raise BadDefinition(
                said("names of schedules begin with a few printable characters"), file="crontab"
            )
        lines = self._operations.definitions.places.reader.crontab(crontab, prefix=prefix)
        language = self._pages.preferences(request).language
        return rows_of(lines, now=self._clock.now(), language=language)

    # -- flow files ---------------------------------------------------------------------------------------------

    def file(self, request: Request, flow: str) -> Response:
        by = must_be_admin(request)
        file = (
            self._operations.flow_files.of_flow(flow, by=by)
            if flow
            else FlowFile(name="", text=_A_FLOW, etag="")
        )
        return self._file(request, file)

    def _file(self, request: Request, file: FlowFile, *, status: int = 200, **values: Any) -> Response:
        shown: Mapping[str, Any] = {"trouble": None, "failure": None, "done": None, **values}
        is_open = self._operations.flow_files.is_open
        return self._pages.render(
            request, "register_file.html", status=status, file=file, is_open=is_open, result=shown
        )

    def upload(self, request: Request, form: FormData, content: bytes) -> Response:
        by = must_be_admin(request)
        sent = content.decode("utf-8", "replace") if content else text(form, "text")
        file = FlowFile(name=text(form, "name").strip(), text=sent, etag=text(form, "etag"))
        try:
            done = self._operations.flow_files.save(file.name, file.text, etag=file.etag, by=by)
        except BadFlowFile as error:
            return self._file(request, file, status=422, trouble=error.message, failure=error.failure)
        except BadDefinition as error:
            return self._file(request, file, status=422, trouble=error.message)
        except Conflict as error:
            return self._file(
                request, file, status=412 if isinstance(error, Stale) else 409, trouble=error.message
            )
        return self._file(request, file, status=202 if done.waits_for else 200, done=done)
