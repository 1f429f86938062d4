"""A form for the parameters of a flow, from the JSON schema of its signature, and what somebody typed into it. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from schedulerd.domain.parameters import misfits, value_of, wanted
from schedulerd.sentences import said

PREFIX: Final = "p."
"""Before the names of parameters among the names of a form."""

_MANY_LINES: Final = 80


class Kind(StrEnum):
    """How a field is typed."""

    TEXT = "text"
    LINES = "lines"
    NUMBER = "number"
    CHOICE = "choice"
    JSON = "json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterField:
    """One field. `text` is what stands in it, `was` what stood there before, where it is another run's value.

    A field that is left empty is not given, so that the flow's own default is taken.
    """

    name: str
    kind: Kind
    text: str
    was: str
    required: bool
    choices: tuple[str, ...]
    wants: str
    description: str
    default: str
    trouble: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """What was typed: the parameters, and what is wrong with them by field; what is of no field is under no name."""

    parameters: Mapping[str, Any]
    troubles: Mapping[str, str]


def fields(
    schema: Mapping[str, Any],
    *,
    values: Mapping[str, Any],
    typed: Mapping[str, str] | None = None,
    troubles: Mapping[str, str] | None = None,
) -> list[ParameterField]:
    """The fields in the order of the signature, filled with `values`, or as they were `typed`."""
    required = set(schema.get("required", ()))
    return [
        _field(
            name,
            one,
            was=_text(values[name], one) if name in values else "",
            typed=None if typed is None else typed.get(name, ""),
            required=name in required,
            trouble=(troubles or {}).get(name, ""),
        )
        for name, one in schema.get("properties", {}).items()
    ]


def read(schema: Mapping[str, Any], typed: Mapping[str, str]) -> Filled:
    """The parameters that were typed; those that are empty are left out."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    given = {
        name: value_of(properties[name], text.replace("\r\n", "\n"))
        for name, text in typed.items()
        if name in properties and text != ""
    }
    troubles = {name: _first(schema, name, given) for name in given}
    missing = {name: said("this is required") for name in schema.get("required", ()) if name not in given}
    return Filled(parameters=given, troubles={name: why for name, why in (troubles | missing).items() if why})


def _first(schema: Mapping[str, Any], name: str, given: Mapping[str, Any]) -> str:
    """What is wrong with one of them, by the rules that the command line goes by too."""
    alone = {**schema, "required": []}
    wrong = misfits(alone, {name: given[name]})
    if not wrong:
        return ""
    reason = wrong[0].values.get("reason", wrong[0])  # the name of the field stands beside it
    return reason if isinstance(reason, str) else wrong[0]


def _field(
    name: str, schema: Mapping[str, Any], *, was: str, typed: str | None, required: bool, trouble: str
) -> ParameterField:
    default = _text(schema["default"], schema) if schema.get("default") is not None else ""
    choices = _choices(schema)
    text = was if typed is None else typed
    return ParameterField(
        name=name,
        kind=_kind(schema, choices, text or default),
        text=text,
        was=was,
        required=required,
        choices=choices,
        wants=wanted(schema),
        description=str(schema.get("description", "")),
        default=default,
        trouble=trouble,
    )


def _choices(schema: Mapping[str, Any]) -> tuple[str, ...]:
    if "enum" in schema:
        return tuple(_text(one, schema) for one in schema["enum"])
    return ("true", "false") if schema.get("type") == "boolean" else ()


def _kind(schema: Mapping[str, Any], choices: Sequence[str], text: str) -> Kind:
    if choices:
        return Kind.CHOICE
    if schema.get("type") in ("integer", "number"):
        return Kind.NUMBER
    if schema.get("type") in ("array", "object"):
        return Kind.JSON
    return Kind.LINES if "\n" in text or len(text) > _MANY_LINES else Kind.TEXT


def _text(value: Any, schema: Mapping[str, Any]) -> str:
    if isinstance(value, str):
        return value
    indent = 2 if schema.get("type") in ("array", "object") else None
    return json.dumps(value, ensure_ascii=False, indent=indent)
