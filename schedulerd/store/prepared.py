"""Statements for many rows, which cost hardly more than what the driver does with the rows.

SQLAlchemy finds out at each execution, and partly for each row, what a statement's text is, in which order its parameters
stand and how their values are put for the driver. Here that is done once for each database and set of columns.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, Dialect
from sqlalchemy.sql.dml import UpdateBase

from schedulerd.store.spelling import Spelled


class Prepared:
    """An INSERT, UPDATE or DELETE that is carried out for each of some rows. It may have no list among its parameters."""

    def __init__(self, statement: UpdateBase | Spelled) -> None:
        self._statement: Final = statement
        self._written: Final[dict[tuple[str, ...], _Written]] = {}

    def __call__(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Carry it out for the rows, which must all give the same columns; how many rows of the table that concerned."""
        if not rows:
            return 0
        written = self._for(connection, rows[0])
        return connection.exec_driver_sql(written.text, written.parameters(rows)).rowcount

    def _for(self, connection: Connection, row: Mapping[str, Any]) -> "_Written":
        known = connection.dialect.name, *row
        if known not in self._written:
            statement = self._statement
            spelled = statement.on(connection) if isinstance(statement, Spelled) else statement
            self._written[known] = _Written(spelled, connection.dialect, list(row))
        return self._written[known]


class _Written:
    """A statement as the driver takes it: its text, and which parameter is where."""

    def __init__(self, statement: UpdateBase, dialect: Dialect, columns: Sequence[str]) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns, for_executemany=True)
        self.text: Final[str] = compiled.string
        binds: dict[str, BindParameter[Any]] = {name: bind for bind, name in compiled.bind_names.items()}
        self._is_named: Final[bool] = not compiled.positional
        self._names: Final[list[str]] = list(binds) if self._is_named else compiled.positiontup
        self._pick: Final = _picking(self._names)
        puts = [_putting(binds[name], dialect) for name in self._names]
        self._puts: Final = [(place, put) for place, put in enumerate(puts) if put is not None]
        # what the statement itself has a value for
        self._own: Final = {name: bind.value for name, bind in binds.items() if not bind.required}

    def parameters(self, rows: Iterable[Mapping[str, Any]]) -> list[Any]:
        """The rows as the driver takes them: as tuples, or where it goes by names, as dicts."""
        own = self._own
        found = [self._values({**own, **row} if own else row) for row in rows]
        return [dict(zip(self._names, one, strict=True)) for one in found] if self._is_named else found

    def _values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        if not self._puts:
            return self._pick(row)
        values = list(self._pick(row))
        for place, put in self._puts:
            values[place] = put(values[place])
        return tuple(values)


def _picking(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """What gives the values of these names, in their order."""
    if len(names) == 1:
        return lambda row: (row[names[0]],)
    return itemgetter(*names)


def _putting(bind: BindParameter[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """How a value is put for the driver; None for as it is."""
    return bind.type.dialect_impl(dialect).bind_processor(dialect)
