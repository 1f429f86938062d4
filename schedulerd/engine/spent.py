"""Folders whose attempts are over, kept for the next ones: a run then makes no file, and deletes none.

Eight files and a folder for each run are what a file system feels most of a busy scheduler: an inode for each, made and
freed within a second. What is used again costs a few renames. On ext4 without a journal the difference is the largest:
it goes through all inodes that were freed in the last minutes each time that it makes one (`recently_deleted` of
fs/ext4/ialloc.c).

Only what nobody else can reach is used again. The attempt has ended as its parent saw it, which was the last to hold the
folder; and of each file the kernel confirms that nobody else has it open or mapped, by the lease that it grants only
then (F_SETLEASE of fcntl(2)). Where there is any doubt, or a file that is not ours, the folder is deleted as ever.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import stat
from pathlib import Path
from typing import Final

from schedulerd.engine.cgroups import LINK
from schedulerd.engine.notes import NOTES, Exit, Stage, Word, blank_notes

_MOST: Final = 64  # more than are usually over and not begun anew yet; each takes 16 KiB of the disk
_TAKEN_AWAY: Final = frozenset({*Word, LINK})


class SpentFolders:
    """Folders that have nothing of their last attempt and wait for another. For one thread of one process.

    `emptied` names the files that runs write to, which stay, with nothing in them.
    """

    def __init__(self, place: Path, *, emptied: frozenset[str]) -> None:
        self._place: Final = str(place)
        self._emptied: Final = emptied
        self._known: Final = emptied | NOTES | _TAKEN_AWAY | {Stage.STARTED}
        self._waiting: Final[list[str]] = []

    def begin(self) -> None:
        """Begin without any: what an earlier process kept may have reached the disk in another order."""
        self._waiting.clear()
        shutil.rmtree(self._place, ignore_errors=True)
        with contextlib.suppress(OSError):  # then none can be kept
            os.mkdir(self._place, 0o700)

    def keep(self, folder: str, ended: Exit | None) -> bool:
        """Take a folder that would be deleted, of an attempt that ended so; False where it has to be deleted after all."""
        if (
            len(self._waiting) >= _MOST
            or ended is None
            or ended.is_unknown
            or ended.left
            or not ended.seen_off
        ):
            return False
        kept = f"{self._place}/{os.path.basename(folder)}"
        try:
            self._clear(folder)
            os.rename(folder, kept)
        except OSError:
            return False
        self._waiting.append(kept)
        return True

    def give(self, path: str) -> bool:
        """Put one at `path`; False where there is none. It has the latch file, with nothing in it."""
        while self._waiting:
            with contextlib.suppress(OSError):  # somebody has tidied up
                os.rename(self._waiting.pop(), path)
                return True
        return False

    def _clear(self, folder: str) -> None:
        """Take out what the attempt left; raises `OSError` where it left what cannot be used again."""
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            names = set(os.listdir(place))
            if not names <= self._known:
                raise FileExistsError(*sorted(names - self._known))
            for name in names & _TAKEN_AWAY:
                os.unlink(name, dir_fd=place)
            for name in names - _TAKEN_AWAY:
                _free(name, place, is_emptied=name not in NOTES)
            blank_notes(place)
            os.rename(Stage.STARTED, Stage.ARMED, src_dir_fd=place, dst_dir_fd=place)
        finally:
            os.close(place)


def _free(name: str, folder: int, *, is_emptied: bool) -> None:
    """Make sure that a file is ours alone, and empty it; raises `OSError` where it is not."""
    file = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_uid != os.geteuid():
            raise PermissionError(f"{name} is not only ours")
        # Until it is closed. Who opens it meanwhile waits for that, and we are sent a signal: by default one that ends us.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        if is_emptied and found.st_size:
            os.ftruncate(file, 0)
    finally:
        os.close(file)
