"""Tokens for programs. Each is known by its id, and by the SHA-256 of its secret."""

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from schedulerd.domain.access import Role, Scope
from schedulerd.domain.api_tokens import ApiToken
from schedulerd.errors import NotFound
from schedulerd.store.access_tables import api_tokens, users
from schedulerd.store.tables import AnyRow

# A user's token may no more than the user may now, and who is disabled has none.
_ALL: Final = (
    select(*api_tokens.c, func.coalesce(users.c.role, api_tokens.c.role).label("role_now"))
    .select_from(api_tokens.outerjoin(users, users.c.name == api_tokens.c.user_name))
    .where(users.c.disabled_at.is_(None))
    .order_by(api_tokens.c.owner, api_tokens.c.created_at, api_tokens.c.id)
)
_ONE: Final = _ALL.where(api_tokens.c.id == bindparam("key"))
_SOME: Final = _ALL.where(api_tokens.c.id.in_(bindparam("keys", expanding=True)))
_USED: Final = (
    update(api_tokens)
    .where(api_tokens.c.id == bindparam("key"))
    .values(used_at=bindparam("at", type_=api_tokens.c.used_at.type))
)


class KnownToken(NamedTuple):
    """A token, and the hash of its secret."""

    token: ApiToken
    digest: bytes


class ApiTokens:
    """Tokens by id."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def all(self, owner: str | None = None) -> list[ApiToken]:
        """All tokens, or those of one owner; expired ones too."""
        query = _ALL if owner is None else _ALL.where(api_tokens.c.owner == owner)
        return [_token(row) for row in self._connection.execute(query)]

    def find(self, key: str) -> KnownToken | None:
        """The token with this id, expired or not; None where there is none, or its owner is disabled."""
        row = self._connection.execute(_ONE, {"key": key}).one_or_none()
        return None if row is None else KnownToken(_token(row), bytes(row.digest))

    def by_ids(self, ids: Collection[str]) -> list[ApiToken]:
        """Those of them that there are, expired or not; none of an owner who is disabled."""
        return [_token(row) for row in self._connection.execute(_SOME, {"keys": list(ids)})]

    def get(self, key: str) -> ApiToken:
        """The token with this id. Raises `NotFound`."""
        found = self.find(key)
        if found is None:
            raise NotFound("token", key, mend="`schedulerd tokens list` names them")
        return found.token

    def add(self, token: ApiToken, digest: bytes) -> None:
        """A new token."""
        row = {
            "id": token.id,
            "digest": digest,
            "name": token.name,
            "owner": token.owner,
            "user_name": token.user,
            "role": token.role.value if token.user is None else None,
            "scopes": sorted(token.scopes),
            "created_at": token.created_at,
            "expires_at": token.expires_at,
        }
        self._connection.execute(insert(api_tokens), row)

    def used(self, key: str, *, at: datetime) -> None:
        """Note that it was used."""
        self._connection.execute(_USED, {"key": key, "at": at})

    def remove(self, key: str) -> bool:
        """Remove it; False when there is none."""
        return self._connection.execute(delete(api_tokens).where(api_tokens.c.id == key)).rowcount == 1

    def forget(self, now: datetime) -> None:
        """Remove those that have expired: a clock that is set back later revives none of them."""
        self._connection.execute(delete(api_tokens).where(api_tokens.c.expires_at <= now))


def _token(row: AnyRow) -> ApiToken:
    return ApiToken(
        id=row.id,
        name=row.name,
        owner=row.owner,
        user=row.user_name,
        role=Role(row.role_now),
        scopes=frozenset(map(Scope, row.scopes)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
