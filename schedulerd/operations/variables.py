"""What can be asked about variables, by people and by runs."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal
from schedulerd.domain.audit import Change
from schedulerd.domain.variables import Variable, check_name, check_value
from schedulerd.errors import NotFound, Stale
from schedulerd.operations.audit import keep
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

Judging = Callable[[Variable | None], bool]
"""Whether a change is meant for the variable that is there, or for there being none."""


def _anyway(_: Variable | None) -> bool:
    return True


class Variables:
    """Variables, as somebody at an edge sees them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database: Final = database
        self._clock: Final = clock

    def get(self, name: str) -> Variable:
        """The variable of that name. Raises `NotFound`."""
        with self._database.read() as tx:
            return tx.variables.get(name)

    def set(
        self,
        name: str,
        value: Any,
        *,
        tags: Sequence[str] = (),
        only_if: Judging = _anyway,
        by: Principal | None = None,
    ) -> Variable:
        """Set a variable, new or not. Raises `BadParameters` for a name or a value that cannot be, and `Stale` where the
        one that is there, or that there is none, is not what it is to be set for (`only_if`)."""
        check_value(check_name(name), value)
        now = self._clock.now()
        with self._database.write() as tx:
            was = tx.variables.find(name)
            _judge(name, was, only_if)
            tx.variables.set(name, value, at=now, tags=tags)
            made = tx.variables.get(name)
            keep(
                tx,
                by,
                Change(what="variables.set", target=name, before=_told(was), after=_told(made)),
                at=now,
            )
            return made

    def unset(self, name: str, *, only_if: Judging = _anyway, by: Principal | None = None) -> None:
        """Remove a variable. Raises `NotFound`, and `Stale` as `set` does."""
        with self._database.write() as tx:
            was = tx.variables.get(name)
            _judge(name, was, only_if)
            tx.variables.remove(name)
            keep(
                tx, by, Change(what="variables.delete", target=name, before=_told(was)), at=self._clock.now()
            )

    def ask(self, kind: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a question as a run's is answered."""
        with self._database.write() as tx:
            return ANSWERS[kind](tx, body, self._clock.now())

    # The last one, because from here on `list` is no type in this class.
    def list(self) -> list[Variable]:
        """All variables, by name."""
        with self._database.read() as tx:
            return tx.variables.all()


def _told(variable: Variable | None) -> Mapping[str, Any] | None:
    """What it is, for the audit."""
    return None if variable is None else {"value": variable.value, "tags": list(variable.tags)}


def _judge(name: str, there: Variable | None, only_if: Judging) -> None:
    if not only_if(there):
        raise Stale("variable", name, is_there=there is not None)


def _get(tx: Transaction, body: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    try:
        return {"found": True, "value": tx.variables.get(str(body["name"])).value}
    except NotFound:
        return {"found": False}


def _set(tx: Transaction, body: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    name, tags = check_name(body["name"]), [str(tag) for tag in body.get("tags") or ()]
    value = check_value(name, body["value"])
    tx.variables.set(name, value, at=now, tags=tags, overwrite=bool(body.get("overwrite")))
    return {}


def _unset(tx: Transaction, body: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    return {"removed": tx.variables.remove(str(body["name"]))}


def _list(tx: Transaction, body: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    return {"names": [variable.name for variable in tx.variables.all()]}


Answering = Callable[[Transaction, Mapping[str, Any], datetime], Mapping[str, Any]]
ANSWERS: Final[Mapping[str, Answering]] = {
    "variable.get": _get,
    "variable.set": _set,
    "variable.unset": _unset,
    "variable.list": _list,
}
"""How runs are answered."""
