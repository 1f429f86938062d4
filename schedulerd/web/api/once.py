"""`Idempotency-Key`: a request that changes something is done once, and answered alike however often it is sent."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from schedulerd.domain.access import Principal
from schedulerd.domain.replies import Reply
from schedulerd.operations.operations import Operations
from schedulerd.operations.shapes import Shape
from schedulerd.web.api.asking import compact
from schedulerd.web.blocking import Blocking, TooBusyError

HEADER: Final = "Idempotency-Key"
LONGEST: Final = 255
_AGAIN: Final = {"Retry-After": "5"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """What a request came to."""

    status: int
    shape: Shape
    location: str = ""


Work = Callable[[str | None], Done]
"""What is to be done, given a key under which a run may be recorded once."""


class Once:
    """Does what requests ask, beside the event loop."""

    def __init__(self, operations: Operations, blocking: Blocking) -> None:
        self._operations: Final = operations
        self._blocking: Final = blocking

    async def answer(self, request: Request, work: Work) -> Response:
        """Have it done, or tell what was answered before to the same request with the same key."""
        key, body = _key(request), await request.body()
        try:
            return await self._blocking.run(lambda: self._answer(request, key, body, work))
        except TooBusyError as error:
            raise HTTPException(503, "too much is being done at once; ask again", _AGAIN) from error

    def _answer(self, request: Request, key: str | None, body: bytes, work: Work) -> Response:
        if key is None:
            return _response(_reply(work(None)))
        who = _who(request)
        of_caller = _digest(who, key)
        fingerprint = _digest(request.method, request.url.path, who, body.hex())
        reply, is_replay = self._operations.replies.once(
            of_caller, fingerprint, lambda mark: _reply(work(f"api {mark}"))
        )
        answer = _response(reply)
        if is_replay:
            answer.headers["Idempotent-Replayed"] = "true"
        return answer


def _who(request: Request) -> str:
    """Whose key it is: nobody is answered what was answered to somebody else."""
    principal: Principal | None = getattr(request.state, "principal", None)
    return "" if principal is None else json.dumps([principal.name, principal.user])


def _key(request: Request) -> str | None:
    key = request.headers.get(HEADER)
    if key is not None and not (0 < len(key) <= LONGEST and key.isprintable()):
        raise HTTPException(400, f"an {HEADER} has at most {LONGEST} printable characters")
    return key


def _digest(*parts: str) -> str:
    return sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _reply(done: Done) -> Reply:
    return Reply(status=done.status, body=compact(done.shape), location=done.location)


def _response(reply: Reply) -> Response:
    headers = {"Location": reply.location} if reply.location else {}
    return Response(reply.body, reply.status, headers, media_type="application/json")
