"""A migrated database on PostgreSQL that one test after the other has to itself: emptied, which costs less than a new one."""

from typing import Any, Final

import psycopg

from schedulerd.store.database import Database
from schedulerd.store.invariants import INVARIANTS
from schedulerd.store.tables import metadata
from tests.postgres import PostgresServer

# Whoever a test left connected goes first: nothing may wait for locks of a test that is over.
_LEAVE: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_FILLED: Final = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    " AND pg_relation_size(oid) > 0"
)
_TABLES: Final = [table.name for table in reversed(metadata.sorted_tables)]


class EmptiedDatabase:
    """Emptied by a connection that stays, because a new one would have to read the whole catalog each time, and vacuumed:
    what was deleted would otherwise be read by all that come after.
    """

    def __init__(self, server: PostgresServer) -> None:
        self._server: Final = server
        self.name: Final = server.create()
        database = Database(server.url(self.name))
        database.upgrade()
        database.close()
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def empty(self) -> None:
        """Nobody is connected to it afterwards, and nothing is in it."""
        connection = self._connected()
        connection.execute(_LEAVE)
        filled = {name for (name,) in connection.execute(_FILLED)}
        found = [name for name in _TABLES if name in filled]
        if not found:
            return
        connection.execute("; ".join(f"DELETE FROM {name}" for name in found).encode())
        connection.execute(f"VACUUM {', '.join(found)}".encode())

    def broken_invariants(self) -> list[str]:
        """As `Transaction.broken_invariants` has it."""
        connection = self._connected()
        return [words for words, query in INVARIANTS.items() if connection.execute(query.encode()).fetchone()]

    def close(self) -> None:
        """Give up the connection."""
        if self._connection is not None:
            self._connection.close()

    def _connected(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = self._server.connect(self.name)
            # what is deleted is not looked for in other tables
            self._connection.execute("SET session_replication_role = replica")
        return self._connection
