"""The versions of code that flows had: each source is kept once, by its hash."""

from collections.abc import Iterable, Mapping
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
        return self.put_all({hash_: source}, now=now)[hash_]

    def put_all(self, sources: Mapping[str, str], *, now: datetime) -> dict[str, VersionKey]:
        """The keys of the versions with these hashes, which are kept from now on."""
        known = self._keys(sources)
        fresh = [
            {"hash": hash_, "source": source, "first_seen": now}
            for hash_, source in sources.items()
            if hash_ not in known
        ]
        if not fresh:
            return known
        self._connection.execute(insert(versions), fresh)
        return self._keys(sources)

    def _keys(self, hashes: Iterable[str]) -> dict[str, VersionKey]:
        query = select(versions.c.hash, versions.c.id).where(versions.c.hash.in_(tuple(hashes)))
        return {row.hash: VersionKey(row.id) for row in self._connection.execute(query)}

    def source(self, hash_: str) -> str:
        """The text of the version. Raises `NotFound`."""
        text: str | None = self._connection.scalar(select(versions.c.source).where(versions.c.hash == hash_))
        if text is None:
            raise NotFound("version", hash_)
        return text
