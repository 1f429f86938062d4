"""The table of replies. A change here needs a migration beside it."""

from typing import Final

from sqlalchemy import Column, Index, Integer, Table, Text

from schedulerd.store.columns import KEY_IS_ROW, Moment, Words, metadata

# What was answered to a request that had an idempotency key; no status while it is being done.
replies: Final = Table(
    "replies",
    metadata,
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("at", Moment, nullable=False),
    # The same for as often as one request is begun.
    Column("mark", Text, nullable=False),
    Column("status", Integer),
    Column("body", Words),
    Column("location", Words),
    Index("ix_replies_at", "at"),
    info=KEY_IS_ROW,
)
