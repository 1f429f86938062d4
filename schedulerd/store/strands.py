"""Runs that are due, by strand: where the first of a strand finds no place, none of it does.

A strand is the runs of one flow that have the same pool and priority and are not in line, or the line of a schedule. The
first of each is found by seeking from strand to strand, so thousands that wait cost a claim no more than one does.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, FromClause, Integer, bindparam, func, or_, select

from schedulerd.store.tables import (
    AnyRow,
    AnySelect,
    flows,
    is_queued,
    is_undecided,
    runs,
    schedules,
)

PAGE: Final = 1_000
"""How many runs are looked at in one statement."""

NOW: Final = bindparam("now", type_=runs.c.due_at.type)
DUE_RUNS: Final[AnySelect] = (
    select(
        runs.c.id,
        runs.c.move_count,
        runs.c.number,
        runs.c.state,
        runs.c.agent,
        runs.c.caught_up,
        runs.c.queued,
        runs.c.due_at,
        runs.c.schedule_id,
        runs.c.flow_id,
        runs.c.pool,
        runs.c.priority,
        schedules.c.overlap,
        schedules.c.queue_limit,
        flows.c.name.label("flow"),
        flows.c.max_running.label("flow_limit"),
    )
    .select_from(
        runs.join(flows, flows.c.id == runs.c.flow_id).outerjoin(
            schedules, schedules.c.id == runs.c.schedule_id
        )
    )
    .order_by(runs.c.due_at, runs.c.id)
)
"""What a claim knows of a run."""

Condition = Callable[[FromClause], ColumnElement[bool]]

_STRAND: Final = ("flow_id", "pool", "priority")
_LINE: Final = ("schedule_id",)


def _firsts(key: Sequence[str], condition: Condition) -> AnySelect:
    """The ids of the first run of each group with the same `key`, by an index that begins with it and goes on by time."""
    one = runs.alias("one")
    names = ("id", *key)
    opening = _first(one, key, condition(one)).scalar_subquery()
    found = select(*(runs.c[name] for name in names)).where(runs.c.id == opening).cte("found", recursive=True)
    # A comparison of rows would do in one step, but SQLite seeks by its first column only and reads on from there.
    steps = [_following(found, key, place, condition) for place in reversed(range(len(key)))]
    following = func.coalesce(*steps, None)
    found = found.union_all(
        select(*(runs.c[name] for name in names)).select_from(found).join(runs, runs.c.id == following)
    )
    return select(found.c.id)


def _following(found: FromClause, key: Sequence[str], place: int, condition: Condition) -> ColumnElement[int]:
    """The first with another value at this place of the key, and the same before it."""
    one = runs.alias(f"one_{place}")
    same = [one.c[name] == found.c[name] for name in key[:place]]
    later = one.c[key[place]] > found.c[key[place]]
    first = _first(one, key[place:], condition(one)).where(*same, later)
    return first.correlate(found).scalar_subquery()


def _first(one: FromClause, key: Sequence[str], where: ColumnElement[bool]) -> AnySelect:
    order = (one.c[name] for name in (*key, "due_at", "id"))
    return select(one.c.id).where(where).order_by(*order).limit(1)


_OTHER: Final = runs.alias("other")
_OF_STRAND: Final = [(_OTHER.c[name], runs.c[name]) for name in _STRAND]
_HAS_MORE: Final = (
    select(_OTHER.c.id)
    .where(
        is_undecided(_OTHER),
        *(other == this for other, this in _OF_STRAND),
        _OTHER.c.due_at >= runs.c.due_at,
        or_(_OTHER.c.due_at > runs.c.due_at, _OTHER.c.id > runs.c.id),
        _OTHER.c.due_at <= NOW,
    )
    # in the order of the index that is to be used: PostgreSQL takes another where it knows nothing of the rows yet
    .order_by(*(other for other, _ in _OF_STRAND), _OTHER.c.due_at, _OTHER.c.id)
    .limit(1)
    .correlate(runs)
    .scalar_subquery()
    .is_not(None)
    .label("has_more")
)
# By sums, so that SQLite is not led to read all runs by their key.
_IN_ORDER: Final = (-runs.c.priority, runs.c.due_at, runs.c.id + 0)
_FIRST_ONES: Final = (
    select(runs.c.id)
    .where(runs.c.id.in_(_firsts(_STRAND, is_undecided)), runs.c.due_at <= NOW)
    .order_by(*_IN_ORDER)
    .limit(bindparam("most", type_=Integer))
    .offset(bindparam("from", type_=Integer))
    .subquery("found_in_order")
)
_FIRST_OF_STRANDS: Final = (
    DUE_RUNS.add_columns(_HAS_MORE)
    .where(runs.c.id.in_(select(_FIRST_ONES.c.id)))
    .order_by(None)
    .order_by(*_IN_ORDER)
)
_FIRST_OF_LINES: Final = DUE_RUNS.where(runs.c.id.in_(_firsts(_LINE, is_queued))).order_by(None)
_AFTER: Final = DUE_RUNS.where(
    is_undecided(runs),
    *(runs.c[name] == bindparam(name) for name in _STRAND),
    runs.c.due_at >= bindparam("due", type_=runs.c.due_at.type),
    or_(runs.c.due_at > bindparam("due", type_=runs.c.due_at.type), runs.c.id > bindparam("last")),
    runs.c.due_at <= NOW,
).limit(bindparam("most"))


class Strands:
    """What is due at one moment, strand by strand."""

    def __init__(self, connection: Connection, *, now: datetime) -> None:
        self._connection: Final = connection
        self._now: Final = now

    def firsts(self, start: int, *, most: int) -> Sequence[AnyRow]:
        """The first run of each strand that has one which is due, in the order in which they start: at most so many, from
        the one of this place on, the first being 0."""
        return self._connection.execute(
            _FIRST_OF_STRANDS, {"now": self._now, "most": most, "from": start}
        ).all()

    def lines(self) -> Sequence[AnyRow]:
        """The first run of the line of each schedule that has one."""
        return self._connection.execute(_FIRST_OF_LINES).all()

    def after(self, row: AnyRow, *, most: int) -> Sequence[AnyRow]:
        """The runs that come next in the strand of a run, at most so many; none in a line, where one starts at a time."""
        if row.queued or not getattr(row, "has_more", True):
            return ()
        strand = {name: getattr(row, name) for name in _STRAND}
        values = strand | {"due": row.due_at, "last": row.id, "now": self._now, "most": most}
        return self._connection.execute(_AFTER, values).all()
