"""The OpenAPI document of the API, from its routes: each with every problem that it can meet."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from schedulerd.version import __version__
from schedulerd.web.api.answers import ProblemAnswer
from schedulerd.web.problem_types import PROBLEM_TYPES, ProblemType
from schedulerd.web.problems import API

Document = dict[str, Any]

OPEN: Final = (("post", "/api/v1/session"), ("post", "/api/v1/hooks/{hook}"))
"""What needs no token: to sign in, and a webhook, which has a secret of its own."""

_SCHEMAS: Final = "#/components/schemas/{model}"
_NOT_OURS: Final = ("HTTPValidationError", "ValidationError")
_TEXT: Final = (
    "JSON in and out: snake_case members, times in UTC as RFC 3339 with milliseconds, durations in milliseconds (`*_ms`), "
    "states as words. A member or parameter that is not known is an error. Errors are problem documents (RFC 9457), and "
    "their `type` leads to a page of this server. Lists come a page at a time, with `Link` headers."
)
_TAGS: Final = (
    ("flows", "What can be run."),
    ("runs", "What runs and ran."),
    ("schedules", "When it runs."),
    ("system", "Who runs it, and how the server does."),
    ("settings", "What flows share: variables, secrets, limits."),
    ("access", "Who may do what."),
    ("webhooks", "Calls from outside that ask for runs."),
    ("reference", "This."),
)
_EXAMPLES: Final = {
    "flow": "etl",
    "schedule": "etl-morning",
    "run": "etl#12",
    "agent": "host-1a2b",
    "name": "region",
    "hook": "deploy",
    "token": "4f0c2a",
    "key": 7,
}
_ANY_STATUS: Final = ("unauthorized", "forbidden", "unknown-parameter", "internal-error", "unavailable")


def document_of(app: FastAPI) -> Document:
    """The document. It is made when it is first asked for."""
    if app.openapi_schema is None:
        app.openapi_schema = _make(app)
    return app.openapi_schema


def _make(app: FastAPI) -> Document:
    made = get_openapi(
        title="schedulerd",
        version=__version__,
        openapi_version="3.1.0",
        description=_TEXT,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in _TAGS],
        license_info={"name": "MIT", "identifier": "MIT"},
    )
    made["paths"] = {path: item for path, item in made["paths"].items() if path.startswith(API)}
    parts = made.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for name in _NOT_OURS:
        schemas.pop(name, None)
    _, problems = models_json_schema([(ProblemAnswer, "serialization")], ref_template=_SCHEMAS)
    schemas |= problems["$defs"]
    parts["responses"] = {slug: _problem_answer(kind) for slug, kind in PROBLEM_TYPES.items()}
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "`schedulerd tokens create` makes one."}
    }
    made["security"] = [{"token": []}]
    for method, path, operation in operations_in(made):
        _complete(method, path, operation)
    return made


def operations_in(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Each operation of the document: its method, path and description."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def _complete(method: str, path: str, operation: Document) -> None:
    """Tell what FastAPI does not know of: problems, headers, examples, and in words what it is called."""
    text = operation.setdefault("description", f"{operation['summary'].strip().capitalize()}.")
    operation["summary"] = text.partition("\n")[0].rstrip(".")
    if (method, path) in OPEN:
        operation["security"] = []
    parameters = {one["name"]: one for one in operation.get("parameters", ())}
    for one in operation.get("parameters", ()):
        if one["in"] == "path":
            one["example"] = _EXAMPLES.get(one["name"], one["name"])
    answers = operation["responses"]
    answers.pop("422", None)
    for answer in answers.values():
        if answer["description"] == "Successful Response":
            answer["description"] = "Done."
    if "if-none-match" in parameters:
        answers["304"] = {"description": "What is known already is still so.", "headers": _etag()}
        answers.get("200", {})["headers"] = _etag()
    if "after" in parameters and "before" in parameters:
        answers["200"]["headers"] = {
            "Link": {"description": "Where the pages beside this one are (RFC 8288).", **_text()}
        }
    for slug in _problems(method, parameters, has_body="requestBody" in operation):
        _add_problem(answers, PROBLEM_TYPES[slug])


def _problems(method: str, parameters: Document, *, has_body: bool) -> Iterator[str]:
    """What can be wrong with such a request."""
    yield from _ANY_STATUS
    if parameters or has_body:
        yield from ("not-found", "validation-error")
    if "if-match" in parameters:
        yield from ("precondition-failed", "precondition-required")
    if method != "get":
        yield from ("conflict", "too-large", "unsupported-media-type", "too-many-requests")


def _add_problem(answers: Document, kind: ProblemType) -> None:
    answers.setdefault(str(kind.status), {"$ref": f"#/components/responses/{kind.slug}"})


def _problem_answer(kind: ProblemType) -> Document:
    example = {
        "type": f"/problems/{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": kind.meaning,
        "instance": "/api/v1/flows",
    }
    schema = {"$ref": _SCHEMAS.format(model="ProblemAnswer")}
    content = {"application/problem+json": {"schema": schema, "example": example}}
    return {"description": f"{kind.title}.", "content": content}


def _etag() -> Document:
    return {"ETag": {"description": "Which version this is.", **_text()}}


def _text() -> Document:
    return {"schema": {"type": "string"}}
