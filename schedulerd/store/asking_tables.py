"""The tables of what runs ask for and tell beside their logs; with the metadata that all tables share."""

from typing import Final

from sqlalchemy import Column, Double, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text

from schedulerd.store.columns import KEY, Document, Id, Moment, Words

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# What runs ask and have no answer to yet, or have not been handed it.
questions: Final = Table(
    "questions",
    metadata,
    Column("run_id", KEY, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("asked", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("body", Document, nullable=False),
    Column("door", Words, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("answer", Document),
    sqlite_with_rowid=False,
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
    Column("run_id", KEY, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

artifacts: Final = Table(
    "artifacts",
    metadata,
    Column("run_id", KEY, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("description", Words, nullable=False),
    Column("data", Words, nullable=False),
    Column("task", Integer),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    sqlite_with_rowid=False,
)

events: Final = Table(
    "events",
    metadata,
    Column("run_id", KEY, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Id, primary_key=True),
    Column("name", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("resource", Document, nullable=False),
    Column("payload", Document, nullable=False),
    Column("related", Document, nullable=False),
    Index("ix_events_at", "at"),
    sqlite_with_rowid=False,
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
    Column("run_id", KEY, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("asked", Words, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("occupy", Integer, nullable=False),
    sqlite_with_rowid=False,
)

approvals: Final = Table(
    "approvals",
    metadata,
    Column("run_id", KEY, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Words, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("answer", Document, nullable=False),
    sqlite_with_rowid=False,
)
