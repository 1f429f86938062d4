"""The schema: migrations and tables agree, and a database is old, current or newer."""

import json
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Index, create_engine, select, text
from sqlalchemy.dialects import sqlite

from schedulerd.domain.error_kinds import error_kind
from schedulerd.domain.ids import RunKey
from schedulerd.domain.runs import RunFilter
from schedulerd.domain.schedules import Cron, ScheduleDefinition
from schedulerd.domain.states import RunState
from schedulerd.errors import BadDefinition, StoreOutdated, StoreUnavailable
from schedulerd.store import schema
from schedulerd.store.columns import KEY_IS_ROW
from schedulerd.store.database import Database
from schedulerd.store.error_table import error_kinds
from schedulerd.store.tables import metadata, runs
from tests.builders import NOW

pytestmark = pytest.mark.each_postgres


def test_migrations_make_the_tables_that_the_code_knows(database_url: str) -> None:
    engine = create_engine(database_url)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        differences = compare_metadata(context, metadata)
    engine.dispose()

    assert differences == []


def test_partial_indexes_have_the_conditions_that_the_code_gives_them(migrated_sqlite: Path) -> None:
    known = {index.name: _condition(index) for table in metadata.tables.values() for index in table.indexes}

    with closing(sqlite3.connect(migrated_sqlite)) as connection:
        made = dict(
            connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql != ''")
        )

    assert {name: text.partition(" WHERE ")[2] for name, text in made.items()} == known


def test_tables_whose_rows_lie_in_their_keys_are_those_that_the_code_tells(migrated_sqlite: Path) -> None:
    known = {table.name for table in metadata.tables.values() if table.info == KEY_IS_ROW}

    with closing(sqlite3.connect(migrated_sqlite)) as connection:
        made = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))

    assert {name for name, text in made.items() if "WITHOUT ROWID" in text} == known


