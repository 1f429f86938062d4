"""SQLite's write lock, for which processes wait without a queue.

SQLite itself looks every tenth of a second in the end, and so hardly ever just when a process that writes much has let go of it
for less than a millisecond. So it is looked at each millisecond.
"""

import sqlite3
import time
from datetime import timedelta
from threading import Event
from typing import Final

_LOOK_SECONDS: Final = 0.001
_BUSY: Final = 5  # SQLITE_BUSY, of which there are kinds, in the lowest byte


def begin_writing(connection: sqlite3.Connection, *, patience: timedelta) -> None:
    """Begin the transaction of the only writer. Raises what the driver does, when another one has been it for all this time."""
    milliseconds = patience // timedelta(milliseconds=1)
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        _begin(connection, until=time.monotonic() + patience.total_seconds())
    finally:  # what else may find it taken waits as SQLite does
        connection.execute(f"PRAGMA busy_timeout = {milliseconds}")


def _begin(connection: sqlite3.Connection, *, until: float) -> None:
    pause = Event()
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != _BUSY or time.monotonic() >= until:
                raise
            pause.wait(_LOOK_SECONDS)
        else:
            return
