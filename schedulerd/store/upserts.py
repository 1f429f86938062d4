"""Insert, or update the row that is there."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Table, case, func
from sqlalchemy.sql.dml import Insert

from schedulerd.store.prepared import Prepared
from schedulerd.store.spelling import Inserting, Spelled


class Upsert:
    """An INSERT into `table` that updates on a repeated primary key.

    Columns in `first` keep the value that they have; those in `given` do where none is given. Those in `kept` do where none is given, as long as the column that is
    named with each has none: `started_at` until `ended_at`, for one.
    """

    def __init__(
        self,
        table: Table,
        *,
        first: Collection[str] = (),
        given: Collection[str] = (),
        kept: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._first: Final = frozenset(first)
        self._given: Final = frozenset(given)
        self._kept: Final = kept
        self._table: Final = table
        self._statement: Final = Prepared(Spelled(self._made_by))

    def __call__(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        """Write the rows; each must give the same columns."""
        self._statement(connection, rows)

    def _made_by(self, insert: Inserting) -> Insert:
        statement = insert(self._table)
        made: Insert = statement.on_conflict_do_update(
            index_elements=list(self._table.primary_key), set_=self._values(statement.excluded)
        )
        return made

    def _values(self, given: Any) -> dict[str, Any]:
        return {
            column.name: self._value(column, given[column.name])
            for column in self._table.c
            if not column.primary_key
        }

    def _value(self, column: Any, given: Any) -> Any:
        if column.name in self._first:
            return func.coalesce(column, given)
        if column.name in self._given:
            return func.coalesce(given, column)
        if column.name not in self._kept:
            return given
        until = self._table.c[self._kept[column.name]]
        return func.coalesce(given, case((until.is_(None), column)))
