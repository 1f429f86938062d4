"""Upgrades of a database that has an older schema: what is kept of it, and that it is never half of one thing."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, event, text

from schedulerd.domain.runs import RunFilter
from schedulerd.errors import StoreUnavailable
from schedulerd.operations.upgrading import KEPT, Upgraded, upgrade
from schedulerd.store import schema
from schedulerd.store.database import Database
from tests.postgres import installations
from tests.store.test_schema import FIRST_ROWS
from tests.waiting import eventually

pytestmark = pytest.mark.each_postgres

OLDER = ["0001", "0002"]
STEPS = [pytest.param(19, id="a spread"), pytest.param(1, id="each", marks=pytest.mark.nemesis)]
"""At each so-many-th statement of an upgrade it is killed, beginning with the first."""

_OF_SQLITE = ["SELECT type, name, sql FROM sqlite_master"]
_OF_POSTGRES = [
    "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
    " WHERE table_schema = 'public'",
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
]


@pytest.fixture
def environ(database_kind: str) -> Mapping[str, str]:
    """An environment in which the programs of this kind of database are found first."""
    bins = [str(one.bin) for one in installations() if one.name == database_kind]
    return {**os.environ, "PATH": ":".join([*bins, os.environ["PATH"]])}


def make_old(url: str, revision: str) -> None:
    """A database with an older schema, a schedule and a run."""
    engine = create_engine(url)
    is_sqlite = url.startswith("sqlite")
    if is_sqlite:
        Path(engine.url.database or "").parent.mkdir(exist_ok=True)
    some = UUID(int=7)
    with engine.begin() as connection:
        command.upgrade(schema.migrations(connection), revision)
        for statement in FIRST_ROWS:
            connection.execute(text(statement), {"uuid": some.bytes if is_sqlite else some})
    engine.dispose()


def upgraded(url: str, state_dir: Path, environ: Mapping[str, str]) -> Upgraded:
    database = Database(url)
    try:
        return upgrade(database, state_dir=state_dir, environ=environ)
    finally:
        database.close()


def revision_of(url: str) -> str | None:
    database = Database(url)
    try:
        return database.status().revision
    finally:
        database.close()


def assert_whole(url: str) -> None:
    """It is current, sound, and holds what it held."""
    database = Database(url)
    with database.read() as tx:
        assert [run.selector for run in tx.runs.list(RunFilter())] == ["dump#1"]
        assert tx.schedules.get("dump").definition.command == "pg_dump app"
    assert database.check() == []
    database.close()


# -- the copy -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("older", OLDER)
def test_an_older_database_is_copied_before_it_is_changed(
    empty_url: str, older: str, tmp_path: Path, environ: Mapping[str, str]
) -> None:
    make_old(empty_url, older)
    if empty_url.startswith("postgres") and shutil.which("pg_dump", path=environ["PATH"]) is None:
        pytest.skip("this PostgreSQL comes without pg_dump")

    done = upgraded(empty_url, tmp_path, environ)

    assert (done.was, done.uncopied) == (older, "")
    assert done.copy is not None
    assert done.copy.name.endswith(f".before-{schema.HEAD}")
    assert_whole(empty_url)
    database = Database(empty_url)
    database.restore(done.copy, environ)
    assert database.status().revision == older
    database.close()


def test_a_database_that_is_new_or_current_is_not_copied(
    empty_url: str, tmp_path: Path, environ: Mapping[str, str]
) -> None:
    first = upgraded(empty_url, tmp_path, environ)
    second = upgraded(empty_url, tmp_path, environ)

    assert (first, second) == (Upgraded(), Upgraded())
    assert list(tmp_path.rglob("*.before-*")) == []


def test_without_room_for_a_copy_nothing_is_changed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state/schedulerd.db"
    make_old(url, "0002")
    draft = tmp_path / "state" / f".schedulerd.db.before-{schema.HEAD}.{os.getpid()}.draft"
    draft.mkdir()  # so that none can be written

    with pytest.raises(StoreUnavailable) as caught:
        upgraded(url, tmp_path, {})

    assert "from 0002 to" in str(caught.value)
    assert "no copy of it can be made first" in str(caught.value)
    assert "schedulerd db upgrade --no-copy" in caught.value.mend
    assert revision_of(url) == "0002"


def test_postgresql_is_upgraded_without_pg_dump_and_it_is_said(empty_url: str, tmp_path: Path) -> None:
    if empty_url.startswith("sqlite"):
        pytest.skip("SQLite needs no program for its copy")
    make_old(empty_url, "0002")

    done = upgraded(empty_url, tmp_path, {"PATH": str(tmp_path)})

    assert (done.was, done.copy) == ("0002", None)
    assert "pg_dump" in done.uncopied
    assert_whole(empty_url)


def test_the_newest_copies_are_kept_and_what_is_no_copy_stays(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state/schedulerd.db"
    make_old(url, "0001")
    folder = tmp_path / "state"
    for age, name in enumerate(("before-0002", "before-0002.2", "before-0001", "before-it-was-mine")):
        old = folder / f"schedulerd.db.{name}"
        old.touch()
        os.utime(old, (1_000 - age, 1_000 - age))

    done = upgraded(url, tmp_path, {})

    assert done.copy is not None
    left = {one.name for one in folder.glob("*.before-*")} - {"schedulerd.db.before-it-was-mine"}
    assert left == {done.copy.name, "schedulerd.db.before-0002", "schedulerd.db.before-0002.2"}
    assert len(left) == KEPT
    assert (folder / "schedulerd.db.before-it-was-mine").exists()


# -- killed half-way ------------------------------------------------------------------------------------------------


def upgrade_and_die(url: str, at_statement: int) -> bool:
    """Upgrade in a process that is killed with SIGKILL at its n-th statement that writes; did it come to the end?"""
    pid = os.fork()
    if pid == 0:
        _die_at(at_statement)
        database = Database(url)
        database.upgrade()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


def _die_at(number: int) -> None:
    seen = 0

    @event.listens_for(Engine, "after_cursor_execute")
    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("older", OLDER)
def test_killed_at_any_statement_a_migration_has_happened_or_not(
    empty_url: str, older: str, step: int
) -> None:
    make_old(empty_url, older)
    before = _shape(empty_url)

    number, kills = 1, 0
    while not upgrade_and_die(empty_url, number):
        eventually(lambda: _is_let_go(empty_url))
        assert revision_of(empty_url) in (older, schema.HEAD)
        if revision_of(empty_url) == older:
            assert _shape(empty_url) == before
        number, kills = number + step, kills + 1

    assert kills > 10 / step
    assert _shape(empty_url) != before
    assert_whole(empty_url)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_statement_the_first_migration_has_happened_or_not(empty_url: str, step: int) -> None:
    if empty_url.startswith("sqlite"):
        path = Path(create_engine(empty_url).url.database or "")
        path.parent.mkdir(exist_ok=True)
        sqlite3.connect(path).close()

    number = 1
    while not upgrade_and_die(empty_url, number):
        eventually(lambda: _is_let_go(empty_url))
        assert revision_of(empty_url) in (None, schema.HEAD)
        number += step

    assert revision_of(empty_url) == schema.HEAD


def _shape(url: str) -> list[tuple[str, ...]]:
    """The tables, columns and indexes of a database, as it describes them itself."""
    engine = create_engine(url)
    of_kind = _OF_SQLITE if url.startswith("sqlite") else _OF_POSTGRES
    with engine.connect() as connection:
        shape = [tuple(map(str, row)) for query in of_kind for row in connection.execute(text(query))]
    engine.dispose()
    return sorted(shape)


def _is_let_go(url: str) -> bool:
    """Has the server noticed that whoever was killed is gone? SQLite needs none to notice."""
    if url.startswith("sqlite"):
        return True
    engine = create_engine(url)
    with engine.connect() as connection:
        others = connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        )
    engine.dispose()
    return bool(others == 0)
