"""Parameters of a flow: their JSON schema, and from JSON to what the type hints ask for."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, get_type_hints

from schedulerd.authoring.hints import Misfit, coerce, schema_of_hint
from schedulerd.authoring.names import require_names
from schedulerd.authoring.previews import readable
from schedulerd.authoring.refusals import ParametersRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

_NAMED: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def schema_of(fn: Callable[..., Any]) -> dict[str, Any]:
    """The JSON schema of a function's parameters: an object's."""
    signature = inspect.signature(fn)
    hints = _hints(fn, signature)
    properties: dict[str, Any] = {}
    for parameter in _named(signature):
        properties[parameter.name] = schema_of_hint(hints.get(parameter.name))
        if parameter.default is not parameter.empty:
            properties[parameter.name] |= default_of(parameter.default)
    return object_schema(properties, required=_required(signature), open_ended=_takes_any(signature))


def object_schema(
    properties: Mapping[str, Any], *, required: Iterable[str], open_ended: bool = False
) -> dict[str, Any]:
    """The JSON schema of an object with these properties."""
    schema: dict[str, Any] = {"type": "object", "properties": dict(properties)}
    if names := list(required):
        schema["required"] = names
    return schema if open_ended else {**schema, "additionalProperties": False}


def default_of(value: Any) -> dict[str, Any]:
    """The `default` of a JSON schema, dates as text; without it where the value has no JSON."""
    from json import dumps, loads

    try:
        return {"default": loads(dumps(value, default=_iso, allow_nan=False))}
    except Exception:  # a default of the user's may be anything; it is not needed to run the flow
        return {}


def coerced(fn: Callable[..., Any], given: Mapping[str, Any], *, flow: str) -> dict[str, Any]:
    """Keyword arguments for a function from JSON values; raises `BadParameters` that names every one that does not fit."""
    signature = inspect.signature(fn)
    known = [parameter.name for parameter in _named(signature)]
    open_ended = _takes_any(signature)
    require_names(flow, given, known=[*known, *given] if open_ended else known, required=_required(signature))
    hints = _hints(fn, signature)
    named = {name: hint for name, hint in hints.items() if name in known}
    return _fitting(given, named, flow=flow)


def validated(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], *, flow: str
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call as the type hints ask for them; raises `BadParameters` that names every one that does not fit.

    Arguments that do not fit the function are left for the call to refuse.
    """
    signature = inspect.signature(fn)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError:
        return args, dict(kwargs)
    given = {
        parameter.name: bound.arguments[parameter.name]
        for parameter in _named(signature)
        if parameter.name in bound.arguments
    }
    bound.arguments.update(_fitting(given, _hints(fn, signature), flow=flow))
    return bound.args, bound.kwargs


def _fitting(given: Mapping[str, Any], hints: Mapping[str, Any], *, flow: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in given.items():
        try:
            arguments[name] = coerce(hints.get(name), value)
        except Misfit as error:
            wrong.append(f"parameter {name!r}{error.place}: {readable(error.value)} is not {error.wanted}")
    if wrong:
        raise ParametersRefused(f"flow {flow!r}: {'; '.join(wrong)}")
    return arguments


def _named(signature: inspect.Signature) -> list[inspect.Parameter]:
    return [parameter for parameter in signature.parameters.values() if parameter.kind in _NAMED]


def _required(signature: inspect.Signature) -> list[str]:
    return [parameter.name for parameter in _named(signature) if parameter.default is parameter.empty]


def _takes_any(signature: inspect.Signature) -> bool:
    return any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values())


def _hints(fn: Callable[..., Any], signature: inspect.Signature) -> dict[str, Any]:
    """The type hint of each parameter; none for one that cannot be resolved, as it may be for type checkers only."""
    names = getattr(inspect.unwrap(fn), "__globals__", {})
    hints: dict[str, Any] = {}
    for parameter in signature.parameters.values():
        if parameter.annotation is parameter.empty:
            continue
        lone = SimpleNamespace(__annotations__={"hint": parameter.annotation})
        try:
            hints[parameter.name] = get_type_hints(lone, globalns=names)["hint"]
        except Exception:  # resolving evaluates text of the user's; an unresolved hint asks for nothing
            continue
    return hints


def _iso(value: Any) -> Any:
    return value.isoformat()
