"""Marks of a database: by them it is seen that nobody has written since."""

from collections.abc import Callable
from pathlib import Path

import pytest

from schedulerd.errors import StoreReplaced, StoreUnavailable
from schedulerd.store.database import Database
from schedulerd.store.lookout import Lookout


def write(database: Database, value: str) -> None:
    with database.write() as tx:
        tx.facts.set("said", value)


def read(database: Database) -> None:
    with database.read() as tx:
        tx.facts.get("said")


def test_marks_are_equal_only_as_long_as_nobody_commits(
    database: Database, open_database: Callable[..., Database]
) -> None:
    other = open_database()
    marks = [database.mark()]

    for writer in (database, other, database):
        write(writer, f"{len(marks)}")
        marks.append(database.mark())

    assert all(one != other for at, one in enumerate(marks) for other in marks[:at])


def test_what_only_reads_or_is_given_up_leaves_the_mark_as_it_is(sqlite_database: Database) -> None:
    write(sqlite_database, "first")
    mark = sqlite_database.mark()

    read(sqlite_database)
    with sqlite_database.write():
        pass
    with pytest.raises(ZeroDivisionError), sqlite_database.write() as tx:
        tx.facts.set("said", str(1 / 0))

    assert sqlite_database.mark() == mark


def test_after_a_close_a_mark_is_equal_to_none_before(sqlite_database: Database) -> None:
    mark = sqlite_database.mark()
    other = Database(f"sqlite:///{sqlite_database.file}")
    sqlite_database.close()
    write(other, "meanwhile")
    other.close()

    assert sqlite_database.mark() != mark


def test_a_file_that_was_taken_away_has_no_mark(sqlite_database: Database, tmp_path: Path) -> None:
    file = sqlite_database.file
    assert file is not None
    sqlite_database.mark()
    aside = file.rename(tmp_path / "aside.db")

    with pytest.raises(StoreReplaced):
        sqlite_database.mark()

    aside.rename(file)
    sqlite_database.mark()


def test_a_database_that_is_not_there_has_no_mark(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        Database(f"sqlite:///{tmp_path / 'none.db'}").mark()


def test_who_found_nothing_looks_again_when_somebody_has_written_and_who_found_something_each_time() -> None:
    marks = iter([1, 1, 2, 2, 2])
    lookout = Lookout(lambda: next(marks))

    assert lookout.begin()
    lookout.end(found=False)
    assert not lookout.begin()
    assert lookout.begin()
    lookout.end(found=True)
    assert lookout.begin()
    lookout.end(found=False)
    assert not lookout.begin()
