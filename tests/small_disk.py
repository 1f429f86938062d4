"""A small file system in memory for a test, to be filled to its last byte. Needs root."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.requirements import missing

_PART: Final = "mounts"
_FILLER: Final = "filler"


class SmallDisk:
    """A file system of its own at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def free(self) -> int:
        """Bytes that can still be written."""
        now = os.statvfs(self.path)
        return now.f_bavail * now.f_frsize

    def fill(self, *, but: int = 0) -> None:
        """Leave so many bytes free, and by default not one."""
        with open(self.path / _FILLER, "ab", buffering=0) as filler, contextlib.suppress(OSError):
            while (room := self.free - but) > 0:
                filler.write(bytes(min(room, 65_536)))

    def empty(self) -> None:
        """Give the room back."""
        (self.path / _FILLER).unlink(missing_ok=True)


@contextmanager
def small_disk(size: str = "2m") -> Iterator[SmallDisk]:
    """A small file system, which is gone at the end whatever happened; the test is skipped where there can be none."""
    folder = Path(tempfile.mkdtemp(prefix="schedulerd-disk-", dir="/tmp"))
    try:
        _mount(folder, size)
        try:
            yield SmallDisk(folder)
        finally:
            # lazily: a process of the test may take a moment to let go of it
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _mount(folder: Path, size: str) -> None:
    if os.geteuid() != 0:
        missing(_PART, "only root may mount a file system")
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        missing(_PART, f"no file system can be mounted here: {done.stderr.strip()}")
