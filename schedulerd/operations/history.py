"""The history of runs: which fulfil a filter, a page at a time, and how many there are of each kind."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.ids import RunKey
from schedulerd.domain.run_filters import Term, query_of, terms
from schedulerd.domain.run_queries import RunQuery, cursor_at, read_cursor
from schedulerd.domain.runs import Run
from schedulerd.store.database import Database
from schedulerd.store.history import Count, Found

PAGE: Final = 50
MOST: Final = 500
"""So many runs a page has at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryPage:
    """Runs, newest first. `older` and `newer` are the cursors of the pages beside it, None where there is none.

    `head` is the cursor `before` which the runs stand that came since.
    `searched_to`: the page is not full, and the search ended at this moment, because it had looked at enough; `older` (or
    `newer`, for a page that was asked for by `before`) goes on from there.
    """

    runs: tuple[Run, ...]
    older: str | None
    newer: str | None
    head: str | None
    searched_to: datetime | None


class History:
    """The runs of a query, as somebody at an edge sees them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database: Final = database
        self._clock: Final = clock

    def query(self, text: str, *, zone: tzinfo | None, more: Sequence[Term] = ()) -> RunQuery:
        """What a filter means now, with `more` that was told apart from it. Raises `BadExpression` at the wrong term."""
        return query_of((*terms(text), *more), now=self._clock.now(), zone=zone)

    def page(
        self, query: RunQuery, *, limit: int = PAGE, after: str | None = None, before: str | None = None
    ) -> HistoryPage:
        """The newest runs of the query; or those that come after a cursor in the list, or next before one.

        Raises `NotFound` for a flow, tag or schedule that nobody knows, `BadExpression` for a cursor that is none of this
        query (`cursor-mismatch`) or none at all (`cursor`).
        """
        older_than = None if after is None else read_cursor(query, after)
        newer_than = None if before is None else read_cursor(query, before)
        now = self._clock.now()
        with self._database.read() as tx:
            found = tx.history.page(query, now=now, limit=limit, after=older_than, before=newer_than)
            waits = tx.waiting.told(found.runs, now=now)
        told = tuple(replace(run, reason=waits.get(run.key, run.reason)) for run in found.runs)
        return _page(query, replace(found, runs=list(told)), after=after, before=before)

    def of_keys(self, keys: Collection[RunKey]) -> tuple[Run, ...]:
        """Those of these runs that there are, the newest first."""
        now = self._clock.now()
        with self._database.read() as tx:
            found = tx.history.of_keys(keys)
            waits = tx.waiting.told(found, now=now)
        return tuple(replace(run, reason=waits.get(run.key, run.reason)) for run in found)

    def count(self, query: RunQuery) -> Count:
        """How many runs the query has, up to 1,000. Raises as `page` does."""
        with self._database.read() as tx:
            return tx.history.count(query, now=self._clock.now())

    def counts(self, query: RunQuery) -> Mapping[str, Count]:
        """How many runs the query has in each group of states (active, waiting, bad, ok, neutral), up to 1,000; its own
        states do not narrow. Raises as `page` does."""
        with self._database.read() as tx:
            return tx.history.counts(query, now=self._clock.now())


def _page(query: RunQuery, found: Found, *, after: str | None, before: str | None) -> HistoryPage:
    """The page with its cursors: on the side that one comes from there are runs, on the other where `more` says so."""
    runs = found.runs
    first, last = (cursor_at(query, runs[0].key), cursor_at(query, runs[-1].key)) if runs else (None, None)
    edge = None if found.looked_to is None else cursor_at(query, found.looked_to[0])
    ahead = (edge or (last if before is None else first)) if found.more else None
    behind = after if before is None else before
    back = None if behind is None else (first if before is None else last) or behind
    older, newer = (ahead, back) if before is None else (back, ahead)
    return HistoryPage(
        runs=tuple(runs),
        older=older,
        newer=newer,
        head=first,
        searched_to=None if found.looked_to is None else found.looked_to[1],
    )
