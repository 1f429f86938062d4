"""The page about the REST API, from its OpenAPI document."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from schedulerd.clock import SystemClock
from schedulerd.operations.operations import Operations
from schedulerd.store.database import Database
from schedulerd.web.api_reference import Field, Group, Model, OperationPage, groups_of, models_of
from schedulerd.web.app import make_app
from schedulerd.web.openapi import Document, document_of
from schedulerd.web.problem_types import PROBLEM_TYPES

_NOWHERE: Final = Path("/nowhere")


def the_document() -> Document:
    """The document of the whole application, over a database that is never opened."""
    clock = SystemClock()
    operations = Operations(Database(f"sqlite:///{_NOWHERE / 'nothing.db'}"), state_dir=_NOWHERE, clock=clock)
    app = make_app(hosts={"localhost"}, clock=clock, operations=operations, webhooks=operations.webhooks)
    return document_of(app)


def api_page() -> str:
    """Every operation with its parameters and an example, every model, every kind of problem."""
    document = the_document()
    models = models_of(document)
    names = [one.name for one in models]
    parts = [
        "# The REST API",
        document["info"]["description"],
        "The same as a page of the server: `/api/docs`; for programs: `/api/v1/openapi.json`. A token comes from "
        "`schedulerd tokens create`.",
        *(part for group in groups_of(document) for part in _group(group, names)),
        "## Models",
        *(part for model in models for part in _model(model, names)),
        "## Problems",
        "A problem document has a `type`, which leads to a page of the server: `/problems/validation-error`.",
        _table(
            ("type", "status", "meaning", "what to do"),
            [(f"`{one.slug}`", str(one.status), one.meaning, one.mend) for one in PROBLEM_TYPES.values()],
        ),
    ]
    return "\n\n".join(part for part in parts if part)


def _group(group: Group, names: Sequence[str]) -> Iterator[str]:
    yield f"## {group.name.capitalize()}"
    yield group.meaning
    for one in group.operations:
        yield from _operation(one, names)


def _operation(one: OperationPage, names: Sequence[str]) -> Iterator[str]:
    yield f"### `{one.method} {one.path}`"
    yield one.text
    if one.parameters:
        rows = [_row(field, names, field.place) for field in one.parameters]
        yield _table(("parameter", "where", "kind", "meaning"), rows)
    if one.body:
        yield f"Body: {_linked(one.body, names)}."
    told = [f"{answer.status} {_linked(answer.model, names)}".strip() for answer in one.answers]
    yield f"Answers: {', '.join(told)}; problems: {', '.join(problem.status for problem in one.problems)}."
    yield f"```text\n{one.curl}\n```"


def _model(model: Model, names: Sequence[str]) -> Iterator[str]:
    yield f"### {model.name}"
    yield model.meaning
    if model.words:
        yield f"One of {', '.join(f'`{word}`' for word in model.words)}."
    if model.fields:
        rows = [
            (f"`{one.name}`", _linked(one.kind, names), "" if one.is_required else "may be left out")
            for one in model.fields
        ]
        yield _table(("member", "kind", ""), rows)


def _row(field: Field, names: Sequence[str], place: str) -> tuple[str, ...]:
    return (f"`{field.name}`", place, _linked(field.kind, names), field.meaning)


def _linked(kind: str, names: Sequence[str]) -> str:
    """The kind, with a link to each model in it."""
    return re.sub(
        r"\w+", lambda word: f"[{word[0]}](#{word[0].lower()})" if word[0] in names else word[0], kind
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
