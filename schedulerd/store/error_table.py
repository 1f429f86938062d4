"""The table of the kinds of errors. A change here needs a migration beside it."""

from typing import Final

from sqlalchemy import Column, Table

from schedulerd.store.columns import KEY, Words, metadata

# The key is of the text, so that whoever has an error knows its kind without asking. No foreign key leads here: a kind is
# written beside the first run that has it. The last one goes, or is tried again, without it: it is forgotten in a sweep.
error_kinds: Final = Table(
    "error_kinds",
    metadata,
    Column("id", KEY, primary_key=True, autoincrement=False),
    Column("text", Words, nullable=False),
)
