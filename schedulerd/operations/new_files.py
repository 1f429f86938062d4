"""New files of definitions: written whole or not at all, and never over one that is there."""

from pathlib import Path

from schedulerd.errors import Conflict, NotPermitted, SchedulerdError
from schedulerd.new_files import new_file


def write_new(path: Path, text: str, *, mend: str) -> None:
    """Write the file, on disk for good when this returns; its folder is made where it is missing.

    Raises `Conflict` where there is one, `NotPermitted`, or `SchedulerdError`; then nothing was written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path, mode=0o644) as draft:
            draft.write_text(text, "utf-8")
    except FileExistsError as error:
        raise Conflict(f"{path} is there already; nothing was written", mend=mend) from error
    except OSError as error:
        kind = NotPermitted if isinstance(error, PermissionError) else SchedulerdError
        raise kind(f"cannot write {path}: {error.strerror}") from error
