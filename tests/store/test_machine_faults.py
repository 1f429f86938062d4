"""A database whose disk is full, whose file is taken away, or whose server falls silent: said, and nothing half-done."""

import shutil
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import RunFilter
from schedulerd.errors import StoreFull, StoreReplaced, StoreUnavailable
from schedulerd.store.database import Database
from tests.conftest import Servers
from tests.postgres_line import PostgresLine
from tests.small_disk import SmallDisk, small_disk
from tests.store.scenes import Scene, a_scene, add
from tests.waiting import SLOWER

pytestmark = pytest.mark.each_postgres


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    with small_disk() as disk:
        yield disk


def test_a_full_disk_is_told_as_such_and_nothing_is_half_written(
    disk: SmallDisk, migrated_sqlite: Path
) -> None:
    shutil.copyfile(migrated_sqlite, disk.path / "schedulerd.db")
    database = Database(f"sqlite:///{disk.path / 'schedulerd.db'}")
    with database.write() as tx:
        scene = a_scene(tx)
    added: list[RunKey] = []

    disk.fill()
    with pytest.raises(StoreFull, match="has no room") as refused:
        _add_for_ever(database, scene, added)

    assert "free some space" in refused.value.mend
    assert _count(database) == len(added)
    assert database.check() == []
    disk.empty()
    with database.write() as tx:
        add(tx, scene.flow)
    assert _count(database) == len(added) + 1
    database.close()


def test_the_log_of_a_database_gives_its_room_back(disk: SmallDisk, migrated_sqlite: Path) -> None:
    shutil.copyfile(migrated_sqlite, disk.path / "schedulerd.db")
    database = Database(f"sqlite:///{disk.path / 'schedulerd.db'}")
    with database.write() as tx:
        scene = a_scene(tx)
    for _ in range(20):
        with database.write() as tx:
            add(tx, scene.flow)
    before = disk.free

    database.give_room_back()

    assert disk.free > before + 100_000
    assert _count(database) == 20
    database.close()


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_nothing_is_acknowledged_that_would_go_into_a_file_that_nobody_finds_again(
    sqlite_database: Database, migrated_sqlite: Path, tmp_path: Path, how: str
) -> None:
    with sqlite_database.write() as tx:
        scene = a_scene(tx)
    file, aside = tmp_path / "schedulerd.db", tmp_path / "aside.db"
    file.rename(aside)
    if how == "replaced":
        shutil.copyfile(migrated_sqlite, file)

    with pytest.raises(StoreReplaced, match=f"was {how}"), sqlite_database.write() as tx:
        add(tx, scene.flow)
    with pytest.raises(StoreReplaced), sqlite_database.read():
        pass

    aside.rename(file)
    with sqlite_database.write() as tx:
        add(tx, scene.flow)
    assert _count(sqlite_database) == 1


def test_a_file_that_is_taken_away_in_mid_transaction_is_not_committed_to(
    sqlite_database: Database, tmp_path: Path
) -> None:
    with sqlite_database.write() as tx:
        scene = a_scene(tx)
    file = tmp_path / "schedulerd.db"

    with pytest.raises(StoreReplaced):
        _add(sqlite_database, scene, meanwhile=lambda: file.rename(tmp_path / "aside.db"))

    (tmp_path / "aside.db").rename(file)
    assert _count(sqlite_database) == 0


def test_who_opens_the_database_anew_goes_on_with_the_file_that_is_there(
    sqlite_database: Database, migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_database.write() as tx:
        scene = a_scene(tx)
        add(tx, scene.flow)
    sqlite_database.close()
    (tmp_path / "schedulerd.db").unlink()
    shutil.copyfile(migrated_sqlite, tmp_path / "schedulerd.db")

    assert _count(sqlite_database) == 0


@pytest.mark.postgres
@pytest.mark.parametrize("silence", ["cut", "hold_replies"])
def test_a_server_that_falls_silent_is_given_up_in_time_and_its_lock_is_free_soon_after(
    database_kind: str, postgres_servers: Servers, silence: str
) -> None:
    if database_kind == "sqlite":
        pytest.skip("there is no server to fall silent")
    server = postgres_servers.get(database_kind)
    with PostgresLine(server.folder) as line:
        name = postgres_servers.emptied(database_kind)
        database = Database(line.url(name), timeout=timedelta(seconds=1))
        with database.write() as tx:
            scene = a_scene(tx)

        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            _add(database, scene, meanwhile=getattr(line, silence))
        with pytest.raises(StoreUnavailable), database.read():
            pass
        noticed = time.monotonic() - began
        direct = Database(server.url(name), timeout=timedelta(seconds=10))
        with direct.write() as tx:  # held by the lost transaction until the server ends it
            add(tx, scene.flow)
        line.restore()

        assert noticed < 10 * SLOWER  # and not the hours that TCP takes
        # the first commit may have been done: who asked does not know
        assert _count(database) in ((1,) if silence == "cut" else (2,))
        for one in (database, direct):
            one.close()


def _count(database: Database) -> int:
    with database.read() as tx:
        return len(tx.runs.list(RunFilter(limit=1_000)))


def _add(database: Database, scene: Scene, *, meanwhile: Callable[[], object] = lambda: None) -> RunKey:
    """Record a run; `meanwhile` happens before the commit."""
    with database.write() as tx:
        key = add(tx, scene.flow)
        meanwhile()
    return key


def _add_for_ever(database: Database, scene: Scene, added: list[RunKey]) -> None:
    while True:
        added.append(_add(database, scene))
