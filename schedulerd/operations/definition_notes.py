"""What the audit is told of schedules and flow files that were saved: their keys as they are written, and nothing that may be a secret."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

_COVERED: Final = frozenset({"environment", "heartbeat", "stdin"})
"""Variables, URLs and what a command reads may hold passwords: that they are there is told, and whether they are others than before."""

_STARS: Final = "***"
_OTHERS: Final = "*** (another)"


def told_keys(values: Mapping[str, Any], *, was: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The keys of a schedule as they may be told; `was` are those before, by which one sees what is another."""
    before = was or {}
    return {
        key: _covered(value, before.get(key)) if key in _COVERED else _plain(value)
        for key, value in values.items()
    }


def told_file(content: bytes | None) -> dict[str, Any] | None:
    """A flow file as it may be told: what it is recognised by, and how long it is. Its versions are kept elsewhere."""
    if content is None:
        return None
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "lines": content.count(b"\n"),
        "bytes": len(content),
    }


def _covered(value: Any, was: Any) -> Any:
    if isinstance(value, Mapping):
        before = was if isinstance(was, Mapping) else {}
        return {str(name): _covered(one, before.get(name)) for name, one in value.items()}
    return _STARS if was is None or was == value else _OTHERS


def _plain(value: Any) -> Any:
    """As JSON has it: dates and times are texts."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
