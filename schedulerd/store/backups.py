"""A copy of the whole database, made while it is in use, and the way back.

SQLite is copied by its own online backup. For PostgreSQL its own programs do it, `pg_dump` and `pg_restore`; the
password goes to them in their environment, never in an argument list.
"""

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL

from schedulerd.errors import BadDefinition, Conflict, NotFound, StoreUnavailable
from schedulerd.new_files import new_file, sync

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
    """Have `pg_restore` put what `pg_dump` wrote in the place of our tables: all of it, or nothing."""
    words = ["--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error"]
    _run("pg_restore", [*words, f"--dbname={url.database}", str(copy)], url, environ)


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
    if (path := shutil.which(program, path=environ.get("PATH"))) is None:
        mend = "install PostgreSQL's client programs (Debian: postgresql-client)"
        raise NotFound("program", program, mend=mend)
    return subprocess.run(
        [path, *words], env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


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
