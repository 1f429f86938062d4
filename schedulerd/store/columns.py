"""The kinds of columns: how moments, ids, texts and documents lie in the two databases; and what all tables share."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    Uuid,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# PostgreSQL refuses U+0000, and neither database encodes half of a surrogate pair.
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")

_MOST_KEPT: Final = 2_048

# SQLite makes only a column declared INTEGER the row's own number.
KEY: Final = BigInteger().with_variant(Integer(), "sqlite")

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


# Of a table whose rows lie in its primary key, with no other place (`WITHOUT ROWID` of SQLite). The migrations make it so, and
# a test compares: to say it as SQLAlchemy has it would load its support of SQLite where it is not used.
KEY_IS_ROW: Final = {"is_key": True}


def of_run() -> Column[int]:
    """The first part of the key of what belongs to a run, and goes with it: what is of one run lies together."""
    return Column("run_id", KEY, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)


def partial_index(name: str, *columns: Column[Any], where: ColumnElement[bool], unique: bool = False) -> None:
    """Have an index of those rows of a table for which something holds. The migrations make it so, and a test compares.

    To say it in the words that SQLAlchemy has for each database would load its support of both wherever there are tables, which
    costs a start 25 ms of CPU.
    """
    Index(name, *columns, unique=unique, info={"where": where})


def storable(text: str) -> str:
    """The text with what no database takes replaced by U+FFFD."""
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSTORABLE.sub("\ufffd", text)


class Moment(TypeDecorator[datetime]):
    """An aware datetime, as whole microseconds since 1970 UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Refuses a naive datetime with a TypeError."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Always in UTC."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Id(TypeDecorator[UUID]):
    """A UUID in its 16 bytes; both databases sort it like its text."""

    impl = Uuid
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """`uuid` where the database has it."""
        return dialect.type_descriptor(LargeBinary(16) if dialect.name == "sqlite" else Uuid())

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        """The bytes for SQLite."""
        return value.bytes if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        """A UUID from either."""
        return UUID(bytes=bytes(value)) if value is not None and dialect.name == "sqlite" else value


class Words(TypeDecorator[str]):
    """Text that came from outside, made storable: one odd character must not hold up a whole group of rows."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replaces what cannot be stored."""
        return None if value is None else storable(value)


def _document_text(value: Any) -> str:
    return storable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


class Document(TypeDecorator[Any]):
    """A JSON value as compact text. None is no document (NULL)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Non-ASCII stays readable, and costs half of its escapes."""
        if value is None:
            return None
        return _document_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """What was put in, with lists for tuples."""
        return None if value is None else json.loads(value)


class Value(TypeDecorator[Any]):
    """A frozen value as a document. The same text gives the same value: it is read once as long as it is among the last
    2,048, so that whoever gets one may not change what is in it."""

    impl = Text
    cache_ok = True

    def __init__(self, write: Callable[[Any], Any], read: Callable[[Any], Any]) -> None:
        super().__init__()
        self.write: Final = write
        self.read: Final = read
        self._read_text: Final = lru_cache(_MOST_KEPT)(lambda text: read(json.loads(text)))

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """As a document is written."""
        return None if value is None else _document_text(self.write(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """What was put in."""
        return None if value is None else self._read_text(value)
