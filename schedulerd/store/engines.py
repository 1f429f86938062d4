"""How each of the two databases is opened, and how its transactions begin."""

import os
import sqlite3
import stat
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from schedulerd.store.sqlite_lock import begin_writing

_READS: Final = "schedulerd_reads"
# Anything that no other program on the same PostgreSQL is likely to use; it reads "schedd" in ASCII.
WRITER_LOCK: Final = 0x736368656464
_IDLE_TIMES: Final = 5


def sqlite_connection(path: Path, *, busy_timeout: timedelta) -> sqlite3.Connection:
    """A connection to a SQLite file that exists already; it never makes one."""
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw",
        uri=True,
        timeout=busy_timeout.total_seconds(),
        isolation_level=None,  # the driver's own would not begin before a SELECT; `_begin` does
        check_same_thread=False,  # the pool hands a connection to one thread at a time
        cached_statements=256,
    )


def sqlite_engine(url: URL, *, busy_timeout: timedelta) -> Engine:
    """An engine on a SQLite file that exists already; it never makes one."""
    path = sqlite_path(url)
    engine = create_engine(
        url,
        creator=lambda: sqlite_connection(path, busy_timeout=busy_timeout),
        pool_timeout=busy_timeout.total_seconds(),
        pool_reset_on_return="rollback",
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", partial(_begin, busy_timeout))
    return engine


def postgres_engine(url: URL, *, timeout: timedelta) -> Engine:
    """An engine on PostgreSQL that waits for nothing much longer than `timeout`, whatever server and network do."""
    milliseconds = timeout // timedelta(milliseconds=1)
    servers_own = milliseconds * 7 // 8  # it says more than our patience can, so that it comes first
    limits = f"-c statement_timeout={servers_own} -c lock_timeout={servers_own}"
    # A transaction of ours whose end was lost on the way would hold the write lock until the server's TCP gives up,
    # two hours later.
    limits += f" -c idle_in_transaction_session_timeout={_IDLE_TIMES * milliseconds}"
    engine = create_engine(
        url,
        connect_args=_postgres_arguments(url, timeout) | {"options": _options(url, limits)},
        pool_timeout=timeout.total_seconds(),
        use_native_hstore=False,  # to look whether the server has that type would cost each connection a question
        pool_pre_ping=True,  # after the server was restarted the first transaction works, not the second
    )
    from schedulerd.store.patience import make_impatient  # psycopg is there where PostgreSQL is used, only

    make_impatient(engine, timeout)
    return engine


def postgres_migrating_engine(url: URL, *, timeout: timedelta) -> Engine:
    """An engine for migrations: a statement may take as long as it takes."""
    return create_engine(url, connect_args=_postgres_arguments(url, timeout), poolclass=NullPool)


def reading(engine: Engine) -> Engine:
    """The engine whose transactions are a consistent snapshot and take no lock."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{_READS: True})
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def writing(engine: Engine) -> Engine:
    """The engine whose transactions hold the one write lock from their first statement on.

    SQLite has one writer by nature. PostgreSQL is given the same rule by an advisory lock, so that what is shown
    of one holds for the other: no deadlock, and no row changes between a look and a write.
    """
    if engine.dialect.name == "sqlite":
        return engine  # `_begin` takes it
    lock = engine.execution_options()
    event.listen(lock, "begin", _take_writer_lock)
    return lock


def sqlite_path(url: URL) -> Path:
    """The file that the URL names."""
    return Path(url.database or "")


def create_sqlite_file(path: Path) -> None:
    """Make an empty file that only its owner may read, or also its group where the folder is the group's too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shared = path.parent.stat().st_mode & stat.S_IWGRP
    mode = 0o660 if shared else 0o600
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode)
    except FileExistsError:
        return
    os.fchmod(descriptor, mode)  # whatever the umask; SQLite gives -wal and -shm the same mode
    os.close(descriptor)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(busy_timeout: timedelta, connection: Connection) -> None:
    if connection.get_execution_options().get(_READS, False):
        connection.exec_driver_sql("BEGIN")
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    try:
        begin_writing(driver, patience=busy_timeout)
    except sqlite3.Error as error:
        raise OperationalError("BEGIN IMMEDIATE", None, error) from error


def _take_writer_lock(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")


def _postgres_arguments(url: URL, timeout: timedelta) -> dict[str, Any]:
    seconds = max(2, round(timeout.total_seconds()))
    arguments = {
        "application_name": "schedulerd",
        "connect_timeout": seconds,
        # Without these a partition with data in flight hangs for minutes.
        "tcp_user_timeout": seconds * 1_000,
        "keepalives_idle": seconds,
        "keepalives_interval": 1,
        "keepalives_count": 2,
    }
    return {name: value for name, value in arguments.items() if name not in url.query}


def _options(url: URL, limits: str) -> str:
    asked = url.query.get("options", "")
    return f"{limits} {asked if isinstance(asked, str) else ' '.join(asked)}".strip()