def _condition(index: Index) -> str:
    where = index.info.get("where")
    if where is None:
        return ""
    text = str(where.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    assert index.table is not None
    return text.replace(f"{index.table.name}.", "")


def test_the_head_in_the_code_is_the_last_migration() -> None:
    assert ScriptDirectory.from_config(schema.migrations()).get_heads() == [schema.HEAD]


def test_a_new_database_becomes_current_by_an_upgrade(empty_url: str) -> None:
    database = Database(empty_url)

    database.upgrade()

    database.require_current()
    status = database.status()
    assert status.is_current
    assert (status.revision, status.dialect) == (schema.HEAD, empty_url.partition(":")[0].partition("+")[0])
    database.close()


def test_a_second_upgrade_changes_nothing(database: Database) -> None:
    database.upgrade()

    database.require_current()


def test_an_upgrade_of_a_database_that_is_current_does_without_alembic(migrated_sqlite: Path) -> None:
    program = (
        "import sys; from schedulerd.store.database import Database; "
        f"Database('sqlite:///{migrated_sqlite}').upgrade(); print(sorted({{'alembic', 'mako'}} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_a_database_without_tables_asks_for_the_upgrade(empty_url: str) -> None:
    database = Database(empty_url)

    with pytest.raises((StoreOutdated, StoreUnavailable)) as caught:
        database.require_current()

    assert "schedulerd db upgrade" in caught.value.mend
    database.close()


def test_a_read_before_the_upgrade_asks_for_it(empty_url: str, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "schedulerd.db").touch()
    database = Database(empty_url)

    with pytest.raises(StoreOutdated) as caught, database.read() as tx:
        tx.flows.all()

    assert "schedulerd db upgrade" in caught.value.mend
    database.close()


def test_a_newer_database_asks_for_a_newer_program(empty_url: str) -> None:
    database = Database(empty_url)
    database.upgrade()
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    for check in (database.require_current, database.upgrade):
        with pytest.raises(StoreOutdated) as caught:
            check()
        assert "upgrade the program" in caught.value.mend
    database.close()


def test_a_failed_migration_leaves_the_database_as_it_was(empty_url: str) -> None:
    database = Database(empty_url)
    engine = create_engine(empty_url)
    if empty_url.startswith("sqlite"):
        Path(engine.url.database or "").parent.mkdir()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE wishes (in_the_way INTEGER)"))

    with pytest.raises(Exception, match="wishes"):
        database.upgrade()

    with engine.begin() as connection:
        connection.execute(text("DROP TABLE wishes"))
    engine.dispose()
    assert database.status().revision is None
    database.upgrade()
    database.require_current()
    database.close()


FIRST_SCHEDULE = (
    '{"name": "dump", "when": {"kind": "cron", "expression": "0 6 * * *", "timezone": "Asia/Seoul"}, "policies":'
    ' {"catchup": "latest", "catchup_limit": 100, "catchup_window": 86400000000, "misfire_grace": 60000000,'
    ' "overlap": "skip"}, "enabled": true, "command": "pg_dump app", "origin": "config/schedules/dump.toml:1"}'
)
FIRST_ROWS = (
    "INSERT INTO flows (id, name, kind, file, definition, first_seen, changed_at, last_number) VALUES (1, 'dump', 'command',"
    """ 'dump.toml', '{"name": "dump", "kind": "command", "file": "dump.toml", "command": "pg_dump app"}', 1, 1, 1)""",
    "INSERT INTO schedules (id, name, flow_id, definition, overlap, first_seen, watermark, next_due)"
    f" VALUES (1, 'dump', 1, '{FIRST_SCHEDULE}', 'skip', 1, 1, 2)",
    "INSERT INTO runs (uuid, flow_id, number, state, reason, trigger, schedule_id, slot, due_at, created_at,"
    " attempt, parameters) VALUES (:uuid, 1, 1, 'scheduled', '', 'schedule', 1, 'a', 1, 1, 0, '{}')",
)


def test_a_database_of_the_first_schema_keeps_its_rows(empty_url: str) -> None:
    make_first_schema(empty_url)
    database = Database(empty_url)

    database.upgrade()

    with database.read() as tx:
        schedule = tx.schedules.get("dump")
        (run,) = tx.runs.list(RunFilter())
        assert tx.broken_invariants() == []
    assert schedule.definition == ScheduleDefinition(
        name="dump",
        when=Cron(expression="0 6 * * *", timezone="Asia/Seoul"),
        command="pg_dump app",
        origin="config/schedules/dump.toml:1",
    )
    assert (schedule.paused, schedule.boot_id) == (None, None)
    assert (run.selector, run.state, run.caught_up) == ("dump#1", RunState.SCHEDULED, False)
    database.close()


def make_first_schema(url: str) -> None:
    """A database as the first version made it, with a schedule and a run."""
    engine = create_engine(url)
    is_sqlite = url.startswith("sqlite")
    if is_sqlite:
        Path(engine.url.database or "").parent.mkdir()
    some = UUID(int=7)
    with engine.begin() as connection:
        command.upgrade(schema.migrations(connection), "0001")
        for statement in FIRST_ROWS:
            connection.execute(text(statement), {"uuid": some.bytes if is_sqlite else some})
    engine.dispose()


def test_a_password_is_in_no_status() -> None:
    hidden = Database("postgresql://me:secret@nowhere.invalid/app").url

    assert hidden == "postgresql+psycopg://me:***@nowhere.invalid/app"


@pytest.mark.parametrize("url", ["mysql://host/db", "nonsense", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_is_no_database_of_ours_is_refused(url: str) -> None:
    with pytest.raises(BadDefinition):
        Database(url)


def test_the_files_of_sqlite_are_their_owner_s_only(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    path = tmp_path / "state" / "schedulerd.db"
    database = Database(f"sqlite:///{path}")
    database.upgrade()

    with database.write() as tx:
        tx.schedules.remove("nothing", now=NOW)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == dict.fromkeys(("schedulerd.db", "schedulerd.db-wal", "schedulerd.db-shm"), 0o600)
    database.close()


def test_sqlite_is_opened_as_promised(sqlite_database: Database) -> None:
    with sqlite_database.read() as tx:
        pragmas = {
            name: tx._connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }

    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_reading_makes_no_file(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'none.db'}")

    with pytest.raises(StoreUnavailable), database.read():
        pass
    with pytest.raises(StoreUnavailable) as caught:
        database.status()

    assert "schedulerd db upgrade" in caught.value.mend
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(
        "This is a text, and a long one, so that SQLite reads past where its header would end." * 20
    )

    with pytest.raises(StoreUnavailable, match="not a database"):
        Database(f"sqlite:///{path}").upgrade()


def test_errors_of_an_older_history_are_of_the_kinds_that_new_ones_are(empty_url: str) -> None:
    engine = create_engine(empty_url)
    if engine.dialect.name == "sqlite":
        Path(engine.url.database or "").parent.mkdir(exist_ok=True)
    with engine.begin() as connection:
        command.upgrade(schema.migrations(connection), "0019")
        connection.execute(text(_OLD_FLOW))
        for number, message in enumerate(("row 17 of 0xab\nand more", "row 18 of 0xcd", "no 값", "a\0b"), 1):
            failure = json.dumps({"type": "ValueError", "message": message}, ensure_ascii=False)
            identity, is_sqlite = UUID(int=number), connection.dialect.name == "sqlite"
            connection.execute(
                text(_OLD_RUN),
                {"n": number, "uuid": identity.bytes if is_sqlite else identity, "failure": failure},
            )
    engine.dispose()
    database = Database(empty_url)

    database.upgrade()

    with database.read() as tx:
        kinds = tx._connection.execute(select(error_kinds)).all()
        named = list(tx._connection.scalars(select(runs.c.error_id).order_by(runs.c.id)))
        whole = [tx.runs.by_key(RunKey(number)).failure for number in (1, 2, 3, 4)]
    database.close()
    assert {row.text for row in kinds} == {
        "ValueError: row # of #",
        "ValueError: no 값",
        "ValueError: a\ufffdb",
    }
    assert named == [error_kind(one).key for one in whole if one is not None]


_OLD_FLOW = """INSERT INTO flows (id, name, kind, file, definition, first_seen, changed_at, last_number, priority)
    VALUES (1, 'etl', 'python', '', '{"name":"etl","kind":"python","file":""}', 0, 0, 4, 0)"""
_OLD_RUN = """INSERT INTO runs
    (id, uuid, flow_id, number, state, reason, trigger, due_at, created_at, ended_at, attempt, parameters, failure)
    VALUES (:n, :uuid, 1, :n, 'failed', '', 'manual', 0, 0, 0, 1, '{}', :failure)"""
