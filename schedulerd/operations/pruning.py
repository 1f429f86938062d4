"""Removing old history on request; the daemon does the same by itself, by the settings."""

from collections.abc import Iterator
from datetime import datetime

from schedulerd.domain.retention import Retention
from schedulerd.store.database import Database
from schedulerd.store.pruning import Pruned


def prune(
    database: Database, retention: Retention, *, now: datetime, dry_run: bool = False
) -> Iterator[Pruned]:
    """Remove what is too old, page by page, each a transaction of its own; with `dry_run` only count it."""
    after = None
    while True:
        with database.read() if dry_run else database.write() as tx:
            pruned = tx.pruning.page(retention, now=now, after=after, dry_run=dry_run)
        yield pruned
        after = pruned.after
        if after is None:
            break
    if not dry_run:
        _forget_kinds(database)


def _forget_kinds(database: Database) -> None:
    """Remove the kinds of errors that no run has any more."""
    after = None
    while True:
        with database.write() as tx:
            after = tx.pruning.kinds(after=after)
        if after is None:
            return
