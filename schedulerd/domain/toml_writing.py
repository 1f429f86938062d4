"""Values as TOML has them written: what a parser reads back as the same. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_UNPRINTABLE: Final = re.compile('[\x00-\x1f"\\\\\x7f]')
_SHORT: Final = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def assignment(key: str, value: Any) -> str:
    """`key = value`, on one line. Raises `ValueError` for what TOML has no way to write, such as nothing."""
    return f"{key_text(key)} = {value_text(value)}"


def key_text(key: str) -> str:
    """A key, in quotes where it needs them."""
    return key if _BARE.fullmatch(key) else quoted(key)


def value_text(value: Any) -> str:
    """A value, on one line. Raises `ValueError` for what TOML has no way to write."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value)
        case int() | float():
            return repr(value)  # `inf` and `nan` too are written so
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            pairs = ", ".join(assignment(str(key), inner) for key, inner in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case Sequence():
            return f"[{', '.join(map(value_text, value))}]"
        case _:
            raise ValueError(f"TOML has no way to write {value!r}")


def quoted(text: str) -> str:
    """The text as a basic string."""
    return '"' + _UNPRINTABLE.sub(lambda found: _escaped(found.group()), text) + '"'


def _escaped(character: str) -> str:
    return _SHORT.get(character, f"\\u{ord(character):04X}")
