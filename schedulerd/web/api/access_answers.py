"""What the API answers about users, sessions, tokens and the audit: the shapes of `operations/access_shapes.py` as models."""

from typing import Any

from schedulerd.domain.access import Means, Role, Scope
from schedulerd.web.api.answers import Answer, Moment


class PrincipalAnswer(Answer):
    """Who asks. `scopes` narrow what a token is for; null: whatever the role may."""

    name: str
    role: Role
    means: Means
    user: str | None
    scopes: list[Scope] | None


class UserAnswer(Answer):
    """A user."""

    name: str
    role: Role
    enabled: bool
    created_at: Moment
    disabled_at: Moment | None


class SessionAnswer(Answer):
    """Where somebody is signed in; `current` is the one that asks."""

    id: int
    who: str
    role: Role
    means: Means
    created_at: Moment
    seen_at: Moment
    ends_at: Moment
    agent: str
    address: str
    current: bool


class TokenAnswer(Answer):
    """A token, without what it is used by."""

    id: str
    name: str
    owner: str
    scopes: list[Scope]
    created_at: Moment
    expires_at: Moment
    used_at: Moment | None
    expired: bool


class NewTokenAnswer(TokenAnswer):
    """A token that was just made: the only time that `token`, which is what it is used by, is told."""

    token: str


class DifferenceAnswer(Answer):
    """A field that was changed, within objects by its path; null where it was or is not there."""

    field: str
    before: Any
    after: Any


class EntryAnswer(Answer):
    """Somebody changed something: who and from where, what, how it was before and after, and which fields that changed."""

    id: int
    at: Moment
    who: str
    means: Means
    address: str
    what: str
    target: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    changes: list[DifferenceAnswer]


class EntriesAnswer(Answer):
    """Entries, the newest first; `next_before` leads to those before them, null where there are none."""

    items: list[EntryAnswer]
    next_before: int | None
