"""The tables of what runs ask for and tell beside their logs."""

from typing import Final

from sqlalchemy import Column, Double, Index, Integer, LargeBinary, Table, Text

from schedulerd.store.columns import KEY_IS_ROW, Document, Id, Moment, Words, metadata, of_run

# What runs ask and have no answer to yet, or have not been handed it.
questions: Final = Table(
    "questions",
    metadata,
    of_run(),
    Column("attempt", Integer, primary_key=True),
    Column("asked", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("body", Document, nullable=False),
    Column("door", Words, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("answer", Document),
    info=KEY_IS_ROW,
)

variables: Final = Table(
    "variables",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Words, nullable=False),
    Column("tags", Document),
    Column("changed_at", Moment, nullable=False),
)

# A value is sealed with a key that lies outside of the database.
secrets: Final = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

# What live runs have been given, so that it is kept out of what they say.
secret_uses: Final = Table(
    "secret_uses",
    metadata,
    of_run(),
    Column("attempt", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    info=KEY_IS_ROW,
)

artifacts: Final = Table(
    "artifacts",
    metadata,
    of_run(),
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("description", Words, nullable=False),
    Column("data", Words, nullable=False),
    Column("task", Integer),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    info=KEY_IS_ROW,
)

events: Final = Table(
    "events",
    metadata,
    of_run(),
    Column("id", Id, primary_key=True),
    Column("name", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("resource", Document, nullable=False),
    Column("payload", Document, nullable=False),
    Column("related", Document, nullable=False),
    Index("ix_events_at", "at"),
    info=KEY_IS_ROW,
)

named_limits: Final = Table(
    "named_limits",
    metadata,
    Column("name", Text, primary_key=True),
    Column("slots", Integer, nullable=False),
    Column("per_second", Double),
    Column("level", Double, nullable=False),
    Column("level_at", Moment),
)

slots: Final = Table(
    "slots",
    metadata,
    of_run(),
    Column("attempt", Integer, primary_key=True),
    Column("asked", Words, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("occupy", Integer, nullable=False),
    info=KEY_IS_ROW,
)

approvals: Final = Table(
    "approvals",
    metadata,
    of_run(),
    Column("key", Words, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("answer", Document, nullable=False),
    info=KEY_IS_ROW,
)
