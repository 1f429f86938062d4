"""The log of a run in chunks, as who looks at it page by page wants it: from its end, from a line, before or after one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schedulerd.domain.child_runs import AnyRun
from schedulerd.domain.ids import RunKey
from schedulerd.domain.logs import NumberedLine
from schedulerd.domain.runs import Run
from schedulerd.operations.runs import place_of
from schedulerd.operations.selectors import known_run
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

CHUNK: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class ChunkFilter:
    """Which lines there are: those of a task run, and of a level and above."""

    task: int | None = None
    min_level: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class LogChunk:
    """Lines in order, of a log that has `count` lines by now. `earlier` and `later`: there are others on that side."""

    run: AnyRun
    lines: tuple[NumberedLine, ...]
    count: int
    earlier: bool
    later: bool


class LogChunks:
    """Logs, as somebody who pages through them sees them."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def last(self, selector: AnyRun | str, wanted: ChunkFilter, *, limit: int = CHUNK) -> LogChunk:
        """The end of the log. Raises `NotFound` and `Ambiguous`, as all of these do."""
        return self.before(selector, wanted, line=None, limit=limit)

    def last_lines(self, runs: Sequence[Run]) -> Mapping[RunKey, NumberedLine]:
        """What each of these runs has said last, of those that have said something."""
        with self._database.read() as tx:
            return tx.logs.last_of([run.key for run in runs])

    def before(
        self, selector: AnyRun | str, wanted: ChunkFilter, *, line: int | None, limit: int = CHUNK
    ) -> LogChunk:
        """The lines next before `line`; at the end without one."""
        with self._database.read() as tx:
            run = known_run(tx, selector)
            found = _lines(tx, run, wanted, before=line, limit=limit + 1, tail=True)
            count = tx.logs.count(place_of(run)[0].key)
        shown = found[-limit:]
        is_last = line is None or line > count
        return LogChunk(
            run=run, lines=tuple(shown), count=count, earlier=len(found) > limit, later=not is_last
        )

    def after(
        self, selector: AnyRun | str, wanted: ChunkFilter, *, line: int, limit: int = CHUNK
    ) -> LogChunk:
        """The lines next after `line`."""
        with self._database.read() as tx:
            run = known_run(tx, selector)
            found = _lines(tx, run, wanted, after=line, limit=limit + 1)
            count = tx.logs.count(place_of(run)[0].key)
        return LogChunk(
            run=run, lines=tuple(found[:limit]), count=count, earlier=line > 0, later=len(found) > limit
        )

    def around(
        self, selector: AnyRun | str, wanted: ChunkFilter, *, line: int, limit: int = CHUNK
    ) -> LogChunk:
        """The lines about `line`, with it where it is wanted."""
        half = limit // 2
        with self._database.read() as tx:
            run = known_run(tx, selector)
            above = _lines(tx, run, wanted, before=line, limit=half + 1, tail=True)
            below = _lines(tx, run, wanted, after=line - 1, limit=limit - half + 1)
            count = tx.logs.count(place_of(run)[0].key)
        return LogChunk(
            run=run,
            lines=(*above[-half:], *below[: limit - half]),
            count=count,
            earlier=len(above) > half,
            later=len(below) > limit - half,
        )


def _lines(
    tx: Transaction,
    run: AnyRun,
    wanted: ChunkFilter,
    *,
    limit: int,
    after: int = 0,
    before: int | None = None,
    tail: bool = False,
) -> Sequence[NumberedLine]:
    root, child = place_of(run)
    return tx.logs.lines(
        root.key,
        after=after,
        before=before,
        limit=limit,
        child=child,
        task=wanted.task,
        min_level=wanted.min_level,
        tail=tail,
    )
