"""Parameters of a flow: their JSON schema, and from JSON to what the type hints ask for."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, get_type_hints

from schedulerd.authoring.hints import Misfit, coerce, is_plain, schema_of_hint
from schedulerd.authoring.kinds import kind_of
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
        hint = hints.get(parameter.name)
        schema = _plain_schema if is_plain(hint) else _rich_schema
        properties[parameter.name] = schema(hint, parameter)
    return object_schema(properties, required=_required(signature), open_ended=_takes_any(signature))


def _plain_schema(hint: Any, parameter: inspect.Parameter) -> dict[str, Any]:
    default = {} if parameter.default is parameter.empty else default_of(parameter.default)
    return schema_of_hint(hint) | default


def _rich_schema(hint: Any, parameter: inspect.Parameter) -> dict[str, Any]:
    from schedulerd.authoring.rich_hints import rich_schema  # late: it loads pydantic

    if parameter.default is parameter.empty:
        return rich_schema(hint)
    return rich_schema(hint, default=parameter.default) or default_of(parameter.default)


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


def coerced(
    fn: Callable[..., Any], given: Mapping[str, Any], *, flow: str, validates: bool = True
) -> dict[str, Any]:
    """Keyword arguments for a function from JSON values; raises `BadParameters` that names every one that does not fit.

    Where it does not validate they stay as they are, and only their names must fit.
    """
    signature = inspect.signature(fn)
    known = [parameter.name for parameter in _named(signature)]
    open_ended = _takes_any(signature)
    require_names(flow, given, known=[*known, *given] if open_ended else known, required=_required(signature))
    if not validates:
        return dict(given)
    hints = _hints(fn, signature)
    named = {name: hint for name, hint in hints.items() if name in known}
    return _fitting(given, named, flow=flow, place=_place_of(fn))


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
    bound.arguments.update(_fitting(given, _hints(fn, signature), flow=flow, place=_place_of(fn)))
    return bound.args, bound.kwargs


def _fitting(given: Mapping[str, Any], hints: Mapping[str, Any], *, flow: str, place: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in given.items():
        hint = hints.get(name)
        if is_plain(hint):
            try:
                arguments[name] = coerce(hint, value)
            except Misfit as error:
                shown = readable(error.value)
                shown += "" if error.value is None else f" ({kind_of(error.value)})"
                wrong.append(f"parameter {name!r}{error.place}: {shown} is not {error.wanted}")
        else:
            arguments[name] = _rich(name, hint, value, wrong)
    if wrong:
        raise ParametersRefused(f"flow {flow!r}{place}: {'; '.join(wrong)}")
    return arguments


def _rich(name: str, hint: Any, value: Any, wrong: list[str]) -> Any:
    from schedulerd.authoring.rich_hints import RichMisfit, fitting  # late: it loads pydantic

    try:
        return fitting(hint, value)
    except RichMisfit as error:
        wrong += [f"parameter {name!r}{fault}" for fault in error.faults]
    return None


def _place_of(fn: Callable[..., Any]) -> str:
    """Where the function stands, for messages; nothing for what has no code."""
    code = getattr(inspect.unwrap(fn), "__code__", None)
    return "" if code is None else f" ({code.co_filename}, line {code.co_firstlineno})"


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
            hints[parameter.name] = get_type_hints(lone, globalns=names, include_extras=True)["hint"]
        except Exception:  # resolving evaluates text of the user's; an unresolved hint asks for nothing
            continue
    return hints


def _iso(value: Any) -> Any:
    return value.isoformat()
