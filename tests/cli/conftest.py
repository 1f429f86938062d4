"""A project for each test of the command line."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from schedulerd.store.database import Database
from tests.cli.scenes import Project


@pytest.fixture
def project(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Project]:
    """A folder with settings and a migrated, empty SQLite database, and what calls the program on it."""
    for folder in ("config/schedules", "flows", "state"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "config" / "schedulerd.toml").write_text('flows = ["flows"]\nstate_dir = "state"\n')
    shutil.copyfile(migrated_sqlite, tmp_path / "state" / "schedulerd.db")
    database = Database(f"sqlite:///{tmp_path / 'state' / 'schedulerd.db'}", timeout=timedelta(seconds=5))
    yield Project(tmp_path, database)
    with database.read() as tx:
        broken = tx.broken_invariants()
    database.close()
    assert broken == []
