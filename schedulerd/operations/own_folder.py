"""The folder in which files of our own are kept beside those that people write: read, written whole, removed.

Nothing is named by who asks: the caller gives a name that schedulerd made. One writer at a time; a file is replaced by
another that is on the disk already, so that whoever reads sees the one or the other.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from schedulerd.domain.own_files import etag_of
from schedulerd.errors import Conflict, NotPermitted, SchedulerdError, Stale
from schedulerd.new_files import DRAFT, new_file, replaced_file, sync
from schedulerd.sentences import joined, said

_USUAL_MODE: Final = 0o644
_BY_OTHERS: Final = 0o022
_LARGEST: Final = 10 << 20


class OwnFolder:
    """Files in one folder, the ending of whose names is `suffix`."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self._folder: Final = folder
        self._suffix: Final = suffix

    def path(self, name: str) -> Path:
        """Where the file of this name is, which must be one: no way to anywhere."""
        if name != os.path.basename(name) or name.startswith(".") or not name.endswith(self._suffix):
            raise NotPermitted(said("{name!r} is no name of a file here", name=name))
        return self._folder / name

    def read(self, name: str) -> bytes | None:
        """What is in it; None where it is not there. A symlink is not followed."""
        path = self.path(name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            with open(descriptor, "rb") as stream:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise Conflict(said("{path} is no regular file", path=path))
                return stream.read(_LARGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _of_system(said("cannot read {path}", path=path), error) from error

    def create(self, name: str, content: bytes) -> None:
        """Write a file that is not there. Raises `Conflict` where it is, `NotPermitted`, `SchedulerdError`."""
        path = self.path(name)
        with self._alone(), _told(said("cannot write {path}", path=path)):
            if os.path.lexists(path):
                raise Conflict(said("{path} is there already; nothing was written", path=path))
            with new_file(path, mode=self._mode()) as draft:
                draft.write_bytes(content)

    def replace(self, name: str, content: bytes, *, etag: str) -> None:
        """Write it anew, where it is still what the caller has seen. Raises `Stale`, `NotPermitted`, `SchedulerdError`."""
        path = self.path(name)
        with self._alone(), _told(said("cannot write {path}", path=path)):
            self._expect(name, etag)
            with replaced_file(path, mode=stat.S_IMODE(path.stat().st_mode)) as draft:
                draft.write_bytes(content)

    def remove(self, name: str, *, etag: str) -> None:
        """Take it away, where it is still what the caller has seen. Raises `Stale`, `NotPermitted`, `SchedulerdError`."""
        path = self.path(name)
        with self._alone(), _told(said("cannot remove {path}", path=path)):
            self._expect(name, etag)
            path.unlink()
            sync(self._folder)

    def _expect(self, name: str, etag: str) -> None:
        content = self.read(name)
        if content is None:
            raise Stale("file", str(self.path(name)), is_there=False)
        if etag_of(content) != etag:
            raise Stale("file", str(self.path(name)), is_there=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process or thread writes here meanwhile. What one that was killed left half-written is swept away."""
        with _told(said("cannot write into {path}", path=self._folder)):
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            for left in self._folder.glob(f".*{self._suffix}.*{DRAFT}"):
                left.unlink(missing_ok=True)
            yield
        finally:
            os.close(descriptor)

    def _mode(self) -> int:
        """That of a neighbour, but for what lets others write: then nobody would believe the file."""
        for neighbour in sorted(self._folder.glob(f"*{self._suffix}")):
            if neighbour.is_file():
                return stat.S_IMODE(neighbour.stat().st_mode) & ~_BY_OTHERS
        return _USUAL_MODE


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _of_system(what, error) from error


def _of_system(what: str, error: OSError) -> SchedulerdError:
    if error.errno == errno.ELOOP:
        return Conflict(said("{what}: it is a symlink, which is not followed", what=what))
    if isinstance(error, PermissionError) or error.strerror == "Read-only file system":
        return NotPermitted(
            joined(": ", (what, str(error.strerror))),
            mend=said("let the daemon's user write into this folder, or make the change in a file by hand"),
        )
    return SchedulerdError(joined(": ", (what, str(error.strerror))))
