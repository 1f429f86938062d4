"""`/api/v1/runs/{run}/logs`: the log of a run, as lines of JSON or of text, or with `follow=1` as they come."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from schedulerd.domain.logs import LEVELS, NumberedLine
from schedulerd.domain.states import FINAL
from schedulerd.errors import Unreachable
from schedulerd.operations.log_chunks import ChunkFilter
from schedulerd.operations.log_search import Lines
from schedulerd.operations.operations import Operations
from schedulerd.operations.shapes import line_shape
from schedulerd.web.api.asking import compact
from schedulerd.web.api.routing import api_router
from schedulerd.web.blocking import Blocking, TooBusyError
from schedulerd.web.numbers import MOST

LARGEST: Final = 10_000
LOOK_SECONDS: Final = 0.5
_LOOKS_OF_A_BEAT: Final = 30
_JSONL: Final = "application/x-ndjson"
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Lines, the first first. `X-Last-Line` is the number of the last line that the log has.",
        "content": {_JSONL: {}, "text/plain": {}, "text/event-stream": {}},
    }
}
Level = Literal["debug", "info", "warning", "error", "critical"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    run: str
    task: str | None
    level: str
    text: str
    limit: int
    tail: bool


def log_routes(operations: Operations, *, is_stopping: Callable[[], bool]) -> APIRouter:
    """The route."""
    router = api_router("/runs/{run}/logs", "runs")
    views = _Views(operations, is_stopping)

    @router.get("", response_class=Response, responses=_ANSWERS)
    async def logs(
        request: Request,
        run: str,
        task: Annotated[str | None, Query(max_length=250, description="A name, or an id.")] = None,
        level: Level = "debug",
        since_line: Annotated[int, Query(ge=0, le=MOST, description="Lines after this one.")] = 0,
        limit: Annotated[int, Query(ge=1, le=LARGEST)] = 1_000,
        q: Annotated[str, Query(max_length=200, description="A text in the line.")] = "",
        tail: Annotated[bool, Query(description="The last lines, not the first.")] = False,
        follow: Annotated[bool, Query(description="Go on until the run has ended.")] = False,
    ) -> Response:
        """The log of a run, as JSON, as lines of JSON, or as text; with `follow` as it is written."""
        wanted = _Wanted(run=run, task=task, level=level, text=q, limit=limit, tail=tail)
        return await views.answer(request, wanted, after=since_line, follow=follow)

    return router


class _Views:
    def __init__(self, operations: Operations, is_stopping: Callable[[], bool]) -> None:
        self._operations: Final = operations
        self._is_stopping: Final = is_stopping
        self._blocking: Final = Blocking()

    async def answer(self, request: Request, wanted: _Wanted, *, after: int, follow: bool) -> Response:
        found = await self._blocking.run(partial(self._read, wanted, after))
        if follow:
            events = self._follow(wanted, found, after)
            return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)
        is_text = request.headers.get("accept", "").partition(",")[0].strip().startswith("text/plain")
        shown = _text if is_text else _json
        body = "".join(f"{shown(line)}\n" for line in found.lines)
        headers = {"X-Last-Line": str(found.count)}
        return Response(body, headers=headers, media_type="text/plain" if is_text else _JSONL)

    def _read(self, wanted: _Wanted, after: int, tail: bool | None = None) -> Lines:
        return self._operations.log_search.lines(
            wanted.run,
            ChunkFilter(min_level=LEVELS[wanted.level] if wanted.level != "debug" else 0),
            task=wanted.task,
            text=wanted.text,
            after=after,
            limit=wanted.limit,
            tail=wanted.tail if tail is None else tail,
        )

    async def _follow(self, wanted: _Wanted, found: Lines, after: int) -> AsyncIterator[bytes]:
        """Lines as events whose id is their number, so that a reader who comes back says where it was; `end` when the run has ended."""
        looks = 0
        while True:
            for line in found.lines:
                yield f"id: {line.number}\nevent: line\ndata: {_json(line)}\n\n".encode()
            is_all = len(found.lines) < wanted.limit
            after = max(after, found.count if is_all or wanted.tail else found.lines[-1].number)
            if is_all and found.run.state in FINAL:
                yield f"event: end\ndata: {compact({'state': found.run.state.value})}\n\n".encode()
                return
            if self._is_stopping():
                return
            if is_all:
                await asyncio.sleep(LOOK_SECONDS)
                looks += 1
                if looks % _LOOKS_OF_A_BEAT == 0:
                    yield b": still here\n\n"
            try:
                found = await self._blocking.run(partial(self._read, wanted, after, tail=False))
            except (Unreachable, TooBusyError):  # later, perhaps
                found = Lines(run=found.run, lines=(), count=after)


def _json(numbered: NumberedLine) -> str:
    return compact(line_shape(numbered))


def _text(numbered: NumberedLine) -> str:
    line, at = numbered.line, numbered.line.at.astimezone(UTC).isoformat(timespec="milliseconds")
    level = line_shape(numbered)["level"]
    task = f" {numbered.task_name}:" if numbered.task_name else ""
    return f"{at.replace('+00:00', 'Z')} {level.upper():8}{task} {line.message}"
