"""New schedules that are still to be put in force, and since when their due times are theirs.

What they were called before may be out of force already. So the database has this, too, as a fact: a daemon that dies between two
parts of a change leaves it to the next one, and no due time falls between an old name and a new one.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from schedulerd.store.transaction import Transaction

_FACT: Final = "schedules_outstanding"


def read_outstanding(tx: Transaction) -> dict[str, datetime]:
    """What was to be put in force by the last change that was begun; some of it may have been since."""
    known = tx.facts.get(_FACT)
    by_moment: dict[str, list[str]] = {} if known is None else json.loads(known)
    return {name: datetime.fromisoformat(moment) for moment, names in by_moment.items() for name in names}


def write_outstanding(tx: Transaction, outstanding: Mapping[str, datetime]) -> None:
    """Have the next daemon know of these and no others."""
    if not outstanding:
        tx.facts.unset(_FACT)
        return
    by_moment: dict[str, list[str]] = {}
    for name, since in outstanding.items():
        by_moment.setdefault(since.isoformat(), []).append(name)
    tx.facts.set(_FACT, json.dumps(by_moment))
