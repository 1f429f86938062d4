"""The database: what opens it, begins and ends transactions, and turns its failures into ours."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from schedulerd.domain.notices import NoticeRule
from schedulerd.errors import BadDefinition, NotFound, StoreReplaced, StoreUnavailable
from schedulerd.store import backups, engines, schema
from schedulerd.store.driver_errors import UPGRADE, our_errors
from schedulerd.store.marks import Marks
from schedulerd.store.pings import Monitored
from schedulerd.store.schema import SchemaStatus
from schedulerd.store.sqlite_file import FileIdentity, SqliteFile
from schedulerd.store.transaction import Transaction
from schedulerd.store.turns import Turns

_TWO_SECONDS: Final = timedelta(seconds=2)


class Database:
    """A SQLite file or a PostgreSQL database, named by its URL. Opened when first used; may be shared by threads."""

    def __init__(
        self, url: str, *, timeout: timedelta = _TWO_SECONDS, rules: Sequence[NoticeRule] = ()
    ) -> None:
        """`timeout` bounds each wait: for the write lock, a connection, a statement. What `rules` want to be told of is
        written with what it tells of.

        The attribute `url` has no password in it. Raises `BadDefinition` for a URL that is not of these two kinds.
        """
        self._url: Final = _checked(url)
        self.url: Final = self._url.render_as_string(hide_password=True)
        self._timeout: Final = timeout
        self._rules: Final = rules
        self._monitored: Final = Monitored()
        self._turns: Final = Turns()
        self._file: Final = SqliteFile(engines.sqlite_path(self._url)) if self._is_sqlite else None
        self._engine: Final = self._make_engine()
        self._marks: Final = Marks(self._connect) if self._is_sqlite else None
        self._reader: Final = engines.reading(self._engine)
        self._writer: Final = engines.writing(self._engine)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A consistent snapshot, beside whoever writes. Raises `StoreUnavailable`."""
        self._require_same_file()
        with self._border(), self._reader.connect() as connection, connection.begin():
            yield Transaction(connection, self._rules, self._monitored)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """The only writer, until the end: all of it is committed, or nothing when anything is raised. Threads of this process
        take turns.

        Raises `StoreUnavailable`, also when another writer does not finish within the timeout, and `Conflict`.
        A commit that failed for want of an answer may have been done all the same: read before trying again.
        """
        self._require_same_file()
        with self._turn(), self._border(), self._writer.connect() as connection, connection.begin():
            yield Transaction(connection, self._rules, self._monitored)
            self._require_same_file()  # nothing is committed into a file that nobody will find again

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Who waits for it has no connection yet, and keeps nobody from reading."""
        if not self._turns.take(seconds=self._timeout.total_seconds()):
            raise StoreUnavailable(
                f"the database {self.url} does not answer: others write, and did not finish in time"
            )
        try:
            yield
        finally:
            self._turns.give_on()

    def mark(self) -> object:
        """Equal to an earlier one only if nobody has committed anything since, in whatever process: then there is nothing new
        to be read. On PostgreSQL, which does not tell, none is equal to another. Raises `StoreUnavailable`.
        """
        if self._marks is None:
            return object()
        self._require_same_file()
        with self._border():
            return self._marks.take()

    def upgrade(self) -> None:
        """Bring the schema to what this version needs; a SQLite file is made where there is none."""
        with self._border():
            if self._is_sqlite:
                self._create_file()
                self._require_same_file()
            engine = self._migrating_engine()
            try:
                schema.upgrade(engine)
            finally:
                if engine is not self._engine:
                    engine.dispose()

    def status(self) -> SchemaStatus:
        """What database this is and whether its schema is this version's. Raises `StoreUnavailable`."""
        self._require_file()
        with self._border(), self._reader.connect() as connection, connection.begin():
            return schema.status(connection, url=self.url)

    def require_current(self) -> None:
        """Raise `StoreOutdated` unless the schema is the one that this version needs."""
        self._require_file()
        with self._border(), self._reader.connect() as connection, connection.begin():
            schema.require_current(connection, url=self.url)

    def check(self) -> list[str]:
        """What is wrong with the database: damage of the file, and invariants that do not hold; empty when all is well.

        Raises `StoreUnavailable` and `StoreOutdated`.
        """
        self._require_file()
        damage = backups.damage_of_sqlite(engines.sqlite_path(self._url)) if self._is_sqlite else []
        if damage:
            return damage
        self.require_current()
        with self._border(), self._checker().connect() as connection, connection.begin():
            return Transaction(connection).broken_invariants()

    def back_up(self, target: Path, environ: Mapping[str, str]) -> None:
        """Write a copy of the whole to a new file, consistent, whoever writes meanwhile.

        Raises `Conflict` where there is a file already, `NotFound` where a program is missing, `StoreUnavailable`.
        """
        self._require_file()
        with self._border(), backups.new_copy(target) as draft:
            if self._is_sqlite:
                backups.copy_sqlite(engines.sqlite_path(self._url), draft)
            else:
                backups.dump_postgres(self._url, draft, environ)

    def restore(self, copy: Path, environ: Mapping[str, str]) -> Path | None:
        """Put what `back_up` wrote in the place of the database, in which nobody may be.

        Of SQLite the old file is kept beside, and its path returned. Raises `NotFound`, `BadDefinition` for a file that
        is no sound copy or is newer than this version knows, and `StoreUnavailable`.
        """
        self.require_sound(copy, environ)
        self.close()
        if not self._is_sqlite:
            backups.restore_postgres(self._url, copy, environ)
            return None
        with self._border():
            return backups.put_in_place(copy, engines.sqlite_path(self._url))

    def require_sound(self, copy: Path, environ: Mapping[str, str]) -> None:
        """Raise `NotFound` or `BadDefinition` unless the file is a copy that can be put in the database's place."""
        if not copy.is_file():
            raise NotFound("file", str(copy))
        if not self._is_sqlite:
            backups.require_dump(copy, environ)
            return
        if damage := backups.damage_of_sqlite(copy):
            raise BadDefinition(f"this is no sound copy: {damage[0]}", file=copy)
        copied = Database(f"sqlite:///{copy}")
        try:
            revision = copied.status().revision
        finally:
            copied.close()
        if revision is None or revision > schema.HEAD:
            reason = f"its schema is {revision or 'none of ours'}; this version knows up to {schema.HEAD}"
            raise BadDefinition(reason, file=copy)

    def _checker(self) -> Engine:
        """To look at every row may take longer than a tick may wait."""
        return self._reader if self._is_sqlite else engines.reading(self._migrating_engine())

    def close(self) -> None:
        """Give up the connections; a later use opens new ones."""
        if self._marks is not None:
            self._marks.close()
        self._engine.dispose()
        if self._file is not None:
            self._file.forget()

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database; None of another."""
        return None if self._file is None else self._file.path

    def give_room_back(self) -> None:
        """Have SQLite's write-ahead log take no more room than it must; nothing to do elsewhere.

        Raises `StoreUnavailable`, on a disk that is full for example; the log is then as it was.
        """
        if not self._is_sqlite:
            return
        self._require_same_file()
        self._checkpoint()

    def _checkpoint(self) -> None:
        with self._border(), self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            try:
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                raise StoreUnavailable(f"the database {self.url} gives no room back: {error}") from error

    @property
    def file_identity(self) -> FileIdentity | None:
        """Which file it is that is in use, of SQLite; see `expect_file`."""
        return None if self._file is None else self._file.identity

    def expect_file(self, identity: FileIdentity) -> None:
        """Somebody uses this file, and it is to be no other: two files of one name share SQLite's log, and damage it."""
        if self._file is not None:
            self._file.expect(identity)

    def _require_same_file(self) -> None:
        if self._file is None:
            return
        try:
            self._file.require_same()
        except StoreReplaced:
            self._let_go_of_file()
            raise

    def _let_go_of_file(self) -> None:
        """Bring what is in the log into the file that it belongs to, and close that: the log still has the name that it
        would have for another file, and would damage it.

        Only by connections that are open already: a new one would be to the other file.
        """
        if self._marks is not None:
            self._marks.close()
        pool = self._engine.pool
        if isinstance(pool, QueuePool) and pool.checkedin():
            with contextlib.suppress(StoreUnavailable):
                self._checkpoint()
            self._engine.dispose()

    @property
    def _is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    def _connect(self) -> sqlite3.Connection:
        return engines.sqlite_connection(engines.sqlite_path(self._url), busy_timeout=self._timeout)

    def _make_engine(self) -> Engine:
        if self._is_sqlite:
            return engines.sqlite_engine(self._url, busy_timeout=self._timeout)
        try:
            return engines.postgres_engine(self._url, timeout=self._timeout)
        except ModuleNotFoundError as error:
            raise BadDefinition(
                "PostgreSQL needs the driver psycopg, which is not installed",
                file="[store] url",
                mend="pip install 'schedulerd[postgres]'",
            ) from error

    def _migrating_engine(self) -> Engine:
        if self._is_sqlite:
            return self._engine
        return engines.postgres_migrating_engine(self._url, timeout=self._timeout)

    @contextmanager
    def _border(self) -> Iterator[None]:
        with our_errors(self.url, mend=self._mend):
            yield

    def _create_file(self) -> None:
        path = engines.sqlite_path(self._url)
        try:
            engines.create_sqlite_file(path)
        except OSError as error:
            raise StoreUnavailable(f"the database {path} cannot be made: {error.strerror}") from error

    def _require_file(self) -> None:
        self._require_same_file()
        path = engines.sqlite_path(self._url)
        if self._is_sqlite and not path.exists():
            raise StoreUnavailable(f"there is no database at {path} yet", mend=UPGRADE)

    def _mend(self) -> str:
        if not self._is_sqlite:
            return ""
        path = engines.sqlite_path(self._url)
        if path.exists() and not os.access(path.parent, os.W_OK):
            return (
                f"SQLite needs write access to {path.parent} even to read: "
                "run this as the daemon's user, or join the group `schedulerd`"
            )
        return ""


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadDefinition("this is no database URL", file="[store] url") from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise BadDefinition(
            f"{parsed.get_backend_name()!r} is no database that schedulerd knows",
            file="[store] url",
            mend="give sqlite:///path or postgresql+psycopg://...",
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise BadDefinition(
            "a SQLite database must be a file", file="[store] url", mend="give sqlite:///path"
        )
    if parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    return parsed
