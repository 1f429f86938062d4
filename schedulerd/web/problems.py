"""Errors as they are told: to programs as RFC 9457 problem documents, with a pointer to each field that needs attention; to
people as a page that says the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from schedulerd.errors import (
    Ambiguous,
    BadDefinition,
    BadExpression,
    BadParameters,
    Conflict,
    NotFound,
    NotPermitted,
    SchedulerdError,
    Stale,
    Unreachable,
)
from schedulerd.sentences import in_language, said
from schedulerd.web.answer_headers import complete
from schedulerd.web.problem_types import type_of
from schedulerd.web.rendering import Pages
from schedulerd.web.segments import path_of

_MEDIA_TYPE: Final = "application/problem+json"
_OF_QUERIES: Final[Mapping[str, str]] = {
    "unknown-field": "unknown-field",
    "cursor-mismatch": "cursor-mismatch",
    "cursor": "bad-cursor",
}
STATUS: Final[Mapping[type[SchedulerdError], int]] = {
    NotFound: 404,
    Ambiguous: 409,
    Stale: 412,
    Conflict: 409,
    NotPermitted: 403,
    BadDefinition: 422,
    BadParameters: 422,
    BadExpression: 422,
    Unreachable: 503,
}
"""The nearest class of an error in its line of descent counts; what is in none of them is a fault of ours."""

API: Final = "/api/"
_AGAIN_SECONDS: Final = 5


class BadField(Exception):
    """A field of a request is not valid: `pointer` (RFC 6901) says which, and `error` why."""

    def __init__(self, pointer: str, error: BadExpression) -> None:
        super().__init__(error.reason)
        self.pointer = pointer
        self.error = error


class BadQuery(Exception):
    """A parameter of the query of a request is not valid: `parameter` says which, and `error` why."""

    def __init__(self, parameter: str, error: BadExpression) -> None:
        super().__init__(error.reason)
        self.parameter = parameter
        self.error = error


class Refusal(Exception):
    """A request is refused with this status; `slug` names the kind of the problem where the status alone does not."""

    def __init__(self, status: int, detail: str, *, slug: str = "", mend: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.slug = slug
        self.mend = mend


class Problem(JSONResponse):
    """A problem document; `told` is what it says."""

    media_type = _MEDIA_TYPE

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(told, told["status"])
        self.told: Final = told

    def by(self, translate: Callable[[str], str]) -> "Problem":
        """The same in another language: its title, and the sentences in it. Codes and values stay."""
        body: dict[str, Any] = {name: in_language(one, translate) for name, one in self.told.items()}
        body["title"] = translate(self.told["title"])
        if "errors" in body:
            body["errors"] = [
                {name: in_language(value, translate) for name, value in one.items()} for one in body["errors"]
            ]
        answer = Problem(body)
        for name, value in self.headers.items():
            if name not in ("content-length", "content-type"):
                answer.headers[name] = value
        return answer


def problem(
    request: Request,
    status: int,
    detail: str,
    errors: Sequence[Mapping[str, Any]] = (),
    *,
    slug: str = "",
    mend: str = "",
) -> Problem:
    """The answer that says what is wrong, and with `mend` what to do. Without a `slug` the status tells the kind of problem."""
    kind = type_of(status, slug)
    body: dict[str, Any] = {
        "type": f"/problems/{kind.slug}",
        "title": kind.title,
        "status": status,
        "detail": detail,
        "instance": path_of(request),
    }
    if mend:
        body["mend"] = mend
    if errors:
        body["errors"] = list(errors)
    return Problem(body)


def status_of(error: SchedulerdError) -> int:
    """The HTTP status for an error."""
    return next((STATUS[one] for one in type(error).__mro__ if one in STATUS), 500)


def tell_problems(app: FastAPI, pages: Pages) -> None:
    """Have every error told in this way."""
    telling = _Telling(pages)
    app.add_exception_handler(BadField, telling.of_field)
    app.add_exception_handler(BadQuery, telling.of_query)
    app.add_exception_handler(Refusal, telling.of_refusal)
    app.add_exception_handler(RequestValidationError, telling.of_request)
    app.add_exception_handler(HTTPException, telling.of_http)
    app.add_exception_handler(SchedulerdError, telling.of_ours)
    app.add_exception_handler(Exception, telling.of_fault)


class _Telling:
    """Programs, which call the API, get the document; a browser gets the page."""

    def __init__(self, pages: Pages) -> None:
        self._pages: Final = pages

    async def of_field(self, request: Request, error: Exception) -> Response:
        return self._shown(request, _bad_field(request, error))

    async def of_query(self, request: Request, error: Exception) -> Response:
        return self._shown(request, _bad_query(request, error))

    async def of_refusal(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        told = problem(request, error.status, error.detail, slug=error.slug, mend=error.mend)
        return self._shown(request, told)

    async def of_request(self, request: Request, error: Exception) -> Response:
        return self._shown(request, _invalid(request, error))

    async def of_http(self, request: Request, error: Exception) -> Response:
        return self._shown(request, _refused(request, error))

    async def of_ours(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, SchedulerdError)
        return self._shown(request, _of_ours(request, error), mend=error.mend)

    async def of_fault(self, request: Request, error: Exception) -> Response:
        answer = self._shown(request, _fault(request))
        complete(answer.headers)  # this one is made outside of the door
        return answer

    def _shown(self, request: Request, told: "Problem", *, mend: str = "") -> Response:
        return shown(self._pages, request, told, mend=mend)


def shown(pages: Pages, request: Request, told: Problem, *, mend: str = "") -> Response:
    """The problem as whoever asks takes it: the document for the API, else a page."""
    if request.url.path.startswith(API):
        answer = told.by(pages.translate(request))
        answer.headers.add_vary_header("Accept-Language")
        answer.headers["Content-Language"] = pages.preferences(request).locale
        return answer
    headers = {name: told.headers[name] for name in ("allow", "retry-after") if name in told.headers}
    return pages.render(
        request,
        "problem.html",
        status=told.status_code,
        headers=headers,
        problem=told.told,
        mend=mend or told.told.get("mend", ""),
    )


def _of_ours(request: Request, error: SchedulerdError) -> "Problem":
    status = status_of(error)
    if status == 500:
        return _fault(request)
    answer = problem(request, status, error.message, mend=error.mend)
    if status == 503:
        answer.headers["Retry-After"] = str(_AGAIN_SECONDS)
    return answer


def _bad_field(request: Request, error: Exception) -> "Problem":
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


def _bad_query(request: Request, error: Exception) -> "Problem":
    assert isinstance(error, BadQuery)
    said = error.error
    entry = {
        "parameter": error.parameter,
        "code": said.code,
        "detail": said.reason,
        "start": said.start,
        "end": said.end,
    }
    slug = "bad-filter" if said.code.startswith("filter.") else _OF_QUERIES.get(said.code, "")
    return problem(request, 400, said.reason, [entry], slug=slug)


def _invalid(request: Request, error: Exception) -> Problem:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"pointer": _pointer(one["loc"]), "code": _code(one["type"]), "detail": one["msg"]}
        for one in error.errors()
    ]
    count = len(errors)
    one, many = said("1 field needs attention"), said("{count} fields need attention", count=count)
    return problem(request, 422, one if count == 1 else many, errors)


def _code(kind: str) -> str:
    """The stable word for what is wrong with a field."""
    return "unknown-field" if kind == "extra_forbidden" else kind.replace("_", "-")


def _refused(request: Request, error: Exception) -> Problem:
    assert isinstance(error, HTTPException)
    answer = problem(request, error.status_code, error.detail)
    answer.headers.update(error.headers or {})
    return answer


def _fault(request: Request) -> Problem:
    """A fault of ours: the log has it, a stranger has not."""
    return problem(request, 500, said("something went wrong here; the log of the daemon says what"))


def _pointer(place: Sequence[int | str]) -> str:
    """The place of an error as a JSON pointer within the body."""
    steps = [str(step) for step in place if step != "body"]
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)
