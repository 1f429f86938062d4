"""The OpenAPI document as people read it: operations with an example each, and models field by field. For the page and the docs."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from schedulerd.web.openapi import Document, operations_in

HOST: Final = "http://localhost:8080"
_REF: Final = "#/components/schemas/"
_ANSWERS: Final = "#/components/responses/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A parameter, or a member of a body or an answer. `place` is of a parameter: path, query or header."""

    name: str
    kind: str
    is_required: bool
    meaning: str
    place: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What may be answered: the status, what it means, and the model of the body, if there is one."""

    status: str
    meaning: str
    model: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OperationPage:
    """An operation. `curl` is a command that calls it."""

    id: str
    method: str
    path: str
    summary: str
    text: str
    parameters: Sequence[Field]
    body: str
    example: str
    answers: Sequence[Told]
    problems: Sequence[Told]
    curl: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Operations that belong together."""

    name: str
    meaning: str
    operations: Sequence[OperationPage]


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """What a body or an answer has in it, or the words that a value may be."""

    name: str
    meaning: str
    fields: Sequence[Field]
    words: Sequence[str]


def groups_of(document: Document) -> list[Group]:
    """The operations, by tag."""
    tags = {one["name"]: one["description"] for one in document["tags"]}
    by_tag: dict[str, list[OperationPage]] = {name: [] for name in tags}
    for method, path, operation in operations_in(document):
        page = _operation(document, method, path, operation)
        by_tag.setdefault(operation.get("tags", ["other"])[0], []).append(page)
    return [
        Group(name=name, meaning=tags.get(name, ""), operations=found)
        for name, found in by_tag.items()
        if found
    ]


def models_of(document: Document) -> list[Model]:
    """The models, by name; generic ones are told where they are used."""
    schemas = document["components"]["schemas"]
    return [_model(name, schema) for name, schema in sorted(schemas.items())]


def kind_of(schema: Mapping[str, Any]) -> str:
    """The kind of a value, in words: `text`, `list of FlowAnswer`, `integer or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REF)
    if choices := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(kind_of(one) for one in choices))
    if words := schema.get("enum"):
        return " or ".join(f"`{one}`" for one in words)
    if "const" in schema:
        return f"`{schema['const']}`"
    match schema.get("type"):
        case "array":
            return f"list of {kind_of(schema.get('items', {}))}"
        case "string":
            return "moment" if schema.get("format") == "date-time" else "text"
        case "object":
            return "object"
        case None:
            return "any JSON"
        case kind:
            return str(kind)


def _operation(document: Document, method: str, path: str, operation: Document) -> OperationPage:
    parameters = [_parameter(one) for one in operation.get("parameters", ())]
    schema = _content(operation.get("requestBody", {}))
    example = _example(document, schema)
    told = list(_told(document, operation["responses"]))
    return OperationPage(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        text=operation.get("description", ""),
        parameters=parameters,
        body=kind_of(schema) if schema else "",
        example=example,
        answers=[one for one in told if one.status < "400"],
        problems=[one for one in told if one.status >= "400"],
        curl=_curl(method, path, operation, example),
    )


def _parameter(one: Document) -> Field:
    schema, default = one["schema"], one["schema"].get("default")
    meaning = one.get("description", "")
    if default not in (None, "", []):
        meaning = f"{meaning} Default: {default}.".strip()
    return Field(
        name=one["name"],
        kind=kind_of(schema).removesuffix(" or null"),
        is_required=one.get("required", False),
        meaning=meaning,
        place=one["in"],
    )


def _told(document: Document, answers: Document) -> Iterator[Told]:
    for status, answer in sorted(answers.items()):
        reference = answer.get("$ref", "").removeprefix(_ANSWERS)
        found = document["components"]["responses"][reference] if reference else answer
        schema = _content(found)
        model = "" if reference or not schema else kind_of(schema)
        yield Told(status=status, meaning=found["description"], model=model)


def _content(holder: Document) -> Document:
    """The schema of a body, whatever its media type; empty where there is none."""
    kinds = holder.get("content", {})
    return next((dict(one.get("schema", {})) for one in kinds.values()), {})


def _example(document: Document, schema: Document) -> str:
    """An example of a body, as JSON; empty where there is none."""
    name = schema.get("$ref", "").removeprefix(_REF)
    found = document["components"]["schemas"].get(name, schema).get("examples", [])
    return json.dumps(found[0], ensure_ascii=False) if found else ""


def _curl(method: str, path: str, operation: Document, example: str) -> str:
    parameters = operation.get("parameters", ())
    for one in parameters:
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", quote(str(one["example"]), safe=""))
    words = ["curl"] + ([] if method == "get" else ["-X", method.upper()])
    lines = [" ".join([*words, shlex.quote(HOST + path)])]
    if operation.get("security") != []:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if any(one["name"] == "if-match" for one in parameters):
        lines.append("""-H 'If-Match: "0f3a…"'""")
    if example:
        lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(example)}"]
    return " \\\n  ".join(lines)


def _model(name: str, schema: Document) -> Model:
    required = schema.get("required", ())
    return Model(
        name=name,
        meaning=schema.get("description", ""),
        fields=[
            Field(
                name=member,
                kind=kind_of(one),
                is_required=member in required,
                meaning=one.get("description", ""),
            )
            for member, one in schema.get("properties", {}).items()
        ],
        words=[str(one) for one in schema.get("enum", ())],
    )
