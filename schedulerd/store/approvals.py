"""What people decided of runs that asked for it, by the key of the question: another attempt does not ask again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from schedulerd.domain.ids import RunKey
from schedulerd.store.asking_tables import approvals
from schedulerd.store.upserts import Upsert

_PUT: Final = Upsert(approvals)
_ONE: Final = select(approvals.c.answer).where(
    approvals.c.run_id == bindparam("run"), approvals.c.key == bindparam("key")
)


class Approvals:
    """Decisions about runs."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def find(self, run: RunKey, key: str) -> Mapping[str, Any] | None:
        """The answer that was given to this question of the run, None where there was none."""
        found: Mapping[str, Any] | None = self._connection.scalar(_ONE, {"run": run, "key": key})
        return found

    def put(self, run: RunKey, key: str, answer: Mapping[str, Any], *, at: datetime) -> None:
        """Remember an answer."""
        _PUT(self._connection, [{"run_id": run, "key": key, "at": at, "answer": dict(answer)}])
