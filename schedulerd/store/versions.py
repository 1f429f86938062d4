"""The versions of code that flows had: each source is kept once, by its hash."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, select

from schedulerd.domain.ids import VersionKey
from schedulerd.errors import NotFound
from schedulerd.store.tables import versions


class Versions:
    """The table of versions; `Flows` is what the rest of the store knows."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def put(self, hash_: str, source: str, *, now: datetime) -> VersionKey:
        """The key of the version with this hash, which is kept from now on."""
        known = self._connection.scalar(select(versions.c.id).where(versions.c.hash == hash_))
        if known is None:
            row = insert(versions).values(hash=hash_, source=source, first_seen=now).returning(versions.c.id)
            known = self._connection.execute(row).scalar_one()
        return VersionKey(known)

    def source(self, hash_: str) -> str:
        """The text of the version. Raises `NotFound`."""
        text: str | None = self._connection.scalar(select(versions.c.source).where(versions.c.hash == hash_))
        if text is None:
            raise NotFound("version", hash_)
        return text
