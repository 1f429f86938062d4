"""Copies of the database: made while somebody writes, whole, and put back."""

import os
import shutil
import stat
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from schedulerd.domain.runs import RunFilter
from schedulerd.errors import BadDefinition, Conflict, NotFound, StoreUnavailable
from schedulerd.store.database import Database
from tests.postgres import installations
from tests.store.scenes import a_scene, add

pytestmark = pytest.mark.each_postgres


@pytest.fixture
def environ(database_kind: str) -> Mapping[str, str]:
    """An environment in which the programs of this kind of database are found first."""
    bins = [str(one.bin) for one in installations() if one.name == database_kind]
    return {**os.environ, "PATH": ":".join([*bins, os.environ["PATH"]])}


def count(database: Database) -> int:
    with database.read() as tx:
        return len(tx.runs.list(RunFilter(limit=1_000)))


def test_a_copy_holds_what_was_there_and_comes_back(
    database: Database, tmp_path: Path, environ: Mapping[str, str]
) -> None:
    copy = tmp_path / "copy"
    with database.write() as tx:
        scene = a_scene(tx)
        add(tx, scene.flow)
    skip_without_programs(database, environ)

    database.back_up(copy, environ)
    with database.write() as tx:
        add(tx, scene.flow)
    database.restore(copy, environ)

    assert count(database) == 1
    assert database.check() == []
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def skip_without_programs(database: Database, environ: Mapping[str, str]) -> None:
    if database.url.startswith("postgres") and shutil.which("pg_dump", path=environ["PATH"]) is None:
        pytest.skip("this PostgreSQL comes without pg_dump")


def test_a_copy_is_whole_while_others_write(sqlite_database: Database, tmp_path: Path) -> None:
    with sqlite_database.write() as tx:
        scene = a_scene(tx)
    stopping = threading.Event()

    def write() -> None:
        while not stopping.is_set():
            with sqlite_database.write() as tx:
                add(tx, scene.flow)
                add(tx, scene.flow)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            sqlite_database.back_up(tmp_path / f"copy{number}", {})
    finally:
        stopping.set()
        writer.join()

    for number in range(5):
        copied = Database(f"sqlite:///{tmp_path / f'copy{number}'}")
        assert copied.check() == []
        assert count(copied) % 2 == 0
        copied.close()


def test_a_copy_takes_the_place_of_no_file(sqlite_database: Database, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.write_text("precious")

    with pytest.raises(Conflict, match="already"):
        sqlite_database.back_up(target, {})

    assert target.read_text() == "precious"


def test_a_copy_that_cannot_be_written_leaves_nothing(sqlite_database: Database, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        sqlite_database.back_up(tmp_path / "nowhere" / "copy", {})

    assert list(tmp_path.glob(".*draft")) == []


def test_the_old_database_is_kept_beside_the_restored_one(sqlite_database: Database, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    sqlite_database.back_up(copy, {})
    with sqlite_database.write() as tx:
        add(tx, a_scene(tx).flow)

    kept = [sqlite_database.restore(copy, {}), sqlite_database.restore(copy, {})]

    assert count(sqlite_database) == 0
    names = [None if one is None else one.name for one in kept]
    assert names == ["schedulerd.db.replaced.1", "schedulerd.db.replaced.2"]
    assert kept[0] is not None
    first = Database(f"sqlite:///{kept[0]}")
    assert count(first) == 1
    first.close()


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(5_000)], ids=len)
def test_a_file_that_is_no_copy_replaces_nothing(
    sqlite_database: Database, tmp_path: Path, content: bytes
) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(content)
    with sqlite_database.write() as tx:
        add(tx, a_scene(tx).flow)

    with pytest.raises(BadDefinition):
        sqlite_database.restore(copy, {})

    assert count(sqlite_database) == 1


def test_a_copy_that_is_not_there_replaces_nothing(
    database: Database, tmp_path: Path, environ: Mapping[str, str]
) -> None:
    with pytest.raises(NotFound):
        database.restore(tmp_path / "copy", environ)

    assert count(database) == 0


def test_postgresql_without_its_programs_is_told_with_the_mend(tmp_path: Path) -> None:
    database = Database("postgresql://me:secret@localhost/app")

    with pytest.raises(NotFound) as caught:
        database.back_up(tmp_path / "copy", {"PATH": str(tmp_path)})

    assert "postgresql-client" in caught.value.mend
    assert list(tmp_path.iterdir()) == []


def test_damage_is_found(sqlite_database: Database, tmp_path: Path) -> None:
    with sqlite_database.write() as tx:
        scene = a_scene(tx)
        for _ in range(200):
            add(tx, scene.flow)
    copy = tmp_path / "copy"
    sqlite_database.back_up(copy, {})
    content = bytearray(copy.read_bytes())
    content[3 * 4096 : 12 * 4096] = bytes(9 * 4096)
    copy.write_bytes(content)

    damaged = Database(f"sqlite:///{copy}")

    assert damaged.check() != []
    damaged.close()


def test_an_invariant_that_does_not_hold_is_found(sqlite_database: Database) -> None:
    with sqlite_database.write() as tx:
        key = add(tx, a_scene(tx).flow)
        tx._connection.exec_driver_sql("UPDATE runs SET ended_at = 5 WHERE id = ?", (key,))

    found = sqlite_database.check()
    with sqlite_database.write() as tx:
        tx._connection.exec_driver_sql("UPDATE runs SET ended_at = NULL WHERE id = ?", (key,))

    assert found == [
        "a run that has ended says when, and only such a run",
        "every run that has ended is counted in its hour",
    ]


def test_a_check_of_no_database_says_so(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'nothing.db'}")

    with pytest.raises(StoreUnavailable, match="no database"):
        database.check()
