"""What can be asked about the audit: what was changed by whom, and to keep one more change."""

from datetime import datetime
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal
from schedulerd.domain.audit import AuditEntry, AuditFilter, Change
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction


def keep(tx: Transaction, by: Principal, change: Change, *, at: datetime) -> None:
    """Keep a change within the transaction that makes it."""
    tx.audit.add(change, at=at, who=by.name, means=by.means, address=by.address)


class Audit:
    """The audit, as somebody at an edge sees it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database: Final = database
        self._clock: Final = clock

    def record(self, by: Principal, change: Change) -> None:
        """Keep a change that was made."""
        with self._database.write() as tx:
            keep(tx, by, change, at=self._clock.now())

    # The last one, because from here on `list` is no type in this class.
    def list(self, wanted: AuditFilter) -> list[AuditEntry]:
        """A page of entries, the newest first."""
        with self._database.read() as tx:
            return tx.audit.list(wanted)
