"""What is to be told: written in the transaction of what it tells of, so that neither is there without the other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select, tuple_, update

from schedulerd.domain.ids import RunKey
from schedulerd.domain.notices import Happening, Notice, NoticeKind, NoticeRule
from schedulerd.store.notice_tables import IS_UNTOLD, notices
from schedulerd.store.tables import AnyRow

_ADD: Final = insert(notices)
_PAGE: Final = 500
_OF_RULE: Final = (IS_UNTOLD, notices.c.rule == bindparam("of_rule"))
_WAITING: Final = select(notices).where(*_OF_RULE).order_by(notices.c.id).limit(bindparam("limit"))
_COUNTS: Final = (
    select(
        notices.c.kind,
        func.count().label("number"),
        func.min(notices.c.at).label("oldest"),
        func.max(notices.c.id).label("last"),
    )
    .where(*_OF_RULE)
    .group_by(notices.c.kind)
)
# One with a mark is kept, so that what it tells of is not told again.
_TOLD: Final = (
    update(notices)
    .where(*_OF_RULE, notices.c.id <= bindparam("last"), notices.c.mark.is_not(None))
    .values(told_at=bindparam("now"))
)
_GONE: Final = delete(notices).where(*_OF_RULE, notices.c.id <= bindparam("last"), notices.c.mark.is_(None))
_OLD: Final = delete(notices).where(notices.c.told_at < bindparam("before"))
_MARKS: Final = select(notices.c.rule, notices.c.mark).where(
    tuple_(notices.c.rule, notices.c.mark).in_(bindparam("marks", expanding=True)),
    notices.c.mark.is_not(None),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """How many notices of each kind wait for their message, since when, and the key of the last of them."""

    counts: Mapping[NoticeKind, int]
    oldest: datetime
    last: int


class Notices:
    """The outbox, for these rules."""

    def __init__(self, connection: Connection, rules: Sequence[NoticeRule]) -> None:
        self._connection: Final = connection
        self._rules: Final = rules

    def tell(self, happenings: Iterable[Happening]) -> int:
        """Have these told by each rule that wants them; how many notices that makes. What is marked is told once."""
        rows = [
            _row(rule, happening) for happening in happenings for rule in self._rules if rule.wants(happening)
        ]
        fresh = [row for page in _pages(rows) for row in self._fresh(page)]
        if fresh:
            self._connection.execute(_ADD, fresh)
        return len(fresh)

    def waiting(self, rule: str) -> Waiting | None:
        """What waits for a message of a rule; None where nothing does."""
        rows = self._connection.execute(_COUNTS, {"of_rule": rule}).all()
        if not rows:
            return None
        return Waiting(
            counts={NoticeKind(row.kind): row.number for row in rows},
            oldest=min(row.oldest for row in rows),
            last=max(row.last for row in rows),
        )

    def first(self, rule: str, limit: int) -> list[Notice]:
        """The first of those that wait."""
        return [_notice(row) for row in self._connection.execute(_WAITING, {"of_rule": rule, "limit": limit})]

    def told(self, rule: str, last: int, *, now: datetime) -> None:
        """Those that waited, up to this one, are in a message."""
        values = {"of_rule": rule, "last": last}
        self._connection.execute(_TOLD, values | {"now": now})
        self._connection.execute(_GONE, values)

    def forget(self, before: datetime) -> None:
        """Remove what was told before this moment, and what waits for a rule that is no more."""
        self._connection.execute(_OLD, {"before": before})
        names = [rule.name for rule in self._rules]
        self._connection.execute(delete(notices).where(notices.c.rule.not_in(names)))

    def _fresh(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those that have no mark, or one that no other has."""
        marks = [(row["rule"], row["mark"]) for row in rows if row["mark"] is not None]
        if not marks:
            return rows
        known = {tuple(row) for row in self._connection.execute(_MARKS, {"marks": marks})}
        fresh = []
        for row in rows:
            mark = (row["rule"], row["mark"])
            if row["mark"] is None or mark not in known:
                known.add(mark)
                fresh.append(row)
        return fresh


def _pages(rows: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    return (rows[start : start + _PAGE] for start in range(0, len(rows), _PAGE))


def _row(rule: NoticeRule, happening: Happening) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "kind": happening.kind.value,
        "at": happening.at,
        "subject": happening.subject,
        "words": happening.words,
        "run_id": happening.run,
        "mark": happening.mark,
    }


def _notice(row: AnyRow) -> Notice:
    return Notice(
        kind=NoticeKind(row.kind),
        at=row.at,
        subject=row.subject,
        words=row.words,
        run=None if row.run_id is None else RunKey(row.run_id),
        key=row.id,
    )
