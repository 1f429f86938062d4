"""New files of definitions: written whole or not at all, and never over one that is there."""

import contextlib
import os
from pathlib import Path

from schedulerd.errors import Conflict, NotPermitted, SchedulerdError


def write_new(path: Path, text: str, *, mend: str) -> None:
    """Write the file, on disk for good when this returns; its folder is made where it is missing.

    Raises `Conflict` where there is one, `NotPermitted`, or `SchedulerdError`; then nothing was written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            stack.callback(draft.unlink, missing_ok=True)
            _write(draft, text)
            os.link(draft, path)  # unlike a rename, it does not replace what came meanwhile
        _sync_folder(path.parent)
    except FileExistsError as error:
        raise Conflict(f"{path} is there already; nothing was written", mend=mend) from error
    except OSError as error:
        kind = NotPermitted if isinstance(error, PermissionError) else SchedulerdError
        raise kind(f"cannot write {path}: {error.strerror}") from error


def _write(draft: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with open(os.open(draft, flags, 0o644), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
