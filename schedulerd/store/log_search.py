"""Looks through the log of a run, whatever its length: lines that fulfil something, how many, and the next of them."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select

from schedulerd.domain.ids import RunKey
from schedulerd.domain.logs import NumberedLine
from schedulerd.store.containing import contains
from schedulerd.store.logs import LINES, below, line_of
from schedulerd.store.run_tables import log_lines


@dataclass(frozen=True, kw_only=True, slots=True)
class LineQuery:
    """Lines of a run, or with `child` of a child run in it; of these task runs, of this level and above, with this text."""

    run: RunKey
    child: int | None = None
    tasks: frozenset[int] | None = None
    min_level: int = 0
    text: str = ""


class LogSearch:
    """What is found in logs. A text is found whatever its letter case."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def lines(self, query: LineQuery, *, after: int, limit: int, tail: bool) -> list[NumberedLine]:
        """The first `limit` lines numbered above `after`, or with `tail` the last; in order."""
        number = log_lines.c.number
        wanted = LINES.where(*_conditions(query), number > after)
        ordered = wanted.order_by(number.desc() if tail else number.asc()).limit(limit)
        found = [line_of(row) for row in self._connection.execute(ordered)]
        return found[::-1] if tail else found

    def matches(self, query: LineQuery, *, limit: int) -> tuple[int, list[int]]:
        """How many lines there are, and the numbers of the first `limit`."""
        among = _conditions(query)
        numbers = select(log_lines.c.number).where(*among).order_by(log_lines.c.number)
        found = list(self._connection.scalars(numbers.limit(limit)))
        if len(found) < limit:
            return len(found), found
        counted = select(func.count()).select_from(log_lines).where(*among)
        return self._connection.execute(counted).scalar_one(), found

    def next_match(self, query: LineQuery, *, line: int, backward: bool) -> int | None:
        """The number of the next line after `line`, or before it; None where there is none."""
        number = log_lines.c.number
        numbers = select(number).where(*_conditions(query), number < line if backward else number > line)
        ordered = numbers.order_by(number.desc() if backward else number.asc())
        found: int | None = self._connection.scalar(ordered.limit(1))
        return found

    def levels(self, query: LineQuery) -> dict[int, int]:
        """How many lines there are of each level."""
        counted = select(log_lines.c.level, func.count()).where(*_conditions(query))
        return {row[0]: row[1] for row in self._connection.execute(counted.group_by(log_lines.c.level))}


def _conditions(query: LineQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [log_lines.c.run_id == query.run]
    if query.child is not None:
        found.append(log_lines.c.child.in_(select(below(query.run, query.child).c.number)))
    if query.tasks is not None:
        found.append(log_lines.c.task.in_(sorted(query.tasks)))
    if query.min_level:
        found.append(log_lines.c.level >= query.min_level)
    if query.text:
        found.append(contains(log_lines.c.message, query.text))
    return found
