"""Who asks, and what that one may do. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What somebody may do: look; run and change flows' runs and schedules; everything."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """May who has this role do all that `other` may?"""
        return _RANK[self] >= _RANK[other]


_RANK: Final = {role: rank for rank, role in enumerate(Role)}


class Scope(StrEnum):
    """What a token is for. `admin` is for everything."""

    FLOWS_READ = "flows:read"
    RUNS_READ = "runs:read"
    LOGS_READ = "logs:read"
    AGENTS_READ = "agents:read"
    FLOWS_WRITE = "flows:write"
    RUNS_TRIGGER = "runs:trigger"
    RUNS_CANCEL = "runs:cancel"
    AGENTS_WRITE = "agents:write"
    ADMIN = "admin"


ROLE_OF: Final[Mapping[Scope, Role]] = {
    Scope.FLOWS_READ: Role.VIEWER,
    Scope.RUNS_READ: Role.VIEWER,
    Scope.LOGS_READ: Role.VIEWER,
    Scope.AGENTS_READ: Role.VIEWER,
    Scope.FLOWS_WRITE: Role.OPERATOR,
    Scope.RUNS_TRIGGER: Role.OPERATOR,
    Scope.RUNS_CANCEL: Role.OPERATOR,
    Scope.AGENTS_WRITE: Role.OPERATOR,
    Scope.ADMIN: Role.ADMIN,
}
"""The role that somebody needs to use a token for this."""


def scopes_of(role: Role) -> frozenset[Scope]:
    """All that the role may have a token for."""
    return frozenset(scope for scope, needed in ROLE_OF.items() if role.includes(needed))


def role_of(scopes: Iterable[Scope]) -> Role:
    """The least role that may have a token for all of these."""
    return max((ROLE_OF[scope] for scope in scopes), key=_RANK.__getitem__, default=Role.VIEWER)


class Means(StrEnum):
    """By what somebody was recognised: a password, a sign-in link, a token, or the account of this machine that runs a command."""

    PASSWORD = "password"
    LINK = "link"
    TOKEN = "token"
    ACCOUNT = "account"


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """Somebody who was recognised. `name` is who acts, as histories and the audit tell it.

    `scopes` narrow what a token is for; None: whatever the role may. `key` is of the session or the token.
    """

    name: str
    role: Role
    means: Means = Means.ACCOUNT
    scopes: frozenset[Scope] | None = None
    address: str = ""
    user: str | None = None
    key: str = ""

    def may(self, role: Role) -> bool:
        """May this one do what needs the role?"""
        return self.role.includes(role)

    def is_same(self, name: str, user: str | None) -> bool:
        """Is it this one? An account of the machine is not the user of its name."""
        return (self.name, self.user) == (name, user)

    def is_for(self, scope: Scope) -> bool:
        """Is this one, where it is a token, for that?"""
        return self.scopes is None or bool(self.scopes & {scope, Scope.ADMIN})
