"""The history of runs, looked through newest first, a page at a time, and never more of it than is bounded here."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    any_,
    bindparam,
    false,
    func,
    literal,
    select,
)

from schedulerd.domain.ids import FlowKey, RunKey, uuid7
from schedulerd.domain.run_queries import RunQuery
from schedulerd.domain.runs import Run
from schedulerd.domain.states import ACTIVE, BAD, GROUPS, NOT_COMPLETED, RunState
from schedulerd.store import run_streams
from schedulerd.store.error_kinds import Kinds, find_kinds
from schedulerd.store.run_conditions import conditions, flow_keys
from schedulerd.store.run_rows import RUNS, run_of
from schedulerd.store.run_streams import Kind, Reach, Span, Streams
from schedulerd.store.strips import Mark, strips
from schedulerd.store.tables import SELDOM, AnySelect, runs

LOOKED_AT: Final = 20_000
"""So many runs at most are looked at for a page where no index serves what is wanted."""

LOOKED_UP: Final = 5_000
"""The same, where an index says which they are: each of them lies somewhere else."""

COUNTED: Final = 1_000
"""Up to so many runs are counted."""

_COUNTED_AMONG: Final = 1_000
_BEYOND_ALL: Final = 2**62
_COUNTED_GROUPS: Final = ("active", "waiting", "bad", "ok", "neutral")
_CHUNK: Final = 2_000
_GROWTH: Final = 10
_MOST_STREAMS: Final = 2_000
# In no other state has a run an error.
_WITH_ERROR: Final = BAD | {RunState.CANCELLED, RunState.RETRYING}
_BY_KEYS: Final = RUNS.where(runs.c.id.in_(bindparam("keys", expanding=True)))
# Two of them, each of which is a seek: SQLite reads all runs for both at once.
_ENDS: Final = select(
    select(func.min(runs.c.id)).scalar_subquery().label("first"),
    select(func.max(runs.c.id)).scalar_subquery().label("last"),
)
_FROM: Final = (
    select(runs.c.id)
    .where(runs.c.uuid >= bindparam("first", type_=runs.c.uuid.type))
    .order_by(runs.c.uuid)
    .limit(1)
)
_RECORDED: Final = (
    select(runs.c.created_at).where(runs.c.id <= bindparam("key")).order_by(runs.c.id.desc()).limit(1)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Runs, newest first. `more`: there are others on the far side, or may be. `looked_to`: the run at which the search
    ended before the page was full, and when that was recorded; None when it was full, or all was looked at."""

    runs: list[Run]
    more: bool
    looked_to: tuple[RunKey, datetime] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """How many runs; there may be more of them where it is `at_least`."""

    number: int
    at_least: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Search:
    """Where to look, and what has still to be true of what is found there; with no streams in the runs themselves."""

    span: Span
    streams: tuple[Streams, ...]
    conditions: tuple[Any, ...]


