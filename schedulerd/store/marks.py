"""Marks of a SQLite database: by them it is seen, without reading anything, that nobody has written since."""

import contextlib
import sqlite3
from collections.abc import Callable
from threading import Lock
from typing import Final

from sqlalchemy.exc import OperationalError

_VERSION: Final = "PRAGMA data_version"


class Marks:
    """By a connection of its own, which never writes: SQLite tells each connection of what all others commit.

    May be asked from any thread. `connect` opens the database, when a mark is first taken.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect: Final = connect
        self._connection: sqlite3.Connection | None = None
        self._openings = 0
        self._lock: Final = Lock()

    def take(self) -> tuple[int, int]:
        """Equal to an earlier one only if nobody has committed anything since, in whatever process. Raises `OperationalError`."""
        with self._lock:
            try:
                version = self._version()
            except sqlite3.Error as error:
                self._close()
                raise OperationalError(_VERSION, None, error) from error
            return self._openings, version

    def _version(self) -> int:
        if self._connection is None:
            self._connection = self._connect()
            self._openings += 1  # what was counted for another connection means nothing for this one
        version: int = self._connection.execute(_VERSION).fetchone()[0]
        return version

    def close(self) -> None:
        """Close the connection; the next mark opens another, and differs from all before."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()
