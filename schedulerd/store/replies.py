"""The replies to requests that had an idempotency key."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from schedulerd.domain.replies import ABANDONED, KEPT, Begun, Mark, Reply
from schedulerd.store.reply_table import replies
from schedulerd.store.tables import AnyRow

_BY_KEY: Final = select(replies).where(replies.c.key == bindparam("of"))
_DROP: Final = delete(replies).where(replies.c.key == bindparam("of"))
_FINISH: Final = (
    update(replies)
    .where(replies.c.key == bindparam("of"))
    .values(status=bindparam("to"), body=bindparam("said"), location=bindparam("place"))
)


class Replies:
    """Which requests were made, and what was answered."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def begin(self, key: str, fingerprint: str, *, at: datetime) -> Begun | Mark:
        """Note that the request is being done: its mark, for exactly one caller; for others, the one that came before.

        One whose time is over is as if it had not been. One over which somebody died is done again, where it is the same.
        """
        mark = f"{key} {at.isoformat()}"
        row = self._connection.execute(_BY_KEY, {"of": key}).one_or_none()
        if row is not None and at - row.at < KEPT:
            is_dead = row.status is None and at - row.at >= ABANDONED
            if not is_dead or row.fingerprint != fingerprint:
                return Begun(fingerprint=row.fingerprint, reply=_reply(row))
            mark = row.mark
        self.drop(key)
        self._connection.execute(insert(replies).values(key=key, fingerprint=fingerprint, at=at, mark=mark))
        return Mark(mark)

    def finish(self, key: str, reply: Reply) -> None:
        """It was done, and this answered."""
        values = {"of": key, "to": reply.status, "said": reply.body, "place": reply.location}
        self._connection.execute(_FINISH, values)

    def drop(self, key: str) -> None:
        """It could not be done: the next request with this key is a new one."""
        self._connection.execute(_DROP, {"of": key})

    def forget(self, now: datetime) -> None:
        """Forget those whose time is over."""
        self._connection.execute(delete(replies).where(replies.c.at <= now - KEPT))


def _reply(row: AnyRow) -> Reply | None:
    return None if row.status is None else Reply(status=row.status, body=row.body, location=row.location)
