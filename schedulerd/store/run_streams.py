"""Streams of keys of runs out of an index, each in the order of the history, joined as far as all of them reach.

Written as text: the two databases say differently that a list is made for each of several keys, and SQLite is told the
index. It has no statistics that it could choose by, and a wrong choice reads the whole history; a test looks at the plans.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, TextClause, text

from schedulerd.domain.states import ACTIVE, NOT_COMPLETED, RunState
from schedulerd.store.tables import SELDOM


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """An index of runs: the columns that a stream gives a value for, and its condition. `states` are all those of the runs
    in it, where that is known without a value."""

    index: str
    columns: tuple[str, ...] = ()
    where: str = "1 = 1"
    states: frozenset[RunState] = frozenset()


_NOT_COMPLETED: Final = f"state IN ({_words(NOT_COMPLETED)})"
OF_FLOW: Final = Kind(index="ix_runs_flow", columns=("flow_id",))
OF_STATE: Final = Kind(index="ix_runs_not_completed", columns=("state",), where=_NOT_COMPLETED)
OF_FLOW_IN_STATE: Final = Kind(
    index="ix_runs_flow_not_completed", columns=("flow_id", "state"), where=_NOT_COMPLETED
)
OF_TRIGGER: Final = Kind(
    index="ix_runs_trigger", columns=("trigger",), where=f'"trigger" IN ({_words(SELDOM)})'
)
OF_ERROR: Final = Kind(index="ix_runs_error", columns=("error_id",), where="error_id IS NOT NULL")
# These three hold few runs, and no key: each is read whole, and sorted.
_SCHEDULED: Final = frozenset({RunState.SCHEDULED})
ACTIVE_ONES: Final = Kind(index="ix_runs_active", where=f"state IN ({_words(ACTIVE)})", states=ACTIVE)
UNDECIDED_ONES: Final = Kind(
    index="ix_runs_strand", where="state IN ('scheduled') AND queued = 0", states=_SCHEDULED
)
QUEUED_ONES: Final = Kind(
    index="ix_runs_queued", where="state IN ('scheduled') AND queued != 0", states=_SCHEDULED
)
KINDS: Final = (
    *(OF_FLOW, OF_STATE, OF_FLOW_IN_STATE, OF_TRIGGER, OF_ERROR),
    *(ACTIVE_ONES, UNDECIDED_ONES, QUEUED_ONES),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Streams:
    """Streams out of one index: one for each of the keys, or the only one that there is."""

    kind: Kind
    keys: tuple[tuple[Any, ...], ...] = ((),)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Keys of runs from `low` up to, and without, `high`; to be read from `high` down, or with `upward` from `low` up."""

    low: int
    high: int
    upward: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """Keys in the order of the span, and the last one that was looked at; None when the span was looked at to its end."""

    keys: list[int]
    edge: int | None


def read(connection: Connection, streams: Sequence[Streams], span: Span, *, most: int) -> Reach:
    """The keys of the streams together, at most about `most` of them, as far as every stream was read."""
    each = max(1, most // max(1, sum(len(one.keys) for one in streams)))
    return _read(connection, streams, span, each=each)


def first(connection: Connection, streams: Sequence[Streams], span: Span, *, count: int) -> Reach:
    """At least the first `count` keys of the streams together, if there are so many."""
    return _read(connection, streams, span, each=count)


def counts(
    connection: Connection, wanted: Mapping[str, Sequence[Streams]], span: Span, *, most: int
) -> dict[str, int]:
    """How many keys the streams of each name have in the span, up to `most`: in one query."""
    found = dict.fromkeys(wanted, 0)
    each = [(name, one) for name, streams in wanted.items() for one in streams]
    if not each:
        return found
    statement = counting_for(tuple(one.kind for _, one in each), connection.dialect.name)
    values = {f"keys_{place}": json.dumps(one.keys) for place, (_, one) in enumerate(each)}
    numbers = {"low": span.low, "high": span.high, "most": most}
    for row in connection.execute(statement, values | numbers):
        found[each[row.place][0]] += row.number
    return {name: min(number, most) for name, number in found.items()}


def _read(connection: Connection, streams: Sequence[Streams], span: Span, *, each: int) -> Reach:
    lists = [keys for one in streams for keys in _lists(connection, one, span, each)]
    edges = [keys[-1] for keys in lists if len(keys) == each]
    edge = None if not edges else min(edges) if span.upward else max(edges)
    # A run may be in two of them only when it changes between two statements; a transaction sees no change.
    keys = sorted((key for keys in lists for key in keys), reverse=not span.upward)
    if edge is not None:
        keys = [key for key in keys if (key <= edge if span.upward else key >= edge)]
    return Reach(keys=keys, edge=edge)


def _lists(connection: Connection, streams: Streams, span: Span, each: int) -> list[list[int]]:
    statement = statement_for(streams.kind, connection.dialect.name, upward=span.upward)
    values = {"keys": json.dumps(streams.keys), "low": span.low, "high": span.high, "most": each}
    rows = connection.execute(statement, values)
    return [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in rows]


@cache
def statement_for(kind: Kind, dialect: str, *, upward: bool) -> TextClause:
    """The query that gives a list for each of its `keys`."""
    order = "ASC" if upward else "DESC"
    source = _source(kind, dialect)
    inner = f"SELECT id FROM {source} WHERE {_condition(kind, dialect)} ORDER BY id {order} LIMIT :most"
    if dialect == "sqlite":
        inner = f"SELECT json_group_array(id) FROM ({inner})"
        return text(f"SELECT ({inner}) FROM {_KEYS[dialect]}")
    return text(f"SELECT ARRAY({inner}) FROM {_KEYS[dialect]}")


@cache
def counting_for(kinds: Sequence[Kind], dialect: str) -> TextClause:
    """The query that counts, for each of these by its place, what there is for all of its `keys`, up to `most`."""
    return text(" UNION ALL ".join(_counting(place, kind, dialect) for place, kind in enumerate(kinds)))


def _counting(place: int, kind: Kind, dialect: str) -> str:
    keys = _KEYS[dialect].replace(":keys", f":keys_{place}")
    source, condition = _source(kind, dialect), _condition(kind, dialect)
    inner = f"SELECT 1 FROM {keys} CROSS JOIN {source} WHERE {condition} LIMIT :most"
    return f"SELECT {place} AS place, count(*) AS number FROM ({inner}) AS counted"


_KEYS: Final = {
    "sqlite": "json_each(:keys) AS k",
    "postgresql": "json_array_elements(CAST(:keys AS JSON)) AS k(value)",
}


def _source(kind: Kind, dialect: str) -> str:
    return f"runs INDEXED BY {kind.index}" if dialect == "sqlite" else "runs"


def _condition(kind: Kind, dialect: str) -> str:
    if dialect == "sqlite":
        values = [f"json_extract(k.value, '$[{number}]')" for number in range(len(kind.columns))]
    else:
        casts = {"flow_id": "BIGINT", "error_id": "BIGINT"}
        values = [
            f"CAST(k.value ->> {number} AS {casts.get(column, 'TEXT')})"
            for number, column in enumerate(kind.columns)
        ]
    equal = [f'runs."{column}" = {value}' for column, value in zip(kind.columns, values, strict=True)]
    return " AND ".join([*equal, kind.where, "runs.id >= :low", "runs.id < :high"])
