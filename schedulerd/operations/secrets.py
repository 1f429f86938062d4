"""What can be asked about secrets: people set and remove them, runs are given them. Nobody is shown one."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal
from schedulerd.domain.audit import Change
from schedulerd.domain.ids import RunKey
from schedulerd.domain.secrets import SealedSecret, SecretUse
from schedulerd.domain.variables import check_name, check_value
from schedulerd.errors import NotFound
from schedulerd.operations.audit import keep
from schedulerd.operations.sealing import FACT, KeyRing
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction


class SecretBox:
    """Secrets within a transaction, opened and sealed by the key that there is."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys: Final = keys

    def put(self, tx: Transaction, name: str, value: Any, *, at: datetime, overwrite: bool = True) -> None:
        """Keep a secret. Raises `BadParameters`, `Conflict`, and as `KeyRing.seal` does."""
        check_value(check_name(name, what="secret"), value, what="secret")
        known = tx.facts.get(FACT)
        seal = self._keys.seal(known=known)
        if known is None:
            tx.facts.set(FACT, seal.mark)
        tx.secrets.set(name, seal.seal(name, value), at=at, overwrite=overwrite)

    def open(self, tx: Transaction, name: str, sealed: bytes) -> Any:
        """The value of a sealed secret."""
        return self._keys.seal(known=tx.facts.get(FACT)).open(name, sealed)

    def give(self, tx: Transaction, name: str, *, run: RunKey, attempt: int) -> Any:
        """The value, for a run, which is noted. Raises `NotFound`."""
        found = tx.secrets.get(name)
        value = self.open(tx, name, found.sealed)
        tx.secrets.note_use(SecretUse(run=run, attempt=attempt, name=name, sealed=found.sealed))
        return value

    def remove(self, tx: Transaction, name: str) -> bool:
        """Remove a secret; with the last one the key is forgotten. False when there is none of that name."""
        removed = tx.secrets.remove(name)
        if removed and not tx.secrets.all():
            tx.facts.unset(FACT)
        return removed


class Secrets:
    """Secrets, as somebody at an edge sees them: by name."""

    def __init__(self, database: Database, clock: Clock, keys: KeyRing) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._box: Final = SecretBox(keys)

    def set(self, name: str, value: Any, *, by: Principal | None = None) -> SealedSecret:
        """Keep a secret, new or not. The audit has that it was set, and nothing of what it is."""
        now = self._clock.now()
        with self._database.write() as tx:
            was = next((one for one in tx.secrets.all() if one.name == name), None)
            self._box.put(tx, name, value, at=now)
            made = tx.secrets.get(name)
            keep(
                tx, by, Change(what="secrets.set", target=name, before=_told(was), after=_told(made)), at=now
            )
            return made

    def unset(self, name: str, *, by: Principal | None = None) -> None:
        """Remove a secret. Raises `NotFound`."""
        with self._database.write() as tx:
            was = tx.secrets.get(name)
            self._box.remove(tx, name)
            keep(tx, by, Change(what="secrets.delete", target=name, before=_told(was)), at=self._clock.now())

    def ask(self, kind: str, body: Mapping[str, Any], private: str | None) -> Mapping[str, Any]:
        """Answer a question as a run's is answered, for a flow in plain Python."""
        name = str(body["name"])
        with self._database.write() as tx:
            if kind == "secret.set":
                value, overwrite = json.loads(private or "null"), bool(body.get("overwrite"))
                self._box.put(tx, name, value, at=self._clock.now(), overwrite=overwrite)
                return {}
            try:
                return {"found": True, "value": self._box.open(tx, name, tx.secrets.get(name).sealed)}
            except NotFound as error:
                if error.kind != "secret":
                    raise
                return {"found": False}

    # The last one, because from here on `list` is no type in this class.
    def list(self) -> list[SealedSecret]:
        """All secrets, by name."""
        with self._database.read() as tx:
            return tx.secrets.all()


def _told(secret: SealedSecret | None) -> Mapping[str, Any] | None:
    """Since when it is as it is: of what it is nothing is told, not even by a hash."""
    return None if secret is None else {"since": secret.changed_at.isoformat(timespec="seconds")}
