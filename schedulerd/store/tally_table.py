"""The table of tallies. A change here needs a migration beside it."""

from typing import Final

from sqlalchemy import Column, Integer, Table, Text

from schedulerd.store.columns import KEY, KEY_IS_ROW, metadata

# How many runs ended in an hour (since 1970, UTC), by flow, state and class of length; those of flow 0 are of all flows
# together. No foreign key, for these are no flow.
tallies: Final = Table(
    "tallies",
    metadata,
    Column("flow_id", KEY, primary_key=True, autoincrement=False),
    Column("hour", Integer, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("length", Integer, primary_key=True),
    Column("count", KEY, nullable=False),
    Column("total_ms", KEY, nullable=False),
    info=KEY_IS_ROW,
)
