"""The runs: recorded, claimed, moved and found again."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import CompoundSelect, Connection, bindparam, cast, exists, func, or_, select, union_all
from sqlalchemy import Text as SqlText

from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import FlowKey, RunId, RunKey, ScheduleKey, ids_with
from schedulerd.domain.limits import Limits
from schedulerd.domain.runs import Move, NewRun, Run, RunFilter
from schedulerd.domain.states import RunState
from schedulerd.domain.wishes import Wish, WishKey
from schedulerd.errors import NotFound
from schedulerd.store.adding import add_runs
from schedulerd.store.claiming import Claim
from schedulerd.store.containing import contains
from schedulerd.store.hearing import Hearing
from schedulerd.store.moving import Step, move_run, moves_of
from schedulerd.store.retrying import Retries, try_again
from schedulerd.store.roots import rooted
from schedulerd.store.run_rows import RUNS, run_of
from schedulerd.store.tables import (
    IS_LIVE,
    IS_QUEUED,
    IS_RETRYING,
    IS_SCHEDULED,
    IS_UNDECIDED,
    AnySelect,
    flows,
    runs,
    schedules,
)
from schedulerd.store.wishes import Wishes

_MOST_FOUND: Final = 10

_BY_ID: Final = RUNS.where(runs.c.uuid == bindparam("id", type_=runs.c.uuid.type))
_WAITS: Final = select(runs.c.id).where(IS_UNDECIDED).limit(1)
_END_MATTERS: Final = select(
    or_(
        exists().where(IS_UNDECIDED),
        exists().where(IS_QUEUED),
        exists().where(IS_RETRYING),
        exists().where(schedules.c.cause == "after"),
    )
)
_PRESENT: Final = select(runs.c.uuid).where(runs.c.uuid.in_(bindparam("ids", expanding=True)))
_OF_IDS: Final = RUNS.where(runs.c.uuid.in_(bindparam("ids", expanding=True))).order_by(runs.c.id.desc())
_BY_KEY: Final = RUNS.where(runs.c.id == bindparam("key"))
_BY_NUMBER: Final = RUNS.where(flows.c.name == bindparam("flow"), runs.c.number == bindparam("number"))
# By a sum, so that no database thinks of walking through the whole history in the order of its keys.
_NUMBERED: Final = (
    RUNS.where(
        runs.c.flow_id.in_(select(flows.c.id).where(flows.c.removed_at.is_(None))),
        runs.c.number == bindparam("number"),
    )
    .order_by((runs.c.id + 0).desc())
    .limit(bindparam("limit"))
)
_OTHER: Final = runs.alias("other")
_OF_SAME_FLOW: Final = _OTHER.c.flow_id == bindparam("flow")
_BESIDE: Final = RUNS.where(
    runs.c.flow_id == bindparam("flow"),
    runs.c.number.in_(
        [
            select(func.min(_OTHER.c.number))
            .where(_OF_SAME_FLOW, _OTHER.c.number > bindparam("number"))
            .scalar_subquery(),
            select(func.max(_OTHER.c.number))
            .where(_OF_SAME_FLOW, _OTHER.c.number < bindparam("number"))
            .scalar_subquery(),
        ]
    ),
)
_BY_SLOT: Final = RUNS.where(
    runs.c.schedule_id == bindparam("schedule"), runs.c.slot == bindparam("slot"), runs.c.slot.is_not(None)
)
_BY_PREFIX: Final = (
    RUNS.where(
        runs.c.uuid >= bindparam("first", type_=runs.c.uuid.type),
        runs.c.uuid <= bindparam("last", type_=runs.c.uuid.type),
    )
    .order_by(runs.c.uuid)
    .limit(_MOST_FOUND)
)
# Not ordered: SQLite would read all runs by their key rather than sort the few that are live.
_LIVE: Final = RUNS.where(IS_LIVE)
_LIVE_OF: Final = _LIVE.where(runs.c.agent == bindparam("agent"))
_MOST_LATE: Final = 1_000
_LATE: Final = (
    RUNS.where(IS_SCHEDULED, runs.c.due_at <= bindparam("before")).order_by(runs.c.due_at).limit(_MOST_LATE)
)
_ASKED_FOR: Final = RUNS.where(runs.c.parent_id == bindparam("parent")).order_by(runs.c.id)
_LOOKED_BACK: Final = 500
_MOST_MEASURED: Final = 50


def _took_of(flow: str) -> AnySelect:
    """How long the last runs took of the flow that is given by this name."""
    last = (
        select(runs.c.id, runs.c.flow_id, runs.c.state, runs.c.attempt, runs.c.started_at, runs.c.ended_at)
        .where(runs.c.flow_id == bindparam(flow))
        .order_by(runs.c.id.desc())
        .limit(_LOOKED_BACK)
        .subquery()
    )
    # Without those that were tried again: between their attempts they did nothing, perhaps for days.
    return (
        select(last.c.flow_id, last.c.started_at, last.c.ended_at)
        .where(
            last.c.state == RunState.COMPLETED.value,
            last.c.attempt == 1,
            last.c.started_at.is_not(None),
            last.c.ended_at.is_not(None),
        )
        .order_by(last.c.id.desc())
        .limit(_MOST_MEASURED)
    )


@cache
def _took_each(count: int) -> CompoundSelect[*tuple[Any, ...]]:
    """The same of so many flows, in one query: `flow0`, `flow1`."""
    return union_all(*(select(_took_of(f"flow{number}").subquery()) for number in range(count)))


_TOOK: Final = _took_of("flow")
_BY_IDEMPOTENCY_KEY: Final = RUNS.where(
    runs.c.idempotency_key == bindparam("idempotency_key"), runs.c.idempotency_key.is_not(None)
)


class Runs:
    """Every run there is. States change by `claim`, `move` and the intake only, along the one table of moves."""

    def __init__(self, connection: Connection, hearing: Hearing) -> None:
        self._connection: Final = connection
        self._hearing: Final = hearing
        self._wishes: Final = Wishes(connection)

    def add(self, runs: Sequence[NewRun]) -> list[RunKey | None]:
        """Record the runs: the key of each, or None where its slot or idempotency key has a run already."""
        keys = add_runs(self._connection, runs)
        skipped = [
            (run, key)
            for run, key in zip(runs, keys, strict=True)
            if key is not None and run.state is RunState.SKIPPED
        ]
        if skipped:
            self._hearing.skipped([key for _, key in skipped], at=skipped[0][0].created_at)
        return keys

    def claim(self, limit: int, *, now: datetime, agent: str, boot_id: str, limits: Limits) -> list[Run]:
        """Take at most `limit` due runs for this agent, by priority, then oldest due first: each run goes to one caller,
        once.

        No more runs are live than `limits` and the limits of flows allow. A run of a schedule of which one still goes on is skipped,
        waits, starts, or has the other told to end, as the schedule's `overlap` says.
        """
        claim = Claim(self._connection, now=now, agent=agent, boot_id=boot_id)
        claimed = claim.take(limit, limits=limits)
        self._hearing.skipped(claim.skipped, at=now)
        self._hearing.claimed(claimed, now=now)
        return claimed

    def move(
        self,
        key: RunKey,
        to: RunState,
        *,
        at: datetime,
        actor: str,
        message: str = "",
        reason: str = "",
        failure: Failure | None = None,
        expect: frozenset[RunState] | None = None,
    ) -> bool:
        """Move the run; True for exactly one caller, False where the table of moves (or `expect`) does not allow it."""
        step = Step(to=to, at=at, actor=actor, message=message, reason=reason, failure=failure)
        moved = move_run(self._connection, key, step, expect=expect)
        if moved:
            self._hearing.came([(key, to, at)])
        return moved

    def try_again(self, key: RunKey, *, at: datetime, actor: str, message: str) -> None:
        """Have a run that has ended badly tried again as soon as there is a place. Raises `Conflict` for any other."""
        step = Step(to=RunState.RETRYING, at=at, actor=actor, message=message, reason=message)
        try_again(self._connection, key, step)

    def next_retry(self, now: datetime) -> datetime | None:
        """When the next run is tried again whose time has not come; one whose time has waits for a place."""
        return Retries(self._connection, now=now).next()

    def some_wait(self) -> bool:
        """Is there a run that is due or to be, and has not been started? One in line behind another waits for that one."""
        return self._connection.scalar(_WAITS) is not None

    def end_matters(self) -> bool:
        """When a run has ended, is there anything for a tick to do: does a run wait, or a schedule come after others?"""
        return bool(self._connection.scalar(_END_MATTERS))

    def moves(self, key: RunKey) -> list[Move]:
        """What the run has gone through, in order; its recording is no move."""
        return moves_of(self._connection, key)

    def get(self, run_id: RunId) -> Run:
        """The run with this id. Raises `NotFound`."""
        return self._one(_BY_ID, {"id": run_id}, str(run_id))

    def present(self, ids: Collection[RunId]) -> set[RunId]:
        """Those of these runs that are there."""
        return set(self._connection.scalars(_PRESENT, {"ids": list(ids)}))

    def of_ids(self, ids: Collection[RunId]) -> list[Run]:
        """Those of these runs that are there, the newest first."""
        return self._all(_OF_IDS, {"ids": list(ids)})

    def by_key(self, key: RunKey) -> Run:
        """The run with this key. Raises `NotFound`."""
        return self._one(_BY_KEY, {"key": key}, str(key))

    def by_idempotency_key(self, key: str) -> Run:
        """The run that was recorded with this key. Raises `NotFound`."""
        return self._one(_BY_IDEMPOTENCY_KEY, {"idempotency_key": key}, key)

    def by_number(self, flow: str, number: int) -> Run:
        """The run with this number of a flow. Raises `NotFound`."""
        return self._one(_BY_NUMBER, {"flow": flow, "number": number}, f"{flow}#{number}")

    def numbered(self, number: int, *, limit: int) -> list[Run]:
        """The runs with this number of flows in force, the newest first."""
        return self._all(_NUMBERED, {"number": number, "limit": limit})

    def by_slot(self, schedule: ScheduleKey, slot: str) -> Run:
        """The run of a schedule that has this slot. Raises `NotFound`."""
        return self._one(_BY_SLOT, {"schedule": schedule, "slot": slot}, slot)

    def find(self, prefix: str) -> list[Run]:
        """At most 10 runs whose id begins so, hyphens or not, the oldest first; none for what begins no id."""
        found = ids_with(prefix)
        return [] if found is None else self._all(_BY_PREFIX, {"first": found[0], "last": found[1]})

    def last(self, flow: str | None = None, states: Collection[RunState] | None = None) -> Run | None:
        """The newest run, of this flow and in one of these states where they are given."""
        wanted = RunFilter(flows=() if flow is None else (flow,), states=frozenset(states or ()), limit=1)
        return next(iter(self.list(wanted)), None)

    def live(self, agent: str | None = None) -> list[Run]:
        """The runs that hold a place and may have a process, of this agent where it is given, the oldest first."""
        found = self._all(_LIVE, {}) if agent is None else self._all(_LIVE_OF, {"agent": agent})
        return sorted(found, key=lambda run: run.key)

    def late(self, before: datetime) -> list[Run]:
        """The runs that were due at this moment or before, and have not started; the longest due first."""
        return self._all(_LATE, {"before": before})

    def to_prepare(self, key: RunKey) -> Run:
        """The run with this key and its root, as a claim gives it. Raises `NotFound`."""
        (run,) = rooted(self._connection, [self.by_key(key)])
        return run

    def asked_for_by(self, key: RunKey) -> list[Run]:
        """The runs that the code of this one asked for, each in a process of its own, the first first."""
        return self._all(_ASKED_FOR, {"parent": key})

    def beside(self, run: Run) -> tuple[Run | None, Run | None]:
        """The next and the previous run of the same flow."""
        found = self._all(_BESIDE, {"flow": run.flow_key, "number": run.number})
        newer, older = ([one for one in found if (one.number > run.number) is way] for way in (True, False))
        return next(iter(newer), None), next(iter(older), None)

    def took(self, flow: FlowKey) -> list[float]:
        """How many seconds the last runs of a flow took that completed at their first attempt."""
        rows = self._connection.execute(_TOOK, {"flow": flow})
        return [(row.ended_at - row.started_at).total_seconds() for row in rows]

    def took_each(self, flows: Sequence[FlowKey]) -> dict[FlowKey, list[float]]:
        """The same of each of these flows."""
        found: dict[FlowKey, list[float]] = {flow: [] for flow in flows}
        if flows:
            keys = {f"flow{number}": flow for number, flow in enumerate(flows)}
            for row in self._connection.execute(_took_each(len(flows)), keys):
                found[FlowKey(row.flow_id)].append((row.ended_at - row.started_at).total_seconds())
        return found

    def ask_cancel(self, key: RunKey, *, at: datetime, actor: str, reason: str) -> None:
        """Leave the wish that the run be cancelled. Raises `Conflict` when it has ended, `NotFound` without a run."""
        self._wishes.ask_cancel(key, at=at, actor=actor, reason=reason)

    def ask_kill(self, key: RunKey, *, at: datetime, actor: str, reason: str) -> None:
        """Leave the wish that the run be cancelled without any grace. Raises as `ask_cancel` does."""
        self._wishes.ask_kill(key, at=at, actor=actor, reason=reason)

    def cancel_wishes(self) -> list[Wish]:
        """The wishes not yet forgotten, the oldest first."""
        return self._wishes.all()

    def forget_wish(self, key: WishKey) -> None:
        """The wish is done, or cannot be."""
        self._wishes.forget(key)

    def _one(self, query: AnySelect, values: dict[str, Any], name: str) -> Run:
        row = self._connection.execute(query, values).one_or_none()
        if row is None:
            raise NotFound("run", name)
        return run_of(row)

    def _all(self, query: AnySelect, values: dict[str, Any]) -> list[Run]:
        return [run_of(row) for row in self._connection.execute(query, values)]

    # The last one, because from here on `list` is no type in this class.
    def list(self, wanted: RunFilter) -> list[Run]:
        """A page of runs, newest first."""
        return self._all(_filtered(wanted).order_by(runs.c.id.desc()).limit(wanted.limit), {})


def _filtered(wanted: RunFilter) -> AnySelect:
    query = RUNS
    if wanted.flows:
        keys = select(flows.c.id).where(flows.c.name.in_(wanted.flows))
        query = query.where(runs.c.flow_id.in_(keys))
    if wanted.states:
        query = query.where(runs.c.state.in_(sorted(wanted.states)))
    if wanted.schedule is not None:
        query = query.where(schedules.c.name == wanted.schedule)
    if wanted.since is not None:
        query = query.where(runs.c.created_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(runs.c.created_at < wanted.until)
    if wanted.before is not None:
        query = query.where(runs.c.id < wanted.before)
    if wanted.text:
        query = query.where(_says(wanted.text))
    return query


def _says(text: str) -> Any:
    places = (flows.c.name, cast(runs.c.parameters, SqlText), runs.c.reason, cast(runs.c.failure, SqlText))
    return or_(*(contains(place, text) for place in places))
