"""The messages: to be sent, sent, and given up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from schedulerd.domain.messages import Message, MessageKey, MessageState, NewMessage
from schedulerd.store.notice_tables import IS_UNSENT, messages
from schedulerd.store.tables import AnyRow

_UNSENT: Final = select(messages).where(IS_UNSENT).order_by(messages.c.id).limit(bindparam("limit"))
_NOTE: Final = (
    update(messages)
    .where(messages.c.id == bindparam("key"))
    .values(
        state=bindparam("to"),
        tries=bindparam("tried"),
        next_at=bindparam("next", type_=messages.c.next_at.type),
        done_at=bindparam("done", type_=messages.c.done_at.type),
        answer=bindparam("said"),
    )
)
_MADE: Final = (
    select(messages.c.made_at)
    .distinct()
    .where(messages.c.rule == bindparam("rule"), messages.c.made_at > bindparam("since"))
    .order_by(messages.c.made_at)
)
_OLD: Final = delete(messages).where(messages.c.made_at < bindparam("before"), messages.c.next_at.is_(None))
_LATELY: Final = select(messages).order_by(messages.c.id.desc()).limit(bindparam("limit"))


class Messages:
    """Each is for one address."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def add(self, new: Sequence[NewMessage]) -> None:
        """Have these sent."""
        rows: list[dict[str, Any]] = [
            {
                "rule": one.rule,
                "target": one.target,
                "shown": one.shown,
                "made_at": one.made_at,
                "title": one.title,
                "body": one.body,
                "state": MessageState.WAITING.value,
                "next_at": one.made_at,
                "answer": "",
            }
            for one in new
        ]
        if rows:
            self._connection.execute(insert(messages), rows)

    def unsent(self, limit: int) -> list[Message]:
        """Those that are to be sent, now or later, the oldest first."""
        return [_message(row) for row in self._connection.execute(_UNSENT, {"limit": limit})]

    def note(self, message: Message) -> None:
        """Note what has become of a message: its state, its tries, its answer."""
        self._connection.execute(
            _NOTE,
            {
                "key": message.key,
                "to": message.state.value,
                "tried": message.tries,
                "next": message.next_at,
                "done": message.done_at,
                "said": message.answer,
            },
        )

    def made(self, rule: str, *, since: datetime) -> list[datetime]:
        """When messages of a rule were made after this moment; to how many addresses each goes is no matter."""
        return list(self._connection.scalars(_MADE, {"rule": rule, "since": since}))

    def lately(self, limit: int) -> list[Message]:
        """The newest, the newest first."""
        return [_message(row) for row in self._connection.execute(_LATELY, {"limit": limit})]

    def forget(self, before: datetime) -> None:
        """Remove those made before this moment that are done."""
        self._connection.execute(_OLD, {"before": before})


def _message(row: AnyRow) -> Message:
    return Message(
        key=MessageKey(row.id),
        rule=row.rule,
        target=row.target,
        shown=row.shown,
        made_at=row.made_at,
        title=row.title,
        body=row.body,
        state=MessageState(row.state),
        tries=row.tries,
        next_at=row.next_at,
        done_at=row.done_at,
        answer=row.answer,
    )
