"""The kinds of values that settings have: how each is written, and what is wrong with what is none."""

import re
from collections.abc import Callable
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from schedulerd.authoring.storages import is_url, storage_of
from schedulerd.domain.durations import parse_duration
from schedulerd.domain.entries import BadEntry, Entry
from schedulerd.domain.pools import POOL_NAME, is_pool_name
from schedulerd.domain.sizes import Bytes, parse_size
from schedulerd.domain.surroundings_values import WITHOUT_LIMIT, read_surroundings
from schedulerd.domain.zones import zone
from schedulerd.errors import BadExpression


class Group(BaseModel):
    """A table of the settings: it has its own keys and no others, and stays as it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError('must be a duration in quotes, such as "30s" or "5m"')
    try:
        return parse_duration(value)
    except BadExpression as error:
        raise ValueError(f"{value!r} is not a duration: {error.reason}") from error


def _size(value: object) -> int:
    if isinstance(value, Bytes):
        return value
    if isinstance(value, int | str) and not isinstance(value, bool) and str(value).strip() == "0":
        return Bytes(0)
    if not isinstance(value, str):
        raise ValueError('must be a size in quotes, such as "64MB"')
    try:
        return parse_size(value)
    except BadExpression as error:
        raise ValueError(f"{value!r} is not a size: {error.reason}") from error


def _whole_number(value: object) -> object:
    if isinstance(value, bool):  # pydantic would read `true` as 1
        raise ValueError("must be a whole number")
    return value


def _folder(value: object) -> object:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError("must be the path of a folder, in quotes")
    if str(value).startswith("~"):
        raise ValueError("`~` is not expanded here; write the whole path")
    return value


def _zone(value: str) -> str:
    try:
        zone(value)
    except BadExpression as error:
        raise ValueError(error.reason) from error
    return value


def _host_names(value: object) -> object:
    """Several in the environment have commas between them."""
    return [one.strip() for one in value.split(",") if one.strip()] if isinstance(value, str) else value


def _host_name(value: str) -> str:
    if not _HOST_NAME.fullmatch(value):
        raise ValueError(
            f"{value!r} is not the name of a host, without a port, such as `schedulerd.example.com`"
        )
    return value.lower()


def _module(value: str) -> str:
    if not all(part.isidentifier() for part in value.split(".")):
        raise ValueError(f"{value!r} is not the name of a module")
    return value


def _pool_name(value: str) -> str:
    if not is_pool_name(value):
        raise ValueError(f"{value!r} cannot be the name of a pool: it is {POOL_NAME}")
    return value


_HOST_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_POSTGRESQL: Final = re.compile(r"postgres(ql)?(\+psycopg)?://")


def _database_url(value: str) -> str:
    if value.startswith("sqlite:///") and value != "sqlite:///":
        return value
    if _POSTGRESQL.match(value):
        return _POSTGRESQL.sub("postgresql+psycopg://", value, count=1)
    # never the value itself: it may hold a password
    raise ValueError("must begin with sqlite:/// (and a path) or postgresql://")


def _time_limit(value: object) -> timedelta:
    if value == WITHOUT_LIMIT:
        return timedelta()
    limit = _duration(value)
    if limit <= timedelta():
        raise ValueError(f'must be longer than nothing; for no limit it is "{WITHOUT_LIMIT}"')
    return limit


def _said(key: str) -> Callable[[object], object]:
    """Reads a limit as schedule files do, with the same words for what cannot be."""

    def read(value: object) -> object:
        if isinstance(value, str) and value.lstrip("-").isdecimal():  # from the environment
            value = int(value)
        try:
            found = read_surroundings(Entry({key: value})).as_json()
        except BadEntry as error:
            raise ValueError(error.reason.removeprefix(f"`{key}` ").removeprefix(f"`{key}`: ")) from error
        return next(iter(found.values()))

    return read


def _storage(value: str) -> str:
    if not value:
        return value
    if not is_url(value) and not value.startswith(("/", "~")):
        raise ValueError("must be an absolute path, or an URL such as s3://bucket/results")
    if is_url(value) and find_spec("fsspec") is None:
        raise ValueError("an URL needs fsspec, which is not installed: pip install 'schedulerd[storage]'")
    return storage_of("results", value) or ""


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]
Size = Annotated[int, BeforeValidator(_size), Field(ge=0)]
Kept = Annotated[int, BeforeValidator(_whole_number), Field(ge=0)]
Count = Annotated[int, BeforeValidator(_whole_number), Field(ge=1)]
Few = Annotated[int, BeforeValidator(_whole_number), Field(ge=0, le=1000)]
PoolName = Annotated[str, AfterValidator(_pool_name)]
Port = Annotated[int, BeforeValidator(_whole_number), Field(ge=0, le=65_535)]
Folder = Annotated[Path, BeforeValidator(_folder)]
Zone = Annotated[str, AfterValidator(_zone)]
Storage = Annotated[str, AfterValidator(_storage)]
HostNames = Annotated[tuple[Annotated[str, AfterValidator(_host_name)], ...], BeforeValidator(_host_names)]
Module = Annotated[str, AfterValidator(_module)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
TimeLimit = Annotated[timedelta, BeforeValidator(_time_limit)]
Memory = Annotated[int, BeforeValidator(_said("memory"))]
OpenFiles = Annotated[int, BeforeValidator(_said("open_files"))]
Nice = Annotated[int, BeforeValidator(_said("nice"))]
