"""Errors as the API tells them: RFC 9457 problem documents, with a pointer to each field that needs attention."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from schedulerd.errors import BadExpression

_MEDIA_TYPE: Final = "application/problem+json"
_TITLES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad-request", "The request is not as it has to be"),
    401: ("unauthorized", "This needs a secret"),
    403: ("forbidden", "This is not allowed"),
    404: ("not-found", "There is nothing here"),
    405: ("method-not-allowed", "This cannot be done here"),
    408: ("timeout", "The request took too long"),
    409: ("conflict", "This cannot be done now"),
    413: ("too-large", "The request is too large"),
    415: ("unsupported-media-type", "The request must be JSON"),
    422: ("validation-error", "The request is not valid"),
    429: ("too-many-requests", "Too many requests"),
    503: ("unavailable", "This cannot be done just now"),
}


class BadField(Exception):
    """A field of a request is not valid: `pointer` (RFC 6901) says which, and `error` why."""

    def __init__(self, pointer: str, error: BadExpression) -> None:
        super().__init__(error.reason)
        self.pointer = pointer
        self.error = error


def problem(
    request: Request, status: int, detail: str, errors: Sequence[Mapping[str, Any]] = ()
) -> JSONResponse:
    """The answer that says what is wrong."""
    slug, title = _TITLES.get(status, ("error", "This did not work"))
    body: dict[str, Any] = {
        "type": f"/problems/{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
    }
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status, media_type=_MEDIA_TYPE)


def tell_problems(app: FastAPI) -> None:
    """Have every error of the API told in this way."""
    app.add_exception_handler(BadField, _bad_field)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _unexpected)


async def _bad_field(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BadField)
    said = error.error
    entry = {
        "pointer": error.pointer,
        "code": said.code,
        "detail": said.reason,
        "start": said.start,
        "end": said.end,
    }
    return problem(request, 422, said.reason, [entry])


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"pointer": _pointer(one["loc"]), "code": one["type"].replace("_", "-"), "detail": one["msg"]}
        for one in error.errors()
    ]
    fields = "1 field needs" if len(errors) == 1 else f"{len(errors)} fields need"
    return problem(request, 422, f"{fields} attention", errors)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    answer = problem(request, error.status_code, error.detail)
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: the log has it, a stranger has not."""
    return problem(request, 500, "something went wrong here; the log of the daemon says what")


def _pointer(place: Sequence[int | str]) -> str:
    """The place of an error as a JSON pointer within the body."""
    steps = [str(step) for step in place if step != "body"]
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)
