"""What type hints mean that are more than plain ones: models, enums, dataclasses, tuples, paths, ... as pydantic has it.

Where pydantic is not installed, such a hint asks for nothing. It is loaded when the first such hint is met.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_REFERENCE: Final = "#/$defs/"
_NONE: Final[Any] = object()


class RichMisfit(Exception):
    """A value does not fit a rich hint. `faults` say where within it and why, without the value: it may be a secret."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


def fitting(hint: Any, value: Any) -> Any:
    """The value as the hint asks for it; raises `RichMisfit`."""
    adapter = _adapter(hint)
    if adapter is None:
        return value
    from pydantic import ValidationError

    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        faults = [_fault(one) for one in error.errors(include_url=False, include_context=False)]
    raise RichMisfit(faults)  # outside of the handler: its exception shows the value


def rich_schema(hint: Any, *, default: Any = _NONE) -> dict[str, Any]:
    """The JSON schema of a hint, complete in itself, with the default as JSON where it has one that may be shown."""
    adapter = _adapter(hint)
    if adapter is None:
        return {}
    try:
        said = adapter.json_schema()
    except Exception:  # border: a class of the user's that is checked, but has no JSON
        return {}
    schema: dict[str, Any] = _inlined(said, said.pop("$defs", {}))
    if default is not _NONE and not _is_secret(schema):
        schema |= _default(adapter, default)
    return schema


def _adapter(hint: Any) -> Any:
    """What pydantic makes of the hint; None where it is not installed, or can make nothing of it."""
    try:
        return _known_adapter(hint)
    except TypeError:  # what cannot be hashed is made each time
        return _made_adapter(hint)


def _made_adapter(hint: Any) -> Any:
    try:
        from pydantic import TypeAdapter
    except ImportError:
        return None
    try:
        return TypeAdapter(hint, config={"arbitrary_types_allowed": True})
    except (
        Exception
    ):  # a class with a configuration of its own, or a hint that means something to type checkers only
        pass
    try:
        return TypeAdapter(hint)
    except Exception:
        return None


_known_adapter = lru_cache(maxsize=256)(_made_adapter)


def _fault(error: Mapping[str, Any]) -> str:
    said = str(error["msg"])
    place = "".join(f".{key}" if isinstance(key, str) else f"[{key!r}]" for key in error["loc"])
    return f"{place}: {said} (it is {kind_of(error['input'])})"


def _inlined(schema: Any, definitions: Mapping[str, Any], within: tuple[str, ...] = ()) -> Any:
    """The schema with each reference replaced by what it refers to; one that refers to itself asks for nothing there."""
    if isinstance(schema, list):
        return [_inlined(part, definitions, within) for part in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return {key: _inlined(part, definitions, within) for key, part in schema.items() if key != "$defs"}
    name = reference.removeprefix(_REFERENCE)
    rest = {key: part for key, part in schema.items() if key != "$ref"}
    if name in within or name not in definitions:
        return rest
    return _inlined(definitions[name], definitions, (*within, name)) | rest


def _is_secret(schema: Any) -> bool:
    """Does any part of it hold what is not to be shown?"""
    if isinstance(schema, dict):
        return schema.get("writeOnly") is True or any(map(_is_secret, schema.values()))
    return isinstance(schema, list) and any(map(_is_secret, schema))


def _default(adapter: Any, value: Any) -> dict[str, Any]:
    try:
        return {"default": adapter.dump_python(value, mode="json", warnings=False)}
    except Exception:  # a default of the user's may be anything; it is not needed to run the flow
        return {}
