"""Recording new runs: each due time of a schedule, and each idempotency key, at most once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select, tuple_, update

from schedulerd.domain.ids import FlowKey, RunKey
from schedulerd.domain.runs import NewRun
from schedulerd.domain.states import FINAL
from schedulerd.store.prepared import Prepared
from schedulerd.store.tables import AnyRow, flows, runs
from schedulerd.store.tallies import Ended, tally

# SQLite takes 32,766 parameters in a statement; more rows than this are written in several.
PAGE: Final = 1_000

_ADD: Final = Prepared(insert(runs))
_NUMBER: Final = Prepared(
    update(flows).where(flows.c.id == bindparam("key")).values(last_number=bindparam("number"))
)
_FLOWS: Final = select(flows.c.id, flows.c.last_number, flows.c.pool, flows.c.priority).where(
    flows.c.id.in_(bindparam("flows", expanding=True))
)
_KEYS: Final = select(runs.c.uuid, runs.c.id).where(runs.c.uuid.in_(bindparam("ids", expanding=True)))
_TAKEN_SLOTS: Final = select(runs.c.schedule_id, runs.c.slot).where(
    tuple_(runs.c.schedule_id, runs.c.slot).in_(bindparam("slots", expanding=True)),
    runs.c.slot.is_not(None),  # so that the partial index is used
)
_TAKEN_KEYS: Final = select(runs.c.idempotency_key).where(
    runs.c.idempotency_key.in_(bindparam("keys", expanding=True)), runs.c.idempotency_key.is_not(None)
)


def add_runs(connection: Connection, wanted: Sequence[NewRun]) -> list[RunKey | None]:
    """The key of each run, or None for one whose slot or idempotency key is taken: it leaves no trace.

    The look and the writes are one step, because a writing transaction is the only one; the unique indexes
    would refuse a second run all the same.
    """
    keys: list[RunKey | None] = []
    for start in range(0, len(wanted), PAGE):
        keys += _add_page(connection, wanted[start : start + PAGE])
    return keys


def _add_page(connection: Connection, wanted: Sequence[NewRun]) -> list[RunKey | None]:
    fresh = _fresh(wanted, taken=_taken(connection, wanted))
    if not fresh:
        return [None] * len(wanted)
    rows = connection.execute(_FLOWS, {"flows": sorted({run.flow for run in fresh})})
    of = {FlowKey(row.id): row for row in rows}
    numbers = _take_numbers(connection, [run.flow for run in fresh], of)
    _ADD(connection, [_row(run, number, of[run.flow]) for run, number in zip(fresh, numbers, strict=True)])
    keys: dict[UUID, RunKey] = dict(connection.execute(_KEYS, {"ids": [run.id for run in fresh]}).all())
    tally(connection, [_ended(run) for run in fresh if run.state in FINAL])
    fresh_ids = {id(run) for run in fresh}
    return [keys[run.id] if id(run) in fresh_ids else None for run in wanted]


def _taken(connection: Connection, wanted: Sequence[NewRun]) -> set[object]:
    """The slots and idempotency keys of these runs that other runs have."""
    slots = [(run.schedule, run.slot) for run in wanted if run.slot is not None]
    keys = [run.idempotency_key for run in wanted if run.idempotency_key is not None]
    taken: set[object] = set()
    if slots:
        taken |= {tuple(row) for row in connection.execute(_TAKEN_SLOTS, {"slots": slots})}
    if keys:
        taken |= set(connection.scalars(_TAKEN_KEYS, {"keys": keys}))
    return taken


def _fresh(wanted: Iterable[NewRun], *, taken: set[object]) -> list[NewRun]:
    """Those runs that repeat neither one that is there nor one before them."""
    seen = set(taken)
    fresh = []
    for run in wanted:
        marks: set[object] = set()
        if run.slot is not None:
            marks.add((run.schedule, run.slot))
        if run.idempotency_key is not None:
            marks.add(run.idempotency_key)
        if seen.isdisjoint(marks):
            seen |= marks
            fresh.append(run)
    return fresh


def _take_numbers(
    connection: Connection, wanted: Sequence[FlowKey], of: Mapping[FlowKey, AnyRow]
) -> list[int]:
    """The next number of its flow for each; numbers of a flow rise without a gap."""
    last = {flow: row.last_number for flow, row in of.items()}
    numbers = []
    for flow in wanted:
        last[flow] += 1
        numbers.append(last[flow])
    _NUMBER(connection, [{"key": key, "number": number} for key, number in last.items()])
    return numbers


def _ended(run: NewRun) -> Ended:
    return Ended(flow=run.flow, state=run.state, started_at=None, ended_at=run.created_at)


def _row(run: NewRun, number: int, flow: AnyRow) -> dict[str, Any]:
    return {
        "uuid": run.id,
        "flow_id": run.flow,
        "number": number,
        "state": run.state.value,
        "reason": run.reason,
        "trigger": run.trigger.value,
        "schedule_id": run.schedule,
        "slot": run.slot,
        "due_at": run.due_at,
        "created_at": run.created_at,
        "ended_at": run.created_at if run.state in FINAL else None,
        "attempt": 0,
        "parameters": dict(run.parameters),
        "idempotency_key": run.idempotency_key,
        "to_follow": 1,
        "caught_up": int(run.caught_up),
        "pool": run.pool or flow.pool or "",
        "parent_id": run.parent,
        "priority": flow.priority if run.priority is None else run.priority,
    }
