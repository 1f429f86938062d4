"""Statements for many rows, written once: they do what SQLAlchemy does with the same rows."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    bindparam,
    delete,
    event,
    insert,
    select,
    text,
    update,
)

from schedulerd.store.columns import Document, Moment, Words
from schedulerd.store.database import Database
from schedulerd.store.prepared import Prepared

pytestmark = pytest.mark.each_postgres

NOTES = Table(
    "prepared_notes",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("at", Moment),
    Column("words", Words),
    Column("more", Document),
)
AT = datetime(2026, 11, 27, 6, tzinfo=UTC)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A connection with a table of its own, in a transaction that comes to nothing."""
    with database.write() as tx:
        NOTES.create(tx._connection)
        yield tx._connection
        tx._connection.execute(text("DROP TABLE prepared_notes"))


def rows(connection: Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(select(NOTES).order_by(NOTES.c.number))]


def test_rows_are_put_as_their_columns_want_them(connection: Connection) -> None:
    done = Prepared(insert(NOTES))(
        connection,
        [
            {"number": 1, "at": AT, "words": "100 % \x00", "more": {"a": [1]}},
            {"number": 2, "at": None, "words": None, "more": None},
        ],
    )

    assert done == 2
    assert rows(connection) == [(1, AT, "100 % \ufffd", {"a": [1]}), (2, None, None, None)]


def test_other_columns_make_another_statement(connection: Connection) -> None:
    add = Prepared(insert(NOTES))

    add(connection, [{"number": 1, "words": "one"}])
    add(connection, [{"words": "two", "number": 2}])
    add(connection, [{"number": 3, "at": AT}])

    assert rows(connection) == [(1, None, "one", None), (2, None, "two", None), (3, AT, None, None)]


def test_values_of_the_statement_itself_are_put_too(connection: Connection) -> None:
    Prepared(insert(NOTES))(connection, [{"number": number, "words": "-"} for number in (1, 2, 3)])
    change = Prepared(
        update(NOTES)
        .where(NOTES.c.number == bindparam("key"))
        .values(at=bindparam("when", type_=Moment()), words="x")
    )

    assert change(connection, [{"key": 1, "when": AT}, {"key": 3, "when": None}, {"key": 9, "when": AT}]) == 2

    assert rows(connection) == [(1, AT, "x", None), (2, None, "-", None), (3, None, "x", None)]


def test_one_parameter_is_enough_and_no_row_is_nothing_to_do(connection: Connection) -> None:
    Prepared(insert(NOTES))(connection, [{"number": number} for number in (1, 2)])
    remove = Prepared(delete(NOTES).where(NOTES.c.number == bindparam("key")))

    assert remove(connection, []) == 0
    assert remove(connection, [{"key": 2}]) == 1

    assert [row[0] for row in rows(connection)] == [1]


def test_what_tests_have_one_engine_compile_another_finds_compiled(
    database: Database, open_database: Callable[..., Database]
) -> None:
    with database.read() as tx:
        tx.flows.names()
    found: list[str] = []

    def note(*arguments: Any) -> None:
        found.append(arguments[4].cache_hit.name)

    event.listen(Engine, "before_cursor_execute", note)
    with open_database().read() as tx:
        tx.flows.names()
    event.remove(Engine, "before_cursor_execute", note)

    assert "CACHE_HIT" in found
    assert "CACHE_MISS" not in found
