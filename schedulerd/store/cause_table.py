"""The table of causes. A change here needs a migration beside it, as one of `tables` does."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Table, Text

from schedulerd.store.columns import KEY, KEY_IS_ROW, Moment, Words, metadata

# What made a schedule due that has no due times, and was decided: each mark once, however often it is seen.
causes: Final = Table(
    "causes",
    metadata,
    Column("schedule_id", KEY, ForeignKey("schedules.id"), primary_key=True),
    Column("mark", Text, primary_key=True),
    Column("subject", Words, nullable=False),
    Column("at", Moment, nullable=False),
    info=KEY_IS_ROW,
)
