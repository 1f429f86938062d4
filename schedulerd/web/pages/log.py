"""`/runs/{id}/logs`: the log of a run, in chunks of 500 lines, from its end or about a line."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BeforeValidator, Field

from schedulerd.domain.logs import LEVELS
from schedulerd.operations.log_chunks import ChunkFilter, LogChunk
from schedulerd.operations.log_search import ERROR
from schedulerd.operations.operations import Operations
from schedulerd.web.log_lines import LineMaker
from schedulerd.web.numbers import MOST
from schedulerd.web.pages.run import RunHead
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import page_router

_END: Final = 2**62
Level = Annotated[str, Query(pattern=f"^({'|'.join(LEVELS)})?$")]
Needle = Annotated[str, Query(max_length=200)]
Line = Annotated[int | None, Query(ge=1, le=MOST)]
# A form sends every field, also one in which nothing is chosen.
Task = Annotated[
    Annotated[int, Field(ge=1, le=MOST)] | None, BeforeValidator(lambda given: given or None), Query()
]
_LONG: Final = 50_000  # lines; looking for errors that there are none of would take longer than the page


@dataclass(frozen=True, kw_only=True, slots=True)
class Errors:
    """On which sides of where one is in the log there are errors."""

    before: bool
    after: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the address says: a filter, what is looked for, and where to begin."""

    level: str
    task: int | None
    q: str
    whole: bool

    @property
    def wanted(self) -> ChunkFilter:
        """The lines that are shown."""
        return ChunkFilter(task=self.task, min_level=LEVELS.get(self.level, 0))


@dataclass(frozen=True, kw_only=True, slots=True)
class Hits:
    """How many lines have what is looked for, the one that is shown, and those after and before it."""

    total: int
    line: int | None
    next: int | None
    previous: int | None


def log_pages(operations: Operations, pages: Pages) -> APIRouter:
    """The routes: the page, and its chunks for a script."""
    router = page_router()
    view = _View(operations, pages)

    @router.get("/runs/{run}/logs")
    def logs(
        request: Request,
        run: str,
        level: Level = "",
        task: Task = None,
        q: Needle = "",
        line: Line = None,
        whole: bool = False,
    ) -> Response:
        return view.page(request, run, Asked(level=level, task=task, q=q, whole=whole), line)

    @router.get("/runs/{run}/logs/error")
    def error(
        run: str, after: Annotated[int, Query(ge=0, le=MOST)] = 0, before: Line = None, task: Task = None
    ) -> Response:
        return view.error(run, after=after, before=before, task=task)

    @router.get("/runs/{run}/logs/chunk")
    def chunk(
        request: Request,
        run: str,
        level: Level = "",
        task: Task = None,
        q: Needle = "",
        after: Annotated[int | None, Query(ge=0, le=MOST)] = None,
        before: Line = None,
    ) -> Response:
        asked = Asked(level=level, task=task, q=q, whole=False)
        chunks = operations.log_chunks
        found = (
            chunks.before(run, asked.wanted, line=before)
            if after is None
            else chunks.after(run, asked.wanted, line=after)
        )
        return view.chunk(request, found, asked)

    return router


class _View:
    def __init__(self, operations: Operations, pages: Pages) -> None:
        self._operations: Final = operations
        self._pages: Final = pages
        self._head: Final = RunHead(operations)

    def page(self, request: Request, run: str, asked: Asked, line: int | None) -> Response:
        chunks = self._operations.log_chunks
        details, seen = self._head.look(run)
        hits = self._hits(run, asked, line)
        if hits is not None and line is None:
            line = hits.line
        found = (
            chunks.last(details.run, asked.wanted)
            if line is None
            else chunks.around(details.run, asked.wanted, line=line)
        )
        return self._pages.render(
            request,
            "run_log.html",
            seen=seen,
            hits=hits,
            tab="logs",
            asked=asked,
            line=line,
            chunk=found,
            lines=self._made(request, found, asked),
            first=found.lines[0].number if found.lines else None,
            last=found.lines[-1].number if found.lines else None,
            names={task.number: _name(task) for task in details.tasks},
            errors=self._errors(found, line),
            **self._head.values(details),
        )

    def error(self, run: str, *, after: int, before: int | None, task: int | None) -> Response:
        """To the next error after a line, or the next before one; to the last of all where neither is said."""
        search, wanted = self._operations.log_search, ChunkFilter(task=task, min_level=ERROR)
        backward = before is not None or not after
        line = search.next_match(
            run, "", wanted, line=(before or _END) if backward else after, backward=backward
        )
        here = f"/runs/{run}/logs"
        return RedirectResponse(here if line is None else f"{here}?line={line}#L{line}", 302)

    def _errors(self, found: LogChunk, line: int | None) -> Errors:
        """Whether there is an error before the line, or anywhere without one, and whether after it; of a very long log it may be."""
        if found.count > _LONG:
            return Errors(before=True, after=line is not None)
        search, wanted = self._operations.log_search, ChunkFilter(min_level=ERROR)
        shown = [
            one.number for one in found.lines if one.line.level >= ERROR
        ]  # where there are some, all is known
        here = line or _END
        before = next((number for number in shown if number < here), None) or search.next_match(
            found.run, "", wanted, line=here, backward=True
        )
        after = next((number for number in shown if number > here), None)
        if after is None and line is not None:
            after = search.next_match(found.run, "", wanted, line=line)
        return Errors(before=before is not None, after=after is not None)

    def _hits(self, run: str, asked: Asked, line: int | None) -> Hits | None:
        """Where what is looked for stands, seen from `line`, or from its first place."""
        if not asked.q:
            return None
        search = self._operations.log_search
        found = search.matches(run, asked.q, asked.wanted)
        here = line or next(iter(found.lines), None)
        if here is None:
            return Hits(total=0, line=None, next=None, previous=None)
        return Hits(
            total=found.total,
            line=here,
            next=search.next_match(run, asked.q, asked.wanted, line=here),
            previous=search.next_match(run, asked.q, asked.wanted, line=here, backward=True),
        )

    def chunk(self, request: Request, found: LogChunk, asked: Asked) -> Response:
        """Lines alone; what there is beside them is told by headers."""
        first, last = (found.lines[0].number, found.lines[-1].number) if found.lines else (0, 0)
        headers = {
            "X-First": str(first),
            "X-Last": str(last),
            "X-Earlier": str(int(found.earlier)),
            "X-Later": str(int(found.later)),
            "X-Count": str(found.count),
        }
        return HTMLResponse(self._made(request, found, asked), headers=headers)

    def _made(self, request: Request, found: LogChunk, asked: Asked) -> Any:
        maker = LineMaker(
            preferences=self._pages.preferences(request),
            needle=asked.q,
            whole=asked.whole,
        )
        return maker.lines(found.lines)


def _name(task: Any) -> str:
    return task.name if task.map_index is None else f"{task.name}[{task.map_index}]"
