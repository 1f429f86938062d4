"""The kinds of values that settings have: how each is written, and what is wrong with what is none.

In a variable of the environment all is text, so that numbers and switches may be.
"""

import math
import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Final, TypeVar

from schedulerd.authoring.storages import is_url, storage_of
from schedulerd.config.reading import Read, each
from schedulerd.domain.durations import parse_duration
from schedulerd.domain.pools import POOL_NAME, is_pool_name
from schedulerd.domain.sizes import Bytes, parse_size
from schedulerd.errors import BadExpression

Choice = TypeVar("Choice", bound=StrEnum)

SWITCHES: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "yes", "on", "1", "t", "y"), True),
    **dict.fromkeys(("false", "no", "off", "0", "f", "n"), False),
}
"""What true and false may be called."""

_HOST_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_POSTGRESQL: Final = re.compile(r"postgres(ql)?(\+psycopg)?://")


def text(value: object) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise ValueError("must be text in quotes")
    return value


def some_text(value: object) -> str:
    """A text that is not empty."""
    if not (found := text(value)):
        raise ValueError("must not be empty")
    return found


def switch(value: object) -> bool:
    """True or false."""
    found = SWITCHES.get(str(value).lower()) if isinstance(value, bool | int | str) else None
    if found is None:
        raise ValueError("must be true or false")
    return found


def whole_number(*, least: int, most: int | None = None) -> Read[int]:
    """A whole number within these bounds."""

    def read(value: object) -> int:
        return _bounded(_whole(value), least, most)

    return read


def factor(*, least: float) -> Read[float]:
    """A number, with a fraction or without, of at least so much."""

    def read(value: object) -> float:
        found = _float(value)
        if not math.isfinite(found):
            raise ValueError("must be a number")
        return _bounded(found, least, None)

    return read


def _whole(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    try:
        if isinstance(value, int | str) and not isinstance(value, bool):
            return int(value)
    except ValueError:
        pass
    raise ValueError("must be a whole number")


def _float(value: object) -> float:
    try:
        return (
            float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
        )
    except (ValueError, OverflowError):
        return math.nan


_Number = TypeVar("_Number", int, float)


def _bounded(value: _Number, least: _Number, most: _Number | None) -> _Number:
    if value < least:
        raise ValueError(f"must be at least {least}")
    if most is not None and value > most:
        raise ValueError(f"must be at most {most}")
    return value


def one_of(kind: type[Choice]) -> Read[Choice]:
    """A member of that kind."""

    def read(value: object) -> Choice:
        *names, last = [repr(one.value) for one in kind]
        if not isinstance(value, str) or value not in list(kind):
            raise ValueError(f"must be {', '.join(names)} or {last}")
        return kind(value)

    return read


def duration(value: object) -> timedelta:
    """A duration, of nothing or more."""
    if not isinstance(value, str):
        raise ValueError('must be a duration in quotes, such as "30s" or "5m"')
    try:
        return parse_duration(value)
    except BadExpression as error:
        raise ValueError(f"{value!r} is not a duration: {error.reason}") from error


def some_time(value: object) -> timedelta:
    """A duration of more than nothing."""
    found = duration(value)
    if not found:
        raise ValueError("must be longer than nothing")
    return found


def size(*, least: int = 0) -> Read[Bytes]:
    """An amount of memory or disk, of at least so many bytes."""

    def read(value: object) -> Bytes:
        return Bytes(_bounded(_size(value), least, None))

    return read


def _size(value: object) -> Bytes:
    if isinstance(value, int | str) and not isinstance(value, bool) and str(value).strip() == "0":
        return Bytes(0)
    if not isinstance(value, str):
        raise ValueError('must be a size in quotes, such as "64MB"')
    try:
        return parse_size(value)
    except BadExpression as error:
        raise ValueError(f"{value!r} is not a size: {error.reason}") from error


def folder(value: object) -> Path:
    """A path of a folder, or of a file."""
    if not isinstance(value, str) or not value:
        raise ValueError("must be the path of a folder, in quotes")
    if value.startswith("~"):
        raise ValueError("`~` is not expanded here; write the whole path")
    return Path(value)


def zone_name(value: object) -> str:
    """The name of a time zone."""
    from schedulerd.domain.zones import zone  # only those who name a zone pay for its data

    try:
        zone(text(value))
    except BadExpression as error:
        raise ValueError(error.reason) from error
    return text(value)


def host_names(value: object) -> tuple[str, ...]:
    """Names of hosts. Several in the environment have commas between them."""
    if isinstance(value, str):
        value = [one.strip() for one in value.split(",") if one.strip()]
    return each(_host_name)(value)


def _host_name(value: object) -> str:
    if not _HOST_NAME.fullmatch(text(value)):
        raise ValueError(
            f"{value!r} is not the name of a host, without a port, such as `schedulerd.example.com`"
        )
    return text(value).lower()


def module(value: object) -> str:
    """The name of a module."""
    if not all(part.isidentifier() for part in text(value).split(".")):
        raise ValueError(f"{value!r} is not the name of a module")
    return text(value)


def require_pool_name(value: str) -> None:
    """Raise `ValueError` unless a pool can be called so."""
    if not is_pool_name(value):
        raise ValueError(f"{value!r} cannot be the name of a pool: it is {POOL_NAME}")


def database_url(value: object) -> str:
    """The URL of a database that the store knows."""
    url = text(value)
    if url.startswith("sqlite:///") and url != "sqlite:///":
        return url
    if _POSTGRESQL.match(url):
        return _POSTGRESQL.sub("postgresql+psycopg://", url, count=1)
    # never the value itself: it may hold a password
    raise ValueError("must begin with sqlite:/// (and a path) or postgresql://")


def time_limit(value: object) -> timedelta:
    """A duration of more than nothing; nothing stands for no limit."""
    from schedulerd.domain.surroundings_values import WITHOUT_LIMIT  # few set one

    if value == WITHOUT_LIMIT:
        return timedelta()
    if not (limit := duration(value)):
        raise ValueError(f'must be longer than nothing; for no limit it is "{WITHOUT_LIMIT}"')
    return limit


def surrounding(key: str) -> Read[int]:
    """A limit that is read as in schedule files, with the same words for what cannot be."""

    def read(value: object) -> int:
        from schedulerd.domain.entries import BadEntry, Entry
        from schedulerd.domain.surroundings_values import read_surroundings  # few set one

        if isinstance(value, str) and value.lstrip("-").isdecimal():  # from the environment
            value = int(value)
        try:
            found = read_surroundings(Entry({key: value})).as_json()
        except BadEntry as error:
            raise ValueError(error.reason.removeprefix(f"`{key}` ").removeprefix(f"`{key}`: ")) from error
        return int(next(iter(found.values())))

    return read


def storage(value: object) -> str:
    """A folder or an URL for values; empty for neither."""
    place = text(value)
    if not place:
        return place
    if not is_url(place) and not place.startswith(("/", "~")):
        raise ValueError("must be an absolute path, or an URL such as s3://bucket/results")
    if is_url(place) and find_spec("fsspec") is None:
        raise ValueError("an URL needs fsspec, which is not installed: pip install 'schedulerd[storage]'")
    return storage_of("results", place) or ""
