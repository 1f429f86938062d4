"""`POST /api/v1/hooks/NAME`: has the flow of a schedule run, for whoever shows the secret of its webhook."""

import asyncio
import json
import math
from functools import partial
from typing import Any, Final, NoReturn

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from schedulerd.clock import Clock
from schedulerd.domain.nesting import TOO_DEEP, is_too_deep
from schedulerd.errors import BadParameters, Conflict, NotPermitted, Unreachable
from schedulerd.operations.webhooks import Call, Called, Webhooks
from schedulerd.web.api.answers import Answer
from schedulerd.web.blocking import Blocking, TooBusyError
from schedulerd.web.gate import Gate
from schedulerd.web.problems import problem
from schedulerd.web.routers import documented_router
from schedulerd.web.wrong_secrets import WrongSecrets

PREFIX: Final = "/api/v1/hooks/"
LONGEST_BODY: Final = 256 * 1024
BODY_SECONDS: Final = 10.0
"""How long the body may take to come."""

_LONGEST_KEY: Final = 255
_AGAIN_SECONDS: Final = 5
_NOBODY: Final = "there is no such webhook, or this is not its secret"


class CallAnswer(Answer):
    """The run that was asked for; null where the schedule is paused. `is_new` is false for a call that came before."""

    id: str | None
    run: str | None
    state: str | None
    is_new: bool


_BODY: Final = {
    "requestBody": {"content": {"application/json": {"schema": {"description": "Any JSON, up to 256 KiB."}}}},
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": _LONGEST_KEY},
            "description": "Calls with the same key ask for one run.",
        }
    ],
}


def hooks(webhooks: Webhooks, clock: Clock) -> APIRouter:
    """The route."""
    router = documented_router("webhooks")
    door = _Door(webhooks, clock)

    @router.post(
        PREFIX + "{hook}",
        status_code=202,
        operation_id="call_webhook",
        response_model=CallAnswer,
        openapi_extra=_BODY,
    )
    async def call(hook: str, request: Request) -> Response:
        """Ask for a run by a webhook, with its secret as a bearer token. What the body is for, its schedule says."""
        return await door.answer(hook, request)

    return router


class _Refused(Exception):
    def __init__(self, status: int, detail: str, *, wait: float | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.wait = wait


class _Door:
    """Looks at the secret first, then at the rest."""

    def __init__(self, webhooks: Webhooks, clock: Clock) -> None:
        self._webhooks: Final = webhooks
        self._clock: Final = clock
        self._blocking: Final = Blocking()
        self._gate: Final = Gate(webhooks.digests, self._blocking, clock.monotonic)
        self._wrong: Final = WrongSecrets()

    async def answer(self, hook: str, request: Request) -> Response:
        try:
            return _accepted(await self._called(hook, request))
        except _Refused as refused:
            return _refusal(request, refused)

    async def _called(self, hook: str, request: Request) -> Called:
        try:
            digest = await self._let_in(hook, request)
            key = _key(request)
            body = await _body(request)
            call = Call(hook=hook, digest=digest, body=body, key=key)
            return await self._blocking.run(partial(self._webhooks.call, call))
        except NotPermitted as error:
            raise self._unknown(request) from error
        except BadParameters as error:
            raise _Refused(422, error.message) from error
        except Conflict as error:
            raise _Refused(409, error.message) from error
        except (Unreachable, TooBusyError) as error:
            again = "call again, with the same Idempotency-Key"
            raise _Refused(503, f"the database does not answer now: {again}", wait=_AGAIN_SECONDS) from error

    async def _let_in(self, hook: str, request: Request) -> bytes:
        wait = self._wrong.wait(_address(request), self._clock.monotonic())
        if wait > 0:
            raise _Refused(429, "too many wrong secrets came from there", wait=wait)
        digest = await self._gate.let_in(hook, request.headers.get("authorization", ""))
        if digest is None:
            raise self._unknown(request)
        self._wrong.note_right(_address(request))
        return digest

    def _unknown(self, request: Request) -> _Refused:
        self._wrong.note(_address(request), self._clock.monotonic())
        return _Refused(401, _NOBODY)


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host


def _key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isprintable()):
        raise _Refused(400, f"an Idempotency-Key has at most {_LONGEST_KEY} printable characters")
    return key


async def _body(request: Request) -> Any:
    """The body as JSON; None where there is none."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            raw = b""
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > LONGEST_BODY:
                    raise _Refused(413, f"the body has at most {LONGEST_BODY} bytes")
    except TimeoutError as error:
        raise _Refused(408, "the body did not come in time") from error
    except ClientDisconnect as error:  # nobody will see this
        raise _Refused(400, "the body did not come whole") from error
    if not raw:
        return None
    try:
        return _plain(json.loads(raw, parse_constant=_no_number, parse_float=_finite))
    except (ValueError, RecursionError) as error:
        raise _Refused(400, "the body is not JSON, or is nested too deeply") from error


def _plain(value: Any) -> Any:
    """The value, which a database and a process can be given. Raises `ValueError`."""
    json.dumps(value, ensure_ascii=False).encode()  # no half of a surrogate pair
    if is_too_deep(value):
        raise ValueError(TOO_DEEP)
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _accepted(called: Called) -> JSONResponse:
    run = called.run
    shape = {
        "id": None if run is None else str(run.id),
        "run": None if run is None else run.selector,
        "state": None if run is None else run.state.value,
        "is_new": called.is_new,
    }
    return JSONResponse(shape, 202)


def _refusal(request: Request, refused: _Refused) -> JSONResponse:
    answer = problem(request, refused.status, refused.detail)
    if refused.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if refused.wait is not None:
        answer.headers["Retry-After"] = str(int(refused.wait) + 1)
    return answer
