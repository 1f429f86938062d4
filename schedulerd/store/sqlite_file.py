"""The file of a SQLite database: whether the one that we write to is still the one that has its name.

SQLite goes on writing into a file that was removed or replaced, without an error, and all of that is lost when the last
process lets go of it. So whoever commits looks first.
"""

import os
from pathlib import Path

from schedulerd.errors import StoreReplaced

FileIdentity = tuple[int, int]
"""What tells a file from another that takes its name: device and inode."""


class SqliteFile:
    """Remembers which file it was that was first used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: FileIdentity | None = None

    @property
    def identity(self) -> FileIdentity | None:
        """The file that was first used, None before that."""
        return self._known

    def expect(self, identity: FileIdentity) -> None:
        """The file that is to be found here is this one: somebody uses it already."""
        self._known = identity

    def require_same(self) -> None:
        """Raise `StoreReplaced` unless the file of this name is the one that was first seen here."""
        found = self._identity()
        if self._known is None:
            self._known = found
        elif found is None:
            raise StoreReplaced(
                f"the database {self.path} was removed while it was in use",
                mend="put it back; or restart schedulerd, which then begins with an empty one",
            )
        elif found != self._known:
            raise StoreReplaced(
                f"the database {self.path} was replaced by another file while it was in use",
                mend="put the old one back; or restart schedulerd, which then goes on with what is there now",
            )

    def forget(self) -> None:
        """From now on whatever has the name is the file: nobody is connected to the old one any more."""
        self._known = None

    def _identity(self) -> FileIdentity | None:
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return (status.st_dev, status.st_ino)
