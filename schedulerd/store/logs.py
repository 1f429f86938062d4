"""The log lines of runs. They are written by the intake."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, select

from schedulerd.domain.ids import RunKey
from schedulerd.domain.logs import LogLine, NumberedLine, Stream
from schedulerd.store.containing import contains
from schedulerd.store.run_tables import child_runs, log_lines, task_runs
from schedulerd.store.tables import AnyRow, runs

LINES: Final = select(
    log_lines, task_runs.c.name.label("task_name"), child_runs.c.name.label("child_name")
).select_from(
    log_lines.outerjoin(
        task_runs, and_(task_runs.c.run_id == log_lines.c.run_id, task_runs.c.number == log_lines.c.task)
    ).outerjoin(
        child_runs, and_(child_runs.c.run_id == log_lines.c.run_id, child_runs.c.number == log_lines.c.child)
    )
)


_LAST: Final = LINES.join(
    runs, and_(runs.c.id == log_lines.c.run_id, runs.c.line_count == log_lines.c.number)
).where(log_lines.c.run_id.in_(bindparam("keys", expanding=True)))


def below(run: RunKey, child: int) -> Any:
    """The numbers of a child run and of all that were called within it."""
    top = select(child_runs.c.number).where(child_runs.c.run_id == run, child_runs.c.number == child)
    below = top.cte("below", recursive=True)
    called = child_runs.alias("called")
    return below.union_all(
        select(called.c.number).where(called.c.run_id == run, called.c.child == below.c.number)
    )


class Logs:
    """What runs said."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def lines(
        self,
        run: RunKey,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int,
        child: int | None = None,
        task: int | None = None,
        min_level: int = 0,
        text: str | None = None,
        tail: bool = False,
    ) -> list[NumberedLine]:
        """At most `limit` lines numbered above `after` and below `before`, in order: the first such lines, or with `tail` the
        last.

        Those of child runs are among them; with the number of a `child` only its own are, and those of its child runs.
        `task` is the number of a task run; `text` is looked for in the message, whatever its letter case.
        """
        query = LINES.where(log_lines.c.run_id == run, log_lines.c.number > after).limit(limit)
        if before is not None:
            query = query.where(log_lines.c.number < before)
        if child is not None:
            query = query.where(log_lines.c.child.in_(select(below(run, child).c.number)))
        if task is not None:
            query = query.where(log_lines.c.task == task)
        if min_level:
            query = query.where(log_lines.c.level >= min_level)
        if text:
            query = query.where(contains(log_lines.c.message, text))
        order = log_lines.c.number.desc() if tail else log_lines.c.number
        found = [line_of(row) for row in self._connection.execute(query.order_by(order))]
        return found[::-1] if tail else found

    def last_of(self, keys: Collection[RunKey]) -> dict[RunKey, NumberedLine]:
        """The last line of each of these runs that has said something."""
        rows = self._connection.execute(_LAST, {"keys": list(keys)}) if keys else ()
        return {RunKey(row.run_id): line_of(row) for row in rows}

    def count(self, run: RunKey) -> int:
        """How many lines the run has; 0 for a run that is not there."""
        found = self._connection.scalar(select(runs.c.line_count).where(runs.c.id == run))
        return found or 0


def line_row(run: RunKey, number: int, line: LogLine) -> dict[str, Any]:
    """The row of a line."""
    return {
        "run_id": run,
        "number": number,
        "at": line.at,
        "level": line.level,
        "stream": line.stream.value,
        "logger": line.logger,
        "task": line.task,
        "message": line.message,
        "child": line.within,
    }


def line_of(row: AnyRow) -> NumberedLine:
    """The value of a row of `LINES`."""
    line = LogLine(
        at=row.at,
        level=row.level,
        message=row.message,
        stream=Stream(row.stream),
        logger=row.logger,
        task=row.task,
    )
    return NumberedLine(number=row.number, line=line, task_name=row.task_name, child_name=row.child_name)
