"""INSERT … ON CONFLICT: the one statement that SQLAlchemy has for each database apart."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.sql.dml import Insert


class ConflictInsert:
    """A statement that is made when a database is first given it: what the other one needs is never loaded.

    `make` is handed the `insert` of the database.
    """

    def __init__(self, make: Callable[[Any], Insert]) -> None:
        self._make: Final = make
        self._made: Final[dict[str, Insert]] = {}

    def on(self, connection: Connection) -> Insert:
        """The statement as this connection's database has it."""
        dialect = connection.dialect.name
        if dialect not in self._made:
            self._made[dialect] = self._make(_insert(dialect))
        return self._made[dialect]


def _insert(dialect: str) -> Any:
    # late: the dialect of PostgreSQL is the largest part of SQLAlchemy
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as insert_into_sqlite

        return insert_into_sqlite
    from sqlalchemy.dialects.postgresql import insert as insert_into_postgresql

    return insert_into_postgresql
