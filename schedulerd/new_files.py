"""New files: whole and on the disk, or not there at all; in the place of one that is there only where that is asked for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

DRAFT: Final = ".draft"
"""How the names of files end that are not written to their end."""


@contextmanager
def new_file(path: Path, *, mode: int) -> Iterator[Path]:
    """An empty draft beside `path`, to be written; at the end it becomes `path`, on disk for good, or is removed.

    `mode` is that of the file, less the umask. Raises `FileExistsError` where there is one, before anything is written
    or at the end, and other kinds of `OSError`.
    """
    if path.exists():
        raise FileExistsError(path)
    draft = _new_draft(path, mode)
    try:
        yield draft
        sync(draft)
        os.link(draft, path)  # unlike a rename, it does not replace what came meanwhile
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def replaced_file(path: Path, *, mode: int) -> Iterator[Path]:
    """An empty draft beside `path`, to be written; at the end it takes the place of `path`, on disk for good, or is removed.

    `mode` is that of the file, whatever the umask. Raises kinds of `OSError`.
    """
    draft = _new_draft(path, mode)
    try:
        yield draft
        draft.chmod(mode)
        sync(draft)
        draft.rename(path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def unlisted_file(path: Path, content: bytes) -> Iterator[Path]:
    """A file with this content beside `path`, under a name that begins with a dot, until the end of the `with`."""
    draft = _new_draft(path, 0o600)
    try:
        draft.write_bytes(content)
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _new_draft(path: Path, mode: int) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}{DRAFT}")
    draft.unlink(missing_ok=True)  # of one that was killed, and had our pid
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode))
    return draft


def sync(path: Path) -> None:
    """Have a file, or what a folder lists, on the disk for good when this returns."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
