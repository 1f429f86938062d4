"""`GET /events`: the stream of live updates."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from schedulerd.web.live import Hub, read_topics
from schedulerd.web.routers import page_router

_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def events(hub: Hub) -> APIRouter:
    """The route. It counts the streams of a session, or without one, of an address."""
    router = page_router()

    @router.get("/events")
    async def stream(request: Request, topics: str, seen: str = "") -> StreamingResponse:
        try:
            wanted = read_topics(topics)
        except ValueError as error:
            raise HTTPException(400, "topics are `runs`, `agents` and `run:ID`, at most 8 of them") from error
        words = hub.stream(_who(request), wanted, seen=seen)
        return StreamingResponse(words, media_type="text/event-stream", headers=_HEADERS)

    return router


def _who(request: Request) -> str:
    session = getattr(request.state, "session", None)
    return str(session or (request.client.host if request.client else ""))