class History:
    """The runs of a query. An index serves what it can; of the rest a bounded number is looked at."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def page(
        self,
        query: RunQuery,
        *,
        now: datetime,
        limit: int,
        after: RunKey | None = None,
        before: RunKey | None = None,
    ) -> Found:
        """At most `limit` runs, newest first: those older than `after`, or next above `before`, or the newest.

        Raises `NotFound` for a flow, tag or schedule that nobody knows.
        """
        flows = flow_keys(self._connection, query)
        span, kinds = self._span(query, after, before), self._kinds(query)
        search = self._search(query, flows, span, kinds, now=now)
        if search is None:
            return Found(runs=[], more=False)
        reach = self._matching(search, count=limit + 1, look=LOOKED_UP if search.streams else LOOKED_AT)
        keys, more = reach.keys[:limit], len(reach.keys) > limit
        looked_to = None
        if not more and reach.edge is not None:
            more, looked_to = True, self._place(reach.edge)
        return Found(runs=self._runs(keys), more=more, looked_to=looked_to)

    def of_keys(self, keys: Collection[RunKey]) -> list[Run]:
        """Those of these runs that there are, the newest first."""
        return self._runs(keys)

    def count(self, query: RunQuery, *, now: datetime) -> Count:
        """How many runs the query has. Raises as `page` does."""
        flows, span = flow_keys(self._connection, query), self._span(query, None, None)
        return self._count(self._search(query, flows, span, self._kinds(query), now=now))

    def counts(self, query: RunQuery, *, now: datetime) -> Mapping[str, Count]:
        """How many of the runs there are in each group of states, whatever states the query has."""
        flows = flow_keys(self._connection, query)
        span, kinds = self._span(query, None, None), self._kinds(query)
        searches = {}
        for group in _COUNTED_GROUPS:
            states = GROUPS[group] & _WITH_ERROR if query.errors else GROUPS[group]
            of = replace(query, states=states)
            searches[group] = self._search(of, flows, span, kinds, now=now) if states else None
        plain = {
            group: one.streams
            for group, one in searches.items()
            if one and one.streams and not one.conditions
        }
        numbers = run_streams.counts(self._connection, plain, span, most=COUNTED)
        return {
            group: _capped(numbers[group]) if group in plain else self._count(search)
            for group, search in searches.items()
        }

    def strips(self, flows: Collection[FlowKey], *, count: int) -> Mapping[FlowKey, Sequence[Mark]]:
        """The last `count` runs of each flow, the newest last."""
        return strips(self._connection, flows, count=count)

    def _count(self, search: _Search | None) -> Count:
        if search is None:
            return Count(number=0, at_least=False)
        number, is_all = self._counted(search)
        return Count(number=number, at_least=number == COUNTED or not is_all)

    def _counted(self, search: _Search) -> tuple[int, bool]:
        """How many there are up to the limit, and whether all were looked at."""
        connection = self._connection
        if search.streams and not search.conditions:
            return run_streams.counts(connection, {"": search.streams}, search.span, most=COUNTED)[""], True
        if search.streams:
            reach = run_streams.read(connection, search.streams, search.span, most=_COUNTED_AMONG)
            query, edge = select(runs.c.id).where(self._is_among(reach.keys), *search.conditions), reach.edge
        else:
            query, edge = self._newest(search, look=_COUNTED_AMONG)
        counted = query.order_by(None).limit(COUNTED).subquery()
        number: int = connection.scalar(select(func.count()).select_from(counted)) or 0
        return number, edge is None

    def _search(
        self,
        query: RunQuery,
        flows: Collection[FlowKey] | None,
        span: Span,
        kinds: Kinds | None,
        *,
        now: datetime,
    ) -> _Search | None:
        """How to find them; None where there can be none."""
        if span.low >= span.high or (flows is not None and not flows):
            return None
        if kinds is None:
            streams = _streams(query, flows)
        elif not kinds.keys:
            return None
        else:
            keys = tuple((key,) for key in sorted(kinds.keys))
            streams = (Streams(kind=run_streams.OF_ERROR, keys=keys),)
            query = replace(query, errors=kinds.loose)
        among = conditions(self._connection, query, flows, now=now, given=_given(streams, query.states))
        return _Search(span=span, streams=streams, conditions=among)

    def _kinds(self, query: RunQuery) -> Kinds | None:
        """The kinds of errors that are looked for; None where it may be any, or none is."""
        return find_kinds(self._connection, query.errors) if query.errors else None

    def _span(self, query: RunQuery, after: RunKey | None, before: RunKey | None) -> Span:
        low, high = 0, _BEYOND_ALL
        if query.since is not None:
            low = max(low, self._first_from(query.since, otherwise=high))
        if query.until is not None:
            high = min(high, self._first_from(query.until, otherwise=high))
        if after is not None:
            high = min(high, after)
        if before is not None:
            low = max(low, before + 1)
        return Span(low=low, high=high, upward=before is not None)

    def _first_from(self, moment: datetime, *, otherwise: int) -> int:
        """The key of the first run whose id is of this moment or later. Ids begin with when a run was recorded; where the
        clock was put back since, some that were recorded around then are on the wrong side."""
        try:
            first = uuid7(moment, entropy=0)
        except ValueError:
            return 0 if moment.year < 2_000 else otherwise
        return self._connection.scalar(_FROM, {"first": first}) or otherwise

    def _matching(self, search: _Search, *, count: int, look: int) -> Reach:
        """The first `count` keys, or those among the first `look` that were looked at."""
        if not search.streams:
            return self._among_all(search, count=count, look=look)
        if not search.conditions:
            reach = run_streams.first(self._connection, search.streams, search.span, count=count)
            return reach if reach.edge is None or len(reach.keys) < count else replace(reach, edge=None)
        most = 4 * count  # usually a few will do
        while True:
            reach = run_streams.read(self._connection, search.streams, search.span, most=min(most, look))
            sifted = self._sifted(reach, search, count=count)
            if len(sifted.keys) == count or sifted.edge is None or most >= look:
                return sifted
            most *= _GROWTH

    def _sifted(self, reach: Reach, search: _Search, *, count: int) -> Reach:
        """Those of the keys of whose runs the conditions are true."""
        found: list[int] = []
        for start in range(0, len(reach.keys), _CHUNK):
            chunk = reach.keys[start : start + _CHUNK]
            query = select(runs.c.id).where(self._is_among(chunk), *search.conditions)
            good = set(self._gathered(query))
            found += [key for key in chunk if key in good]
            if len(found) >= count:
                return Reach(keys=found[:count], edge=None)
        return Reach(keys=found, edge=reach.edge)

    def _is_among(self, keys: Sequence[int]) -> ColumnElement[bool]:
        """Is the run one of these? As one parameter: thousands would cost more than the look."""
        if self._connection.dialect.name == "sqlite":
            listed = func.json_each(json.dumps(keys)).table_valued("value")
            return runs.c.id.in_(select(listed.c.value))
        return runs.c.id == any_(literal(keys, ARRAY(BigInteger)))

    def _among_all(self, search: _Search, *, count: int, look: int) -> Reach:
        query, edge = self._newest(search, look=look)
        keys = self._gathered(query.limit(count))
        return Reach(keys=keys, edge=None if len(keys) == count else edge)

    def _newest(self, search: _Search, *, look: int) -> tuple[AnySelect, int | None]:
        """The keys of those among the first runs of the span, and the last one of these; None where these are all."""
        ends = self._connection.execute(_ENDS).one()
        low = max(search.span.low, ends.first or 0)
        high = min(search.span.high, 0 if ends.last is None else ends.last + 1)
        return _newest(replace(search, span=replace(search.span, low=low, high=high)), look=look)

    def _gathered(self, query: Any) -> list[int]:
        return list(self._connection.scalars(query))

    def _runs(self, keys: Collection[int]) -> list[Run]:
        rows = self._connection.execute(_BY_KEYS, {"keys": list(keys)}) if keys else ()
        return sorted((run_of(row) for row in rows), key=lambda run: run.key, reverse=True)

    def _place(self, key: int) -> tuple[RunKey, datetime]:
        """A run, and when it, or where it is gone the next older one, was recorded."""
        return RunKey(key), self._connection.execute(_RECORDED, {"key": key}).scalar_one()


def _newest(search: _Search, *, look: int) -> tuple[AnySelect, int | None]:
    span = search.span
    if span.low >= span.high:
        return select(runs.c.id).where(false()), None
    if span.upward:
        edge = min(span.high, span.low + look)
        query = select(runs.c.id).where(runs.c.id >= span.low, runs.c.id < edge, *search.conditions)
        return query.order_by(runs.c.id.asc()), None if edge == span.high else edge - 1
    edge = max(span.low, span.high - look)
    query = select(runs.c.id).where(runs.c.id >= edge, runs.c.id < span.high, *search.conditions)
    return query.order_by(runs.c.id.desc()), None if edge == span.low else edge


def _streams(query: RunQuery, flows: Collection[FlowKey] | None) -> tuple[Streams, ...]:
    """The streams that hold all that is wanted; none where most of the history would be in them."""
    states = query.states or (_WITH_ERROR if query.errors else frozenset(RunState))
    open_ones = states & (ACTIVE | {RunState.SCHEDULED})
    if RunState.COMPLETED not in states:
        return (*_open_streams(open_ones), *_ended_streams(states & NOT_COMPLETED, flows))
    if flows is not None and len(flows) <= _MOST_STREAMS:
        return (Streams(kind=run_streams.OF_FLOW, keys=tuple((key,) for key in sorted(flows))),)
    if query.triggers and query.triggers <= SELDOM:
        keys = tuple((trigger.value,) for trigger in sorted(query.triggers))
        return (Streams(kind=run_streams.OF_TRIGGER, keys=keys),)
    return ()


def _open_streams(states: Collection[RunState]) -> list[Streams]:
    found = []
    if ACTIVE.intersection(states):
        found.append(Streams(kind=run_streams.ACTIVE_ONES))
    if RunState.SCHEDULED in states:
        found += [Streams(kind=run_streams.UNDECIDED_ONES), Streams(kind=run_streams.QUEUED_ONES)]
    return found


def _ended_streams(states: Collection[RunState], flows: Collection[FlowKey] | None) -> list[Streams]:
    if not states:
        return []
    words = [state.value for state in sorted(states)]
    if flows is None or len(flows) * len(words) > _MOST_STREAMS:
        return [Streams(kind=run_streams.OF_STATE, keys=tuple((word,) for word in words))]
    keys = tuple((flow, word) for flow in sorted(flows) for word in words)
    return [Streams(kind=run_streams.OF_FLOW_IN_STATE, keys=keys)]


def _given(streams: Sequence[Streams], states: Collection[RunState]) -> frozenset[str]:
    """The columns of which the streams already have the wanted values."""
    kinds = [frozenset(one.kind.columns) | _state_of(one.kind, states) for one in streams]
    return frozenset.intersection(*kinds) if kinds else frozenset()


def _state_of(kind: Kind, states: Collection[RunState]) -> frozenset[str]:
    return frozenset({"state"} if kind.states and kind.states.issubset(states) else ())


def _capped(number: int) -> Count:
    return Count(number=number, at_least=number == COUNTED)
