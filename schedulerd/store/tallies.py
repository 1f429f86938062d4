"""The tallies: how many runs ended in each hour, and how long they took. Kept longer than the runs, and written with their ends."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Integer, Label, bindparam, delete, func, select
from sqlalchemy.sql.dml import Insert

from schedulerd.domain.ids import FlowKey
from schedulerd.domain.states import RunState
from schedulerd.domain.tallies import Tally, length_class, milliseconds
from schedulerd.store.prepared import Prepared
from schedulerd.store.spelling import Inserting, Spelled
from schedulerd.store.tables import AnySelect, runs
from schedulerd.store.tally_table import tallies

ALL_FLOWS: Final = FlowKey(0)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_PAGE: Final = 10_000
_COLUMNS: Final = ("flow_id", "hour", "state", "length")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A run that has ended, as far as it is counted."""

    flow: int
    state: RunState
    started_at: datetime | None
    ended_at: datetime

    @property
    def length(self) -> timedelta | None:
        """How long it ran; None when it never did."""
        return None if self.started_at is None else self.ended_at - self.started_at


def ended_of(
    flow: int, state: RunState, started_at: datetime | None, ended_at: datetime | None
) -> tuple[Ended, ...]:
    """The run where it has ended; else nothing."""
    if ended_at is None:
        return ()
    return (Ended(flow=flow, state=state, started_at=started_at, ended_at=ended_at),)


def hour_of(moment: datetime) -> int:
    """The hour in which the moment is, counted from 1970."""
    return (moment - _EPOCH) // _HOUR


def tally(connection: Connection, came: Iterable[Ended], gone: Iterable[Ended] = ()) -> None:
    """Count runs that have ended; and no more those that had, and have not or otherwise."""
    sums: dict[tuple[Any, ...], list[int]] = {}
    for ends, sign in ((came, 1), (gone, -1)):
        for end in ends:
            for key in _keys(end):
                both = sums.setdefault(key, [0, 0])
                both[0] += sign
                both[1] += sign * milliseconds(end.length)
    rows = [
        {**dict(zip(_COLUMNS, key, strict=True)), "count": count, "total_ms": total}
        for key, (count, total) in sums.items()
        if count or total
    ]
    _ADD(connection, rows)
    if fewer := [row for row in rows if row["count"] < 0]:
        connection.execute(_DROP_EMPTY, [{f"a_{name}": row[name] for name in _COLUMNS} for row in fewer])


def recount(connection: Connection) -> None:
    """Count all runs that have ended, where nothing is counted yet."""
    after = 0
    while page := connection.execute(_ENDED, {"after": after}).all():
        tally(
            connection,
            [
                end
                for row in page
                for end in ended_of(row.flow_id, RunState(row.state), row.started_at, row.ended_at)
            ],
        )
        after = page[-1].id


def _keys(end: Ended) -> Iterable[tuple[Any, ...]]:
    hour, length = hour_of(end.ended_at), length_class(end.length)
    return ((flow, hour, end.state.value, length) for flow in (end.flow, ALL_FLOWS))


def _adding(insert: Inserting) -> Insert:
    statement = insert(tallies)
    adding: Insert = statement.on_conflict_do_update(
        index_elements=list(tallies.primary_key),
        set_={name: tallies.c[name] + statement.excluded[name] for name in ("count", "total_ms")},
    )
    return adding


_ADD: Final = Prepared(Spelled(_adding))
_DROP_EMPTY: Final = delete(tallies).where(
    *(tallies.c[name] == bindparam(f"a_{name}") for name in _COLUMNS), tallies.c["count"] == 0
)
_ENDED: Final = (
    select(runs.c.id, runs.c.flow_id, runs.c.state, runs.c.started_at, runs.c.ended_at)
    .where(runs.c.id > bindparam("after"))
    .order_by(runs.c.id)
    .limit(_PAGE)
)
_COUNT: Final = func.sum(tallies.c["count"]).label("number")
_TOTAL: Final = func.sum(tallies.c.total_ms).label("total_ms")
_WITHIN: Final = (
    tallies.c.flow_id.in_(bindparam("flows", expanding=True)),
    tallies.c.hour >= bindparam("first"),
    tallies.c.hour < bindparam("end"),
)
_OF_FLOWS: Final[AnySelect] = (
    select(tallies.c.flow_id, tallies.c.state, tallies.c.length, _COUNT, _TOTAL)
    .where(*_WITHIN)
    .group_by(tallies.c.flow_id, tallies.c.state, tallies.c.length)
)
_OF_ALL: Final[AnySelect] = (
    select(tallies.c.state, _COUNT).where(tallies.c.flow_id == ALL_FLOWS).group_by(tallies.c.state)
)
# Summed in the order of the key first, and only these few by stretch: to sort all of them would take twice as long.
_BY_HOUR: Final = (
    select(tallies.c.hour, tallies.c.state, _COUNT)
    .where(*_WITHIN)
    .group_by(tallies.c.hour, tallies.c.state)
    .subquery()
)
_BACK: Final[Label[int]] = (
    (bindparam("end", type_=Integer) - 1 - _BY_HOUR.c.hour) // bindparam("step", type_=Integer)
).label("back")
_OF_HOURS: Final[AnySelect] = (
    select(_BACK, _BY_HOUR.c.state, func.sum(_BY_HOUR.c.number).label("number"))
    .group_by(_BACK, _BY_HOUR.c.state)
    .order_by(_BACK.desc())
)


class Tallies:
    """What was counted."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def of_flows(
        self, keys: Collection[FlowKey], *, since: datetime, until: datetime
    ) -> Mapping[FlowKey, Sequence[Tally]]:
        """What ended of each flow from the hour of `since` up to, and without, that of `until`; `ALL_FLOWS` is one too."""
        found: dict[FlowKey, list[Tally]] = {key: [] for key in keys}
        for row in self._rows(_OF_FLOWS, keys, since, until):
            one = Tally(
                state=RunState(row.state),
                length=row.length,
                count=int(row.number),
                total_ms=int(row.total_ms),
            )
            found[FlowKey(row.flow_id)].append(one)
        return found

    def of_hours(
        self, key: FlowKey, *, since: datetime, until: datetime, step: int = 1
    ) -> Mapping[datetime, Mapping[RunState, int]]:
        """How many runs ended in each state in each `step` hours in which some did, by the end of these, the first ones first.

        The last ones end with the hour before `until`; the first ones may be fewer than `step`.
        """
        found: dict[datetime, dict[RunState, int]] = {}
        end = _EPOCH + hour_of(until) * _HOUR
        for row in self._rows(_OF_HOURS, [key], since, until, step=step):
            found.setdefault(end - row.back * step * _HOUR, {})[RunState(row.state)] = int(row.number)
        return found

    def ended(self) -> Mapping[RunState, int]:
        """How many runs ended in each state, as far back as is counted."""
        return {RunState(row.state): int(row.number) for row in self._connection.execute(_OF_ALL)}

    def forget(self, before: datetime) -> None:
        """Forget what ended in the hours before this one."""
        self._connection.execute(delete(tallies).where(tallies.c.hour < hour_of(before)))

    def _rows(
        self, query: AnySelect, keys: Collection[FlowKey], since: datetime, until: datetime, **more: int
    ) -> Any:
        values = {"flows": sorted(keys), "first": hour_of(since), "end": hour_of(until)} | more
        return self._connection.execute(query, values)
