"""The tables of who may come in, and of what they changed. A change here needs a migration beside it.

What lets somebody in is kept as its SHA-256, so that nobody comes in by what is read here.
"""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text

from schedulerd.store.columns import KEY, Document, Moment, Words, metadata


def _of_user() -> Column[str]:
    """Whom it belongs to, and with whom it goes; NULL: to an account of this machine."""
    return Column("user_name", Text, ForeignKey("users.name", ondelete="CASCADE"))


users: Final = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("who", Words, nullable=False),
    _of_user(),
    # Of one that no user has; a user's is the user's.
    Column("role", Text),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("agent", Words, nullable=False),
    Column("address", Words, nullable=False),
    Index("ix_sessions_who", "who"),
)

api_tokens: Final = Table(
    "api_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("name", Words, nullable=False),
    Column("owner", Words, nullable=False),
    _of_user(),
    Column("role", Text),
    Column("scopes", Document, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Index("ix_api_tokens_owner", "owner"),
)

sign_in_codes: Final = Table(
    "sign_in_codes",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("who", Words, nullable=False),
    Column("role", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("used_at", Moment),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("who", Words, nullable=False),
    Column("means", Text, nullable=False),
    Column("address", Words, nullable=False),
    Column("what", Words, nullable=False),
    Column("target", Words, nullable=False),
    Column("before", Document),
    Column("after", Document),
    Index("ix_audit_at", "at"),
    Index("ix_audit_who", "who", "id"),
)
