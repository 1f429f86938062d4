"""What a request asks with its query, read strictly: a name that is not known is a mistake, and told as one."""

import json
from collections.abc import Callable, Collection, Sequence
from hashlib import sha256
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from schedulerd.domain.near import near
from schedulerd.domain.run_filters import PARAMETER, Term, term_of
from schedulerd.errors import BadExpression
from schedulerd.web.problems import BadQuery

FILTERS: Final = ("state", "flow", "tag", "schedule", "agent", "trigger", "since", "until", "dur", "error")
"""The keys of a filter that may stand in a query by themselves; `param.NAME` too."""


def only(names: Collection[str], *, parameters: bool = False) -> Callable[[Request], None]:
    """A dependency that refuses any other name in the query, with the nearest one; `param.NAME` is one of `parameters`."""

    def refuse(request: Request) -> None:
        for name in request.query_params:
            if name in names or (parameters and name.startswith(PARAMETER)):
                continue
            close = near(name, names) or tuple(sorted(names))
            reason = f"there is no parameter {name!r} here; did you mean {', '.join(close)}?"
            raise BadQuery(name, BadExpression(reason, expression=name, code="unknown-parameter"))

    return refuse


def filter_terms(request: Request) -> Sequence[Term]:
    """The terms of a filter that stand in the query by themselves. Raises `BadQuery`."""
    found = []
    for name, value in request.query_params.multi_items():
        if name in FILTERS or name.startswith(PARAMETER):
            try:
                found.append(term_of(name, value))
            except BadExpression as error:
                raise BadQuery(name, error) from error
    return found


def sparse(shapes: Sequence[dict[str, Any]], fields: str, known: Collection[str]) -> list[dict[str, Any]]:
    """The shapes with only these fields, in their order. Raises `BadQuery` for one that there is not."""
    wanted = [name.strip() for name in fields.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            close = ", ".join(near(name, known) or sorted(known))
            start = fields.index(name)
            raise BadQuery(
                "fields",
                BadExpression(
                    f"there is no field {name!r}; did you mean {close}?",
                    expression=fields,
                    start=start,
                    end=start + len(name),
                    code="unknown-field",
                ),
            )
    return [{name: shape[name] for name in wanted} for shape in shapes]


def tagged(request: Request, shape: Any) -> Response:
    """The answer with its ETag; 304 without a body where the caller has it already."""
    answer = JSONResponse(shape)
    etag = f'"{sha256(bytes(answer.body)).hexdigest()[:24]}"'
    held = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    if etag in held or "*" in held:
        return Response(status_code=304, headers={"ETag": etag})
    answer.headers["ETag"] = etag
    return answer


def compact(value: Any) -> str:
    """JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
