"""A copy of the whole database, made while it is in use, and the way back.

SQLite is copied by its own online backup. For PostgreSQL its own programs do it, `pg_dump`, `pg_restore` and
`psql`; the password goes to them in their environment, never in an argument list.
"""

import contextlib
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryFile
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL

from schedulerd.errors import BadDefinition, Conflict, NotFound, StoreUnavailable
from schedulerd.new_files import new_file, sync
from schedulerd.store.tables import metadata

_REPLACED: Final = ".replaced"
_BESIDE: Final = ("", "-wal", "-shm")
_MOST_TOLD: Final = 20


@contextmanager
def new_copy(target: Path) -> Iterator[Path]:
    """A draft beside `target`, which becomes it at the end, whole and on the disk, or is removed.

    Only its owner may read it. Raises `Conflict` where there is a file already, `StoreUnavailable` where none can be
    made.
    """
    try:
        with new_file(target, mode=0o600) as draft:
            yield draft
    except FileExistsError as error:
        raise Conflict(f"there is a file {target} already", mend="name one that is not there yet") from error
    except OSError as error:
        raise StoreUnavailable(f"{target} cannot be written: {error.strerror}") from error
    except sqlite3.Error as error:  # a full disk, too
        raise StoreUnavailable(f"{target} cannot be written: {error}") from error


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite database as it is at one moment, whoever writes to it; raises `sqlite3.Error`."""
    with closing(_open(source, "ro")) as reading, closing(_open(target, "rw")) as writing:
        reading.backup(writing)  # in one step: nobody who writes is held up, and it never starts again
        writing.execute("PRAGMA journal_mode = DELETE")  # so that the copy is one file


def damage_of_sqlite(path: Path) -> list[str]:
    """What SQLite itself finds wrong with a file, in its words; nothing when all is well."""
    try:
        with closing(_open(path, "ro")) as connection:
            said = connection.execute(f"PRAGMA integrity_check({_MOST_TOLD})").fetchall()
            strays = connection.execute("PRAGMA foreign_key_check").fetchmany(_MOST_TOLD)
    except sqlite3.Error as error:
        return [f"SQLite cannot read it: {error}"]
    found = [line for (line,) in said if line != "ok"]
    return found + [
        f"a row of {table} refers to one of {other} that is not there" for table, _, other, _ in strays
    ]


def put_in_place(copy: Path, place: Path) -> Path | None:
    """Make `copy` the database at `place`, in which nobody may be; the path of the one that was there, kept beside.

    Whatever kills this half-way leaves the old one, or the new one, or the two beside the place.
    """
    ready = place.with_name(f"{place.name}.restored")
    ready.unlink(missing_ok=True)  # of a try that was killed
    with new_copy(ready) as draft:
        copy_sqlite(copy, draft)
    kept = _aside(place) if place.exists() else None
    ready.rename(place)
    sync(place.parent)
    return kept


def _aside(place: Path) -> Path:
    """Move a database out of the way, with the files that belong to it."""
    number = 1
    while (kept := place.with_name(f"{place.name}{_REPLACED}.{number}")).exists():
        number += 1
    for end in reversed(_BESIDE):
        beside = place.with_name(place.name + end)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + end))
    return kept


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode={mode}", uri=True, isolation_level=None)


def dump_postgres(url: URL, target: Path, environ: Mapping[str, str]) -> None:
    """Have `pg_dump` write the database to a file, in its own compressed format."""
    _run("pg_dump", ["--format=custom", "--no-owner", f"--file={target}"], url, environ)


def restore_postgres(url: URL, copy: Path, environ: Mapping[str, str]) -> None:
    """Put what `pg_dump` wrote in the place of our tables: all of it, or nothing.

    Also of tables that the copy has not, for it may be older than they are: so `psql` is given what `pg_restore` makes of
    the copy, within a transaction that is committed only when that has come to its end.
    """
    tables = ", ".join([*metadata.tables, "alembic_version"])
    psql = [_program("psql", environ), "--no-password", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    restore = [_program("pg_restore", environ), "--no-owner", "--file=-", str(copy)]
    with (
        TemporaryFile() as said,
        subprocess.Popen(restore, env=environ, stdin=subprocess.DEVNULL, stdout=PIPE, stderr=said) as source,
        subprocess.Popen(
            psql, env={**environ, **_connection(url)}, stdin=PIPE, stdout=said, stderr=said
        ) as target,
    ):
        assert source.stdout is not None
        assert target.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has said why, and ended
            target.stdin.write(f"BEGIN;\nDROP TABLE IF EXISTS {tables} CASCADE;\n".encode())
            shutil.copyfileobj(source.stdout, target.stdin)
            if source.wait() == 0:
                target.stdin.write(b"COMMIT;\n")
            target.stdin.close()
        source.stdout.close()
        if source.wait() or target.wait():
            said.seek(0)
            raise StoreUnavailable(
                f"the copy was not restored: {said.read().decode(errors='replace').strip()}"
            )


def require_dump(copy: Path, environ: Mapping[str, str]) -> None:
    """Raise `BadDefinition` unless `pg_restore` can read the file."""
    done = _call("pg_restore", ["--list", str(copy)], environ)
    if done.returncode != 0:
        raise BadDefinition(f"this is no sound copy: {done.stderr.strip()}", file=copy)


def _run(program: str, words: Sequence[str], url: URL, environ: Mapping[str, str]) -> None:
    done = _call(program, ["--no-password", *words], {**environ, **_connection(url)})
    if done.returncode != 0:
        raise StoreUnavailable(f"{program} did not manage: {done.stderr.strip()}")


def _call(
    program: str, words: Sequence[str], environ: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    path = _program(program, environ)
    return subprocess.run(
        [path, *words], env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def _program(name: str, environ: Mapping[str, str]) -> str:
    """Where one of PostgreSQL's programs is; raises `NotFound`."""
    if (path := shutil.which(name, path=environ.get("PATH"))) is None:
        mend = "install PostgreSQL's client programs (Debian: postgresql-client)"
        raise NotFound("program", name, mend=mend)
    return path


def _connection(url: URL) -> dict[str, str]:
    """Where the database is, in the environment variables of libpq."""
    named = {
        "PGHOST": url.host or url.query.get("host"),
        "PGPORT": str(url.port) if url.port else url.query.get("port"),
        "PGUSER": url.username or url.query.get("user"),
        "PGPASSWORD": url.password or url.query.get("password"),
        "PGDATABASE": url.database,
        "PGSSLMODE": url.query.get("sslmode"),
    }
    return {name: str(value) for name, value in named.items() if value}
