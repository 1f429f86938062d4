"""What can be asked about tokens for programs. A token is shown once, when it is made."""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.access import Means, Principal, Role, Scope
from schedulerd.domain.api_tokens import (
    MOST_TOKENS,
    USUAL_LIFE,
    ApiToken,
    TokenParts,
    check_life,
    check_scopes,
    check_token_name,
)
from schedulerd.domain.audit import Change
from schedulerd.errors import Conflict, NotFound, NotPermitted
from schedulerd.operations.audit import keep
from schedulerd.operations.sign_in import digest_of, new_secret
from schedulerd.sentences import said
from schedulerd.store.database import Database

_ID_BYTES: Final = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class NewToken:
    """A token that was made, and the text by which it is used, which is kept nowhere."""

    token: ApiToken
    text: str


class ApiTokens:
    """Tokens, as somebody at an edge sees them. `by` is who asks."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database: Final = database
        self._clock: Final = clock

    def create(
        self, name: str, *, by: Principal, scopes: Collection[Scope], life: timedelta = USUAL_LIFE
    ) -> NewToken:
        """A new token of whoever asks.

        Raises `BadParameters`, `Conflict` where there are too many, and `NotPermitted` for a token: one that leaked could
        make itself last for ever.
        """
        if by.means is Means.TOKEN:
            raise NotPermitted(
                said("a token cannot make another"), mend=said("sign in, or use `schedulerd tokens create`")
            )
        now = self._clock.now()
        token = ApiToken(
            id=secrets.token_hex(_ID_BYTES),
            name=check_token_name(name),
            owner=by.name,
            user=by.user,
            role=by.role,
            scopes=check_scopes(scopes, role=by.role),
            created_at=now,
            expires_at=now + check_life(life),
        )
        secret = new_secret()
        with self._database.write() as tx:
            if len(_of(by, tx.api_tokens.all(by.name))) >= MOST_TOKENS:
                raise Conflict(
                    said("{name} has {most_tokens} tokens already", name=by.name, most_tokens=MOST_TOKENS),
                    mend=said("revoke those that are not used"),
                )
            tx.api_tokens.add(token, digest_of(secret))
            after = {"name": token.name, "scopes": sorted(token.scopes)}
            keep(tx, by, Change(what="tokens.create", target=token.id, after=after), at=now)
        return NewToken(token=token, text=str(TokenParts(token.id, secret)))

    def revoke(self, key: str, *, by: Principal) -> ApiToken:
        """Let a token in no more: one's own, or as an admin anybody's. Raises `NotFound`."""
        with self._database.write() as tx:
            token = tx.api_tokens.get(key)
            if not (by.is_same(token.owner, token.user) or by.may(Role.ADMIN)):
                raise NotFound("token", key)
            tx.api_tokens.remove(key)
            change = Change(
                what="tokens.revoke", target=key, before={"name": token.name, "owner": token.owner}
            )
            keep(tx, by, change, at=self._clock.now())
            return token

    # The last one, because from here on `list` is no type in this class.
    def list(self, *, of: Principal | None = None) -> list[ApiToken]:
        """All tokens, or only those of this one; expired ones as long as they are kept."""
        with self._database.read() as tx:
            return tx.api_tokens.all() if of is None else _of(of, tx.api_tokens.all(of.name))


def _of(owner: Principal, tokens: Iterable[ApiToken]) -> list[ApiToken]:
    return [token for token in tokens if owner.is_same(token.owner, token.user)]
