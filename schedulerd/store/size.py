"""How large the database is."""

from typing import Final

from sqlalchemy import Connection, text

_SIZE: Final = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}


class Size:
    """Of all of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def in_bytes(self) -> int:
        """In bytes; of SQLite without its write-ahead log."""
        return int(self._connection.scalar(text(_SIZE[self._connection.dialect.name])) or 0)
