"""The variables."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from schedulerd.domain.near import near
from schedulerd.domain.variables import Variable
from schedulerd.errors import Conflict, NotFound
from schedulerd.store.asking_tables import variables
from schedulerd.store.tables import AnyRow

_ALL: Final = select(variables).order_by(variables.c.name)
_ONE: Final = select(variables).where(variables.c.name == bindparam("name"))
_REMOVE: Final = delete(variables).where(variables.c.name == bindparam("named"))


class Variables:
    """Values by name."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def all(self) -> list[Variable]:
        """All of them, by name."""
        return [_variable(row) for row in self._connection.execute(_ALL)]

    def get(self, name: str) -> Variable:
        """The variable of that name. Raises `NotFound`."""
        found = self.find(name)
        if found is None:
            known = [variable.name for variable in self.all()]
            raise NotFound("variable", name, near=near(name, known))
        return found

    def find(self, name: str) -> Variable | None:
        """The variable of that name, None when there is none."""
        row = self._connection.execute(_ONE, {"name": name}).one_or_none()
        return None if row is None else _variable(row)

    def set(
        self, name: str, value: Any, *, at: datetime, tags: Sequence[str] = (), overwrite: bool = True
    ) -> None:
        """Set a variable, new or, with `overwrite`, in place of the one that is there. Raises `Conflict`."""
        there = self._connection.execute(_ONE, {"name": name}).one_or_none()
        if there is not None and not overwrite:
            raise Conflict(
                f"there is a variable {name!r} already", mend="to set it all the same, say overwrite=True"
            )
        self._connection.execute(_REMOVE, {"named": name})
        row = {
            "name": name,
            "value": json.dumps(value, ensure_ascii=False),
            "tags": list(tags) or None,
            "changed_at": at,
        }
        self._connection.execute(insert(variables), row)

    def remove(self, name: str) -> bool:
        """Remove it; False when there is none of that name."""
        return self._connection.execute(_REMOVE, {"named": name}).rowcount == 1


def _variable(row: AnyRow) -> Variable:
    return Variable(
        name=row.name,
        value=json.loads(row.value),
        changed_at=row.changed_at,
        tags=tuple(row.tags or ()),
    )
