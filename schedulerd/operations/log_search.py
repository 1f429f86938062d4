"""What can be found in the log of a run: where a text stands, the next place of it, the next error, how many lines of each level."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schedulerd.domain.child_runs import AnyRun
from schedulerd.domain.ids import RunKey
from schedulerd.domain.logs import LEVELS, NumberedLine, level_name
from schedulerd.errors import NotFound
from schedulerd.operations.log_chunks import ChunkFilter
from schedulerd.operations.runs import place_of
from schedulerd.operations.selectors import find_run, known_run
from schedulerd.store.database import Database
from schedulerd.store.log_search import LineQuery
from schedulerd.store.transaction import Transaction

MOST: Final = 1_000
ERROR: Final = LEVELS["error"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Matches:
    """How many lines match, and the numbers of the first 1,000."""

    total: int
    lines: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Lines:
    """Some lines of a log, how the run stood then, and the number of the last line of its log at that moment."""

    run: AnyRun
    lines: tuple[NumberedLine, ...]
    count: int


class LogSearch:
    """Looks through a whole log, whatever its length. Texts are found whatever their letter case."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def matches(self, selector: str, text: str, wanted: ChunkFilter) -> Matches:
        """The lines with this text. Raises `NotFound` and `Ambiguous`, as all of these do."""
        with self._database.read() as tx:
            total, found = tx.log_search.matches(_query(tx, selector, text, wanted), limit=MOST)
        return Matches(total=total, lines=tuple(found))

    def next_match(
        self, selector: AnyRun | str, text: str, wanted: ChunkFilter, *, line: int, backward: bool = False
    ) -> int | None:
        """The number of the next line with this text after `line`, or before it; None where there is none."""
        with self._database.read() as tx:
            query = _query(tx, selector, text, wanted)
            return tx.log_search.next_match(query, line=line, backward=backward)

    def next_error(self, selector: str, *, line: int = 0, task: int | None = None) -> int | None:
        """The number of the next error after `line`."""
        return self.next_match(selector, "", ChunkFilter(task=task, min_level=ERROR), line=line)

    def levels(self, selector: str, *, task: int | None = None) -> Mapping[str, int]:
        """How many lines there are of each level, by its name; the lowest first."""
        with self._database.read() as tx:
            found = tx.log_search.levels(_query(tx, selector, "", ChunkFilter(task=task)))
        counts = Counter[str]()
        for level, count in sorted(found.items()):
            counts[level_name(level)] += count
        return dict(counts)

    def lines(
        self,
        selector: str,
        wanted: ChunkFilter,
        *,
        task: str | None = None,
        text: str = "",
        after: int = 0,
        limit: int,
        tail: bool = False,
    ) -> Lines:
        """The first lines numbered above `after`, or with `tail` the last. `task` is a name, or the number of a task run.

        Raises `NotFound` for a task too that the run has not.
        """
        with self._database.read() as tx:
            run = find_run(tx, selector)
            root, child = place_of(run)
            query = LineQuery(
                run=root.key,
                child=child,
                tasks=None if task is None else _numbers(tx, root.key, child, task),
                min_level=wanted.min_level,
                text=text,
            )
            found = tx.log_search.lines(query, after=after, limit=limit, tail=tail)
            count = tx.logs.count(root.key)
        return Lines(run=run, lines=tuple(found), count=count)


def _query(tx: Transaction, selector: AnyRun | str, text: str, wanted: ChunkFilter) -> LineQuery:
    root, child = place_of(known_run(tx, selector))
    tasks = None if wanted.task is None else frozenset({wanted.task})
    return LineQuery(run=root.key, child=child, tasks=tasks, min_level=wanted.min_level, text=text)


def _numbers(tx: Transaction, run: RunKey, child: int | None, task: str) -> frozenset[int]:
    known = tx.tasks.tasks(run, child=child)
    numbers = frozenset(one.number for one in known if task in (one.name, str(one.number)))
    if not numbers:
        raise NotFound("task", task, near=sorted({one.name for one in known}))
    return numbers
