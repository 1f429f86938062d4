"""Tokens for programs: `sdt_<id>_<secret>`, of which only the id and a hash are kept. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from schedulerd.domain.access import Role, Scope, role_of, scopes_of
from schedulerd.domain.sessions import is_fresh
from schedulerd.errors import BadParameters
from schedulerd.sentences import said

PREFIX: Final = "sdt"
USUAL_LIFE: Final = timedelta(days=90)
LONGEST_LIFE: Final = timedelta(days=366)
MOST_TOKENS: Final = 100
"""So many tokens one owner has at most."""

_LONGEST_NAME: Final = 100
_FORM: Final = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")


class TokenParts(NamedTuple):
    """The two parts of a token as it is shown."""

    id: str
    secret: str

    def __str__(self) -> str:
        """The token."""
        return f"{PREFIX}_{self.id}_{self.secret}"


def parse_token(text: str) -> TokenParts | None:
    """The parts of a token; None for what is none."""
    found = _FORM.fullmatch(text)
    return None if found is None else TokenParts(*found.groups())


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiToken:
    """A token as it is kept. `role` is what its owner may now, `user` the owner where that is a user."""

    id: str
    name: str
    owner: str
    user: str | None
    role: Role
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None

    @property
    def allowed(self) -> frozenset[Scope]:
        """What it is for, as far as its owner may still do that."""
        return self.scopes & scopes_of(self.role)

    @property
    def allowed_role(self) -> Role:
        """The role that it acts in."""
        return role_of(self.allowed)

    def is_over(self, now: datetime) -> bool:
        """Has it expired? One that was made later than now is not taken either."""
        return not is_fresh(self.created_at, now, self.expires_at - self.created_at)


def check_token_name(name: str) -> str:
    """The name, by which people tell tokens apart. Raises `BadParameters`."""
    if not (0 < len(name.strip()) <= _LONGEST_NAME and name.isprintable()):
        raise BadParameters(
            said(
                "the name of a token has 1 to {longest_name} printable characters", longest_name=_LONGEST_NAME
            )
        )
    return name.strip()


def check_life(life: timedelta) -> timedelta:
    """How long a token is to last. Raises `BadParameters`."""
    if not timedelta() < life <= LONGEST_LIFE:
        raise BadParameters(
            said(
                "a token lasts at most {days} days: one that is never renewed is never missed when it leaks",
                days=LONGEST_LIFE.days,
            )
        )
    return life


def check_scopes(scopes: Collection[Scope], *, role: Role) -> frozenset[Scope]:
    """What a token of somebody in this role is to be for. Raises `BadParameters`."""
    wanted = frozenset(scopes)
    if not wanted:
        raise BadParameters(said("a token is for something: {listed}", listed=", ".join(Scope)))
    if beyond := sorted(wanted - scopes_of(role)):
        raise BadParameters(
            said("the role {role} cannot have a token for {listed}", role=role, listed=", ".join(beyond))
        )
    return wanted
