"""Statements whose spelling the two databases do not share, each made when it is first needed, and for the one in use.

To load SQLAlchemy's support of PostgreSQL, with all drivers that there are for it, costs a start 25 ms of CPU.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.sql.dml import Insert

Inserting = Callable[..., Any]
"""The `insert` of a database, which can also say what becomes of a row that is there."""


class Spelled:
    """An INSERT that says what becomes of a row that is there; `make` makes it by the `insert` of a database."""

    def __init__(self, make: Callable[[Inserting], Insert]) -> None:
        self._make: Final = make
        self._made: Final[dict[str, Insert]] = {}

    def on(self, connection: Connection) -> Insert:
        """The statement as the database of the connection takes it."""
        name = connection.dialect.name
        if name not in self._made:
            self._made[name] = self._make(import_module(f"sqlalchemy.dialects.{name}").insert)
        return self._made[name]
