"""SQLite databases that are migrated and empty. One is migrated in each process, and copied."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from schedulerd.store.database import Database


def new_database(folder: Path) -> Database:
    """One in the folder."""
    file = folder / "schedulerd.db"
    file.write_bytes(migrated())
    file.chmod(0o600)
    return Database(f"sqlite:///{file}")


@cache
def migrated() -> bytes:
    """What the daemon makes where there is no database."""
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/schedulerd.db")
        database.upgrade()
        database.close()
        return Path(folder, "schedulerd.db").read_bytes()
