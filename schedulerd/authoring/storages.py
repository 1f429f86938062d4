"""Places for values: a folder, or by an URL whatever fsspec knows (`s3://bucket/results`, `memory://results`)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.whole_files import write_whole

if TYPE_CHECKING:
    from typing import Any

_MARK: Final = "://"
_LOCAL: Final = ("file://", "local://")  # these are paths


def is_url(place: str) -> bool:
    """Is this told by an URL, for fsspec, and no path?"""
    return _MARK in place


def storage_of(what: str, given: Any) -> str | None:
    """The place that was given, an URL or an absolute path; None for none. Raises for what is neither, or holds a password."""
    if given is None:
        return None
    if not isinstance(given, str | os.PathLike):
        raise TypeError(f"{what} must be a path or an URL such as 's3://bucket/results', not {given!r}")
    place = os.fspath(given)
    if not place or not isinstance(place, str):
        raise ValueError(f"{what} must be a path or an URL such as 's3://bucket/results', not {given!r}")
    for scheme in _LOCAL:
        place = place.removeprefix(scheme)
    if not is_url(place):
        return str(Path(place).expanduser().absolute())
    if (
        "@" in place.partition(_MARK)[2].partition("/")[0]
        and ":" in place.partition(_MARK)[2].partition("@")[0]
    ):
        raise ValueError(
            f"{what} must not hold a password: it is written down; give it in the environment, as fsspec takes it"
        )
    return place.rstrip("/")


def write_to(place: str, name: str, content: bytes) -> str:
    """Write a file of that name in the place, whole or not at all; where it is then. Raises `OSError`."""
    where = f"{place}/{name}"
    if not is_url(place):
        Path(where).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(Path(where), content)
        return where
    try:
        files, path = _opened(where)
        files.makedirs(path.rpartition("/")[0], exist_ok=True)
        files.pipe_file(path, content)
    except OSError:
        raise
    except Exception as error:  # border: each storage raises what its library does
        raise OSError(f"{place} cannot be written to: {type(error).__name__}: {error}") from error
    return where


def read_from(where: str) -> bytes:
    """What was written there. Raises `OSError`."""
    if not is_url(where):
        return _file_itself(where)
    try:
        files, path = _opened(where)
        content: bytes = files.cat_file(path)
    except OSError:
        raise
    except Exception as error:  # border, as above
        raise OSError(f"{where} cannot be read: {type(error).__name__}: {error}") from error
    return content


def _file_itself(where: str) -> bytes:
    """What a file holds; not that to which a link leads, for who made the link may not be allowed to read it."""
    with open(os.open(where, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        return file.read()


def _opened(where: str) -> Any:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise OSError(
            f"{where} needs fsspec, which is not installed: pip install 'schedulerd[storage]'"
        ) from error
    return url_to_fs(where)
