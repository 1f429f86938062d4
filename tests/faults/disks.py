"""Small disks of memory that can be filled. They need root."""

import contextlib
import os
import subprocess
from pathlib import Path
from typing import Final

_PIECE: Final = 1 << 20


class Disk:
    """A tmpfs over a folder, until `close`."""

    def __init__(self, folder: Path, *, mebibytes: int) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=750", "tmpfs", str(folder)]
        subprocess.run(command, check=True)

    @property
    def _ballast(self) -> Path:
        return self._folder / "ballast"

    def fill(self) -> None:
        """Leave no room, to the last byte."""
        descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for size in (_PIECE, 4096, 1):
            with contextlib.suppress(OSError):
                while os.write(descriptor, bytes(size)) == size:
                    pass
        os.close(descriptor)

    def free(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Take it away, whoever is still in it."""
        subprocess.run(["umount", "--lazy", str(self._folder)], check=True)


def can_mount() -> bool:
    """May we make such disks here?"""
    return os.geteuid() == 0
