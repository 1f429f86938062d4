"""Values of flows and tasks as bytes: JSON where that gives the same value back, else a pickle.

A pickle is read only in a process that runs user code: reading one can do anything that the user's code can.
"""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import Any

JSON: Final = "json"
PICKLE: Final = "pickle"

_OF_JSON: Final = (str, int, float, bool, list, dict, type(None))


class NotSerializable(ValueError):
    """The value can be kept neither as JSON nor as a pickle."""


def serialize(value: Any) -> tuple[str, bytes]:
    """The value as JSON or as a pickle, and which of the two; raises `NotSerializable`."""
    if type(value) in _OF_JSON and (text := _json(value)) is not None:
        return JSON, text
    try:
        return PICKLE, pickled(value)
    except Exception as error:  # it carries code of the user's
        raise NotSerializable(f"a {type(value).__name__} cannot be pickled: {error}") from error


def deserialize(kind: str, content: bytes) -> Any:
    """The value that was serialized; raises whatever its reading raises."""
    return json.loads(content) if kind == JSON else pickle.loads(content)


def _json(value: Any) -> bytes | None:
    try:
        text = json.dumps(value, separators=(",", ":"), allow_nan=False)
        return text.encode() if json.loads(text) == value else None
    except (TypeError, ValueError, RecursionError):
        return None


def pickled(value: Any) -> bytes:
    """The value as a pickle; raises whatever its classes raise."""
    try:
        import cloudpickle  # it takes functions and classes of flow files; pickle only what modules have
    except ImportError:
        return pickle.dumps(value)
    made: bytes = cloudpickle.dumps(value)
    return made
