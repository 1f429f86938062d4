"""The secrets, sealed, and which live runs have been given them."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from schedulerd.domain.ids import RunKey
from schedulerd.domain.near import near
from schedulerd.domain.secrets import SealedSecret, SecretUse
from schedulerd.errors import Conflict, NotFound
from schedulerd.store.asking_tables import secret_uses, secrets
from schedulerd.store.tables import AnyRow
from schedulerd.store.upserts import Upsert

_ALL: Final = select(secrets).order_by(secrets.c.name)
_ONE: Final = select(secrets).where(secrets.c.name == bindparam("name"))
_REMOVE: Final = delete(secrets).where(secrets.c.name == bindparam("named"))
_PUT_USE: Final = Upsert(secret_uses)


class Secrets:
    """Sealed values by name."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def all(self) -> list[SealedSecret]:
        """All of them, by name."""
        return [_secret(row) for row in self._connection.execute(_ALL)]

    def get(self, name: str) -> SealedSecret:
        """The secret of that name. Raises `NotFound`."""
        row = self._connection.execute(_ONE, {"name": name}).one_or_none()
        if row is None:
            raise NotFound("secret", name, near=near(name, [one.name for one in self.all()]))
        return _secret(row)

    def set(self, name: str, sealed: bytes, *, at: datetime, overwrite: bool = True) -> None:
        """Keep a secret, new or, with `overwrite`, in place of the one that is there. Raises `Conflict`."""
        there = self._connection.execute(_ONE, {"name": name}).one_or_none()
        if there is not None and not overwrite:
            raise Conflict(
                f"there is a secret {name!r} already", mend="to set it all the same, say overwrite=True"
            )
        self._connection.execute(_REMOVE, {"named": name})
        self._connection.execute(insert(secrets), {"name": name, "sealed": sealed, "changed_at": at})

    def remove(self, name: str) -> bool:
        """Remove it; False when there is none of that name."""
        return self._connection.execute(_REMOVE, {"named": name}).rowcount == 1

    def note_use(self, use: SecretUse) -> None:
        """An attempt is given a secret."""
        row = {"run_id": use.run, "attempt": use.attempt, "name": use.name, "sealed": use.sealed}
        _PUT_USE(self._connection, [row])

    def uses(self) -> list[SecretUse]:
        """What live runs have been given."""
        return [
            SecretUse(run=RunKey(row.run_id), attempt=row.attempt, name=row.name, sealed=bytes(row.sealed))
            for row in self._connection.execute(select(secret_uses))
        ]


def _secret(row: AnyRow) -> SealedSecret:
    return SealedSecret(name=row.name, sealed=bytes(row.sealed), changed_at=row.changed_at)
