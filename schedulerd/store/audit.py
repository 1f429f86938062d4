"""The audit: who changed what, when and from where. Entries are added, and removed when they are old; never changed."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from schedulerd.domain.access import Means
from schedulerd.domain.audit import AuditEntry, AuditFilter, Change
from schedulerd.store.access_tables import audit
from schedulerd.store.tables import AnyRow


class Audit:
    """Entries in the order in which they were written."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def add(self, change: Change, *, at: datetime, who: str, means: Means, address: str) -> None:
        """Keep a change."""
        row = {
            "at": at,
            "who": who,
            "means": means.value,
            "address": address,
            "what": change.what,
            "target": change.target,
            "before": None if change.before is None else dict(change.before),
            "after": None if change.after is None else dict(change.after),
        }
        self._connection.execute(insert(audit), row)

    def list(self, wanted: AuditFilter) -> list[AuditEntry]:
        """A page of entries, the newest first."""
        query = select(audit).order_by(audit.c.id.desc()).limit(wanted.limit)
        if wanted.since is not None:
            query = query.where(audit.c.at >= wanted.since)
        if wanted.who is not None:
            query = query.where(audit.c.who == wanted.who)
        if wanted.before is not None:
            query = query.where(audit.c.id < wanted.before)
        return [_entry(row) for row in self._connection.execute(query)]

    def forget(self, before: datetime) -> None:
        """Remove what is older."""
        self._connection.execute(delete(audit).where(audit.c.at < before))


def _entry(row: AnyRow) -> AuditEntry:
    change = Change(what=row.what, target=row.target, before=row.before, after=row.after)
    return AuditEntry(
        key=row.id, at=row.at, who=row.who, means=Means(row.means), address=row.address, change=change
    )
