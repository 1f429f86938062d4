"""Putting a copy of the database in its place, while no daemon can begin."""

from collections.abc import Mapping
from pathlib import Path

from schedulerd.engine.lock import DaemonLock
from schedulerd.store.database import Database


def restore(
    database: Database, copy: Path, *, state_dir: Path, environ: Mapping[str, str], dry_run: bool = False
) -> Path | None:
    """Restore the copy; the path at which the old database is kept, where it is.

    Raises `AlreadyRunning` while a daemon has the state directory, and what `Database.restore` raises. With `dry_run`
    the copy is only looked at.
    """
    if dry_run:
        database.require_sound(copy, environ)
        return None
    state_dir.mkdir(parents=True, exist_ok=True)
    lock = DaemonLock(state_dir)
    lock.acquire()
    try:
        return database.restore(copy, environ)
    finally:
        lock.release()
