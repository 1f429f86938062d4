"""Whether parameters fit a flow, by the JSON schema that inspecting its file gave. Pure."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from schedulerd.domain.names import did_you_mean
from schedulerd.domain.nesting import TOO_DEEP, is_too_deep
from schedulerd.errors import BadParameters
from schedulerd.sentences import Sentence, joined, said

Schema = Mapping[str, Any]

LOAD_IT: Final = said(
    'store it with `schedulerd secrets set NAME`, and load it in the flow: `Secret.load("NAME").get()`'
)


def check_parameters(flow: str, schema: Schema, given: Mapping[str, Any]) -> None:
    """Raise `BadParameters`, with all that is wrong, unless `given` has the names and types that the schema asks for."""
    if wrong := misfits(schema, given):
        raise BadParameters(
            said("flow {flow!r}: {listed}", flow=flow, listed=joined("; ", wrong)),
            mend=said("`schedulerd flows show {flow}` lists them", flow=flow),
        )


def misfits(schema: Schema, given: Mapping[str, Any]) -> list[Sentence]:
    """All that is wrong with what is given: names that there are not, or that are missing, and other types."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    return [
        *_unknown(properties, given, open_ended=_takes_any(schema)),
        *_missing(schema.get("required", ()), given),
        *(
            said(
                "parameter {name!r}: {reason}",
                name=name,
                reason=said("{value} is not {wanted}", value=_shown(value), wanted=wanted(properties[name])),
            )
            for name, value in given.items()
            if name in properties and not _fits(properties[name], value)
        ),
        *(
            said("parameter {name!r}: {reason}", name=name, reason=said("it {reason}", reason=TOO_DEEP))
            for name, value in given.items()
            if is_too_deep(value)
        ),
    ]


def require_storable(flow: str, schema: Schema, given: Mapping[str, Any]) -> None:
    """Raise `BadParameters`, without their values, where secrets are given: parameters are kept with the run, to be seen."""
    if secret := secret_among(schema, given):
        names = ", ".join(map(repr, secret))
        raise BadParameters(
            said(
                "flow {flow!r}: a secret is not given as a parameter ({names}): parameters are kept with the run, for all to see",
                flow=flow,
                names=names,
            ),
            mend=LOAD_IT,
        )


def secret_among(schema: Schema, given: Mapping[str, Any]) -> list[str]:
    """The names of what is given for which the schema says that it is not to be shown."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    return sorted(name for name in given if name in properties and _is_secret(properties[name]))


def _is_secret(schema: Any) -> bool:
    """Does any part of it ask for what is not to be shown?"""
    if isinstance(schema, Mapping):
        return schema.get("writeOnly") is True or any(map(_is_secret, schema.values()))
    return isinstance(schema, list) and any(map(_is_secret, schema))


def without_required(schema: Schema, names: Iterable[str]) -> Schema:
    """The schema, by which these need not be given."""
    left = [name for name in schema.get("required", ()) if name not in set(names)]
    return {**schema, "required": left} if schema else schema


def value_of(schema: Schema, text: str) -> Any:
    """What a parameter typed as text stands for: JSON where the schema asks for more than a text, else the text."""
    types = _types(schema)
    if not types or "string" in types:
        return None if text == "null" and "null" in types else text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _unknown(
    properties: Mapping[str, Schema], given: Mapping[str, Any], *, open_ended: bool
) -> Iterable[Sentence]:
    if open_ended:
        return ()
    if not properties:
        return (said("it takes no parameters, but was given {name!r}", name=name) for name in given)
    return (
        said("there is no parameter {name!r}; {hint}", name=name, hint=did_you_mean(name, properties))
        for name in given
        if name not in properties
    )


def _takes_any(schema: Schema) -> bool:
    """May there be parameters that the schema does not name? A flow without a schema, a command, takes none."""
    return bool(schema) and schema.get("additionalProperties") is not False


def _missing(required: Iterable[str], given: Mapping[str, Any]) -> Iterable[Sentence]:
    return (said("parameter {name!r} is required", name=name) for name in required if name not in given)


def _members(schema: Schema) -> Sequence[Schema]:
    """The schemas one of which is to fit; none where it is a single one."""
    members: Sequence[Schema] = schema.get("anyOf") or schema.get("oneOf") or ()
    return members


def _types(schema: Schema) -> frozenset[str]:
    """The JSON types that are allowed; empty where any is. A default tells the type where nothing else does."""
    if members := _members(schema):
        types = [_types(member) for member in members]
        return frozenset().union(*types) if all(types) else frozenset()
    if "const" in schema:
        return frozenset({_type_of(schema["const"])})
    if "enum" in schema:
        return frozenset(map(_type_of, schema["enum"]))
    if "type" in schema:
        return frozenset({schema["type"]} if isinstance(schema["type"], str) else schema["type"])
    if schema.get("default") is not None:
        return frozenset({_type_of(schema["default"])})
    return frozenset()


def _type_of(value: Any) -> str:
    return next(name for name, is_one in _IS_A.items() if is_one(value))


_IS_A: Final[Mapping[str, Callable[[Any], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list | tuple),
    "object": lambda value: isinstance(value, Mapping),
}


def _fits(schema: Schema, value: Any) -> bool:
    """Does the value have an allowed type? What lies inside a list or an object is for the run to judge."""
    if members := _members(schema):
        return any(_fits(member, value) for member in members)
    if "const" in schema:
        return bool(value == schema["const"])
    if "enum" in schema:
        return value in schema["enum"]
    if "type" not in schema:
        return True
    return any(_IS_A[name](value) for name in _types(schema) if name in _IS_A)


def wanted(schema: Schema) -> Sentence:
    """What the schema asks for, in words: `a whole number`."""
    if members := _members(schema):
        return _either([wanted(member) for member in members])
    if "const" in schema:
        return joined("", (json.dumps(schema["const"], ensure_ascii=False),))
    if "enum" in schema:
        listed = ", ".join(json.dumps(each, ensure_ascii=False) for each in schema["enum"])
        return said("one of {listed}", listed=listed)
    return _either([_NAMES.get(name, name) for name in sorted(_types(schema))]) or said("anything")


def _either(names: Sequence[str]) -> Sentence:
    """`a text or null`."""
    left, *rest = names or ("",)
    either = joined("", (left,))
    for name in rest:
        either = said("{one} or {other}", one=either, other=name)
    return either


_NAMES: Final = {
    "null": "null",
    "boolean": said("true or false"),
    "integer": said("a whole number"),
    "number": said("a number"),
    "string": said("a text"),
    "array": said("a list"),
    "object": said("an object"),
}


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:59]}…"
