"""Files of values: seen whole or not at all, whoever else reads or writes them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o600


def write_whole(file: Path, content: bytes, *, mode: int = PRIVATE) -> None:
    """Write a file in the place of one that may be there; `mode` is that of the file, less the umask.

    Raises `OSError`: then all is as it was. Not synced: what a crash of the machine takes is made again.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with open(descriptor, "wb") as opened:
            opened.write(content)
        os.replace(draft, file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
