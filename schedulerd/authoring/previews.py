"""Values and texts made short: what a person is shown of a result, never more than a bound, never raising."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schedulerd.authoring.running import is_cancellation

if TYPE_CHECKING:
    from typing import Any

PREVIEW_BYTES: Final = 1_024
_CUT: Final = " …"


def preview(value: Any, *, limit: int = PREVIEW_BYTES) -> str:
    """The value as JSON when it is JSON, else as `repr` has it; at most `limit` bytes of UTF-8."""
    try:
        return shortened(_json(value, limit), limit=limit)
    except BaseException as error:  # not JSON, or too deep, or a class of the user's that raises anything
        if is_cancellation(error):
            raise
        return shortened(readable(value, limit=limit), limit=limit)


def readable(value: Any, *, limit: int = 200) -> str:
    """What `repr` says, shortened in the middle of long things; a text about it where `repr` fails."""
    from reprlib import Repr

    short = Repr()
    short.maxstring = short.maxother = short.maxlong = limit
    short.maxlevel = 3  # with the widths below at most 8,000 parts are looked at
    short.maxlist = short.maxtuple = short.maxset = short.maxfrozenset = short.maxdict = short.maxdeque = 20
    try:
        return short.repr(value)
    except BaseException as error:  # a __repr__ of the user's may raise anything
        if is_cancellation(error):
            raise
        return f"<{type(value).__name__}: its repr() failed with {type(error).__name__}>"


def shortened(text: str, *, limit: int) -> str:
    """The text with at most `limit` bytes of UTF-8: its beginning, where it is longer."""
    data = _bytes(text, limit)
    if len(data) <= limit:
        return data.decode()
    return data[: limit - len(_CUT.encode())].decode(errors="ignore") + _CUT


def shortened_middle(text: str, *, limit: int) -> str:
    """The text with at most `limit` bytes of UTF-8: its beginning and, most of it, its end, where it is longer."""
    data = _bytes(text)
    if len(data) <= limit:
        return data.decode()
    mark = b"\n  ...\n"
    head = limit // 4
    tail = limit - head - len(mark)
    return (data[:head].decode(errors="ignore") + mark.decode()) + data[-tail:].decode(errors="ignore")


def _bytes(text: str, limit: int | None = None) -> bytes:
    """As UTF-8; a lone surrogate, which has no UTF-8, becomes an escape."""
    return (text if limit is None else text[: limit + 1]).encode(errors="backslashreplace")


def _json(value: Any, limit: int) -> str:
    """The beginning of the value's JSON, no more of it than is needed; raises when that is not JSON."""
    if isinstance(value, str):
        value = value[: limit + 1]
    from json import JSONEncoder

    parts: list[str] = []
    length = 0
    for part in JSONEncoder(ensure_ascii=False, allow_nan=False).iterencode(value):
        parts.append(part)
        length += len(part)
        if length > limit:
            break
    return "".join(parts)
