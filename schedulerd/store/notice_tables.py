"""The tables of what people and monitors are told. A change here needs a migration beside it."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from schedulerd.store.columns import KEY, Moment, Words, metadata, partial_index

# What is to be told, written in the transaction of what it tells of; one for each rule that wants it.
notices: Final = Table(
    "notices",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("subject", Words, nullable=False),
    Column("words", Words, nullable=False),
    Column("run_id", KEY, ForeignKey("runs.id", ondelete="CASCADE")),
    # Of what is told once only, however often it is found.
    Column("mark", Text),
    Column("told_at", Moment),
)
IS_UNTOLD: Final = notices.c.told_at.is_(None)
partial_index(
    "ix_notices_untold",
    notices.c.rule,
    notices.c.id,
    where=IS_UNTOLD,
)
Index("ix_notices_run_id", notices.c.run_id)
_IS_MARKED: Final = notices.c.mark.is_not(None)
partial_index(
    "ux_notices_mark",
    notices.c.rule,
    notices.c.mark,
    unique=True,
    where=_IS_MARKED,
)

# What is told of them: a row for each address, which is known by a fingerprint, because a URL may be a secret.
messages: Final = Table(
    "messages",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("title", Words, nullable=False),
    Column("body", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", Moment),
    Column("done_at", Moment),
    Column("answer", Words, nullable=False),
    Index("ix_messages_rule", "rule", "made_at"),
)
IS_UNSENT: Final = messages.c.next_at.is_not(None)
partial_index("ix_messages_next_at", messages.c.next_at, where=IS_UNSENT)

# What monitors are to be told, until they have been.
pings: Final = Table(
    "pings",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("schedule_id", KEY, ForeignKey("schedules.id"), nullable=False),
    Column("run_id", KEY, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("beat", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", Moment, nullable=False),
    Column("answer", Words, nullable=False),
    Index("ix_pings_run_id", "run_id"),
)
