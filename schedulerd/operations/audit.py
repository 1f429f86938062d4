"""What can be asked about the audit: what was changed by whom, and to keep one more change."""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal
from schedulerd.domain.audit import AuditEntry, AuditFilter, Change
from schedulerd.errors import StoreUnavailable
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

log = logging.getLogger(__name__)

LONGEST: Final = 4_000
"""So many characters of what was, and of what is, are kept with a change."""

_BEGINNING: Final = 200
_TRIES: Final = 5


def keep(tx: Transaction, by: Principal | None, change: Change, *, at: datetime) -> None:
    """Keep a change within the transaction that makes it. What nobody makes, but schedulerd or a run, is not for the audit."""
    if by is None:
        return
    told = replace(change, before=_bounded(change.before), after=_bounded(change.after))
    tx.audit.add(told, at=at, who=by.name, means=by.means, address=by.address)


def keep_saved(database: Database, by: Principal, change: Change, *, at: datetime) -> None:
    """Keep a change that was made to a file. It is made: a database that others write to is waited for some times longer than
    else, and where it does not answer at all, the log of the daemon tells of it.
    """
    for left in reversed(range(_TRIES)):
        try:
            with database.write() as tx:
                keep(tx, by, change, at=at)
        except StoreUnavailable as error:
            if not left:
                _tell_log(by, change, error)
        else:
            return


def _tell_log(by: Principal, change: Change, error: StoreUnavailable) -> None:
    told = {"what": change.what, "target": change.target, "who": by.name, "address": by.address or "-"}
    log.error("audit_failed", extra=told | {"means": by.means.value, "reason": error.message})


def _bounded(values: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The values; of many only how long they are, and what they begin with."""
    text = "" if values is None else json.dumps(values, ensure_ascii=False, default=str)
    if len(text) <= LONGEST:
        return values
    return {"characters": len(text), "begins": text[:_BEGINNING]}


class Audit:
    """The audit, as somebody at an edge sees it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database: Final = database
        self._clock: Final = clock

    # The last one, because from here on `list` is no type in this class.
    def list(self, wanted: AuditFilter) -> list[AuditEntry]:
        """A page of entries, the newest first."""
        with self._database.read() as tx:
            return tx.audit.list(wanted)
