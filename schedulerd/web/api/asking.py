"""What a request asks with its query, read strictly: a name that is not known is a mistake, and told as one."""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from fastapi import Request

from schedulerd.domain.near import near
from schedulerd.domain.run_filters import PARAMETER, Term, term_of
from schedulerd.errors import BadExpression
from schedulerd.web.problems import BadQuery, Refusal

FILTERS: Final = ("state", "flow", "tag", "schedule", "agent", "trigger", "since", "until", "dur", "error")
"""The keys of a filter that may stand in a query by themselves; `param.NAME` too."""


def filters_and(names: Collection[str]) -> Callable[[Request], None]:
    """A dependency that refuses a query with any name but these, the keys of filters, and `param.NAME`; with the nearest one."""
    names = (*FILTERS, *names)

    def refuse(request: Request) -> None:
        for name in request.query_params:
            if name in names or name.startswith(PARAMETER):
                continue
            close = near(name, names) or sorted(names)
            raise Refusal(
                400,
                f"there is no parameter {name!r} here",
                slug="unknown-parameter",
                mend=f"did you mean {', '.join(close)}?",
            )

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


def compact(value: Any) -> str:
    """JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
