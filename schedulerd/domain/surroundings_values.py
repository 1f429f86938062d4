"""What a table says of a run's surroundings: in a schedule file, in a flow file, or above a crontab's line. Pure."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from schedulerd.domain.entries import Entry
from schedulerd.domain.sizes import LARGEST, parse_size
from schedulerd.domain.surroundings import UNLIMITED, Surroundings
from schedulerd.sentences import said

MAX_VALUE_BYTES: Final = 100_000
"""A variable may have 131,071 bytes with its name, as an argument may."""

SURROUNDINGS_KEYS: Final = (
    *("user", "environment", "env_file", "directory", "umask", "leave_children"),
    *("nice", "memory", "cpu_time", "open_files"),
)

WITHOUT_LIMIT: Final = "unlimited"
_SMALLEST_MEMORY: Final = 16_000_000  # less, and Python could not even say what it lacks
_FEWEST_FILES: Final = 16
_MOST_FILES: Final = 1_048_576  # fs.nr_open(5), as kernels come
_NICEST: Final = 19
_UMASK: Final = re.compile(r"0?[0-7]{3}")
_SECOND: Final = timedelta(seconds=1)


def read_surroundings(entry: Entry) -> Surroundings:
    """The surroundings that these keys give, the variables aside. Raises `BadEntry`."""
    return Surroundings(
        user=_user(entry),
        directory=_path(entry, "directory"),
        env_file=_path(entry, "env_file"),
        umask=_umask(entry),
        nice=_nice(entry),
        memory_bytes=_memory(entry),
        cpu_seconds=_cpu_seconds(entry),
        open_files=_open_files(entry),
        leave_children=entry.flag("leave_children", default=False),
    )


def read_environment(entry: Entry) -> Mapping[str, str]:
    """The variables of `environment`. Raises `BadEntry`."""
    environment = entry.values.get("environment", {})
    if not isinstance(environment, dict):
        raise entry.wrong(
            "environment", said('`environment` must be a table, such as { PATH = "/usr/bin:/bin" }')
        )
    for name, value in environment.items():
        if not isinstance(name, str) or not name or "=" in name or "\0" in name:
            raise entry.wrong(
                "environment", said("`environment`: {name!r} cannot be the name of a variable", name=name)
            )
        if not isinstance(value, str) or "\0" in value or len(value.encode()) > MAX_VALUE_BYTES:
            reason = said(
                "must be text in quotes, of at most {max_value_bytes} bytes and without NUL",
                max_value_bytes=MAX_VALUE_BYTES,
            )
            raise entry.wrong("environment", said("`environment`: {name} {reason}", name=name, reason=reason))
    return environment


def read_time_limit(entry: Entry, key: str) -> timedelta | None:
    """A duration of more than nothing, or `"unlimited"` (no duration at all); None where the key is not given."""
    if not entry.has(key):
        return None
    return timedelta() if entry.values[key] == WITHOUT_LIMIT else entry.positive_duration(key)


def _user(entry: Entry) -> str | None:
    if not entry.has("user"):
        return None
    user = entry.text("user")
    if not user.isprintable() or ":" in user or user != user.strip():
        raise entry.wrong("user", said("`user`: {user!r} cannot be the name of a user", user=user))
    return user


def _path(entry: Entry, key: str) -> str | None:
    if not entry.has(key):
        return None
    path = entry.text(key)
    if "\0" in path:
        raise entry.wrong(key, said("`{key}` has a NUL in it", key=key))
    if path.startswith("~"):
        raise entry.wrong(key, said("`{key}`: `~` is not expanded here; write the whole path", key=key))
    return path


def _umask(entry: Entry) -> int | None:
    if not entry.has("umask"):
        return None
    umask = entry.values["umask"]
    if not isinstance(umask, str) or not _UMASK.fullmatch(umask):
        raise entry.wrong("umask", said('`umask` must be three octal digits in quotes, such as "027"'))
    return int(umask, 8)


def _nice(entry: Entry) -> int | None:
    if not entry.has("nice"):
        return None
    return _whole_number(entry, "nice", least=-20, most=_NICEST)


def _memory(entry: Entry) -> int | None:
    if not entry.has("memory"):
        return None
    if entry.values["memory"] == WITHOUT_LIMIT:
        return UNLIMITED
    size: Any = entry.values["memory"]
    if isinstance(size, str):
        size = int(entry.expression("memory", parse_size))
    if not isinstance(size, int) or isinstance(size, bool):
        raise entry.wrong(
            "memory", said('`memory` must be a size in quotes, such as "512MB", or "unlimited"')
        )
    if not _SMALLEST_MEMORY <= size <= LARGEST:
        raise entry.wrong("memory", said("`memory` must be at least 16MB, and at most 1EiB"))
    return size


def _cpu_seconds(entry: Entry) -> int | None:
    limit = read_time_limit(entry, "cpu_time")
    if limit is None:
        return None
    return -(-limit // _SECOND)  # the kernel counts whole seconds: the next one


def _open_files(entry: Entry) -> int | None:
    if not entry.has("open_files"):
        return None
    if entry.values["open_files"] == WITHOUT_LIMIT:
        return UNLIMITED
    return _whole_number(entry, "open_files", least=_FEWEST_FILES, most=_MOST_FILES)


def _whole_number(entry: Entry, key: str, *, least: int, most: int) -> int:
    value: Any = entry.values[key]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise entry.wrong(
            key,
            said("`{key}` must be a whole number from {least} to {most:,}", key=key, least=least, most=most),
        )
    return value
