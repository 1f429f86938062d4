"""What was true of the world when the database was written last."""

from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from schedulerd.store.tables import facts

_GET: Final = select(facts.c.value).where(facts.c.name == bindparam("name"))


class Facts:
    """Words by name; each has one value."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def get(self, name: str) -> str | None:
        """The value, None where none was set."""
        value: str | None = self._connection.scalar(_GET, {"name": name})
        return value

    def unset(self, name: str) -> None:
        """Let it have no value."""
        self._connection.execute(delete(facts).where(facts.c.name == name))

    def set(self, name: str, value: str) -> None:
        """Set the value, in place of the one that was there."""
        self._connection.execute(delete(facts).where(facts.c.name == name))
        self._connection.execute(insert(facts).values(name=name, value=value))
