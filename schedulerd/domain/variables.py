"""Variables: values that flows share, by name. What is secret is no variable."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from schedulerd.domain.nesting import TOO_DEEP, is_too_deep
from schedulerd.errors import BadParameters

LARGEST: Final = 64 * 1024
"""So many bytes of JSON may a variable have."""

NAME: Final = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}"
"""What the name of a variable, a secret or a limit looks like, as a regular expression for the whole of it."""

_NAME: Final = re.compile(NAME)
_NAMED: Final = "letters, digits, `_`, `.` and `-`, beginning with a letter or digit, at most 255"


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """A value that is JSON, by its name."""

    name: str
    value: Any
    changed_at: datetime
    tags: tuple[str, ...] = ()


def check_name(name: object, *, what: str = "variable") -> str:
    """The name, of a variable or of something else that is named so. Raises `BadParameters`."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadParameters(f"{name!r} cannot be the name of a {what}: it is {_NAMED}")
    return name


def check_value(name: str, value: Any, *, what: str = "variable") -> Any:
    """The value, which is JSON and not too large. Raises `BadParameters`."""
    ascii_only = what == "secret"  # it travels in one datagram, in which other characters are escaped
    try:
        size = len(json.dumps(value, ensure_ascii=ascii_only, allow_nan=False).encode("utf-8", "replace"))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadParameters(f"the value of the {what} {name!r} is not JSON: {error}") from error
    if is_too_deep(value):
        raise BadParameters(f"the value of the {what} {name!r} {TOO_DEEP}")
    if size > LARGEST:
        raise BadParameters(
            f"the value of the {what} {name!r} has {size:,} bytes of JSON, more than {LARGEST:,}",
            mend="keep large values in files, and their names in variables",
        )
    return value
