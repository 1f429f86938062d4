"""What can be asked about runs: to start one, to see them, to cancel one."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from schedulerd.clock import Clock
from schedulerd.domain.flows import Flow
from schedulerd.domain.ids import RunId, RunKey, uuid7
from schedulerd.domain.logs import NumberedLine
from schedulerd.domain.parameters import check_parameters
from schedulerd.domain.runs import Move, NewRun, Run, RunFilter, Trigger
from schedulerd.domain.states import ACTIVE, RunState
from schedulerd.domain.tasks import TaskRun
from schedulerd.errors import Conflict, NotFound
from schedulerd.operations.selectors import find_run
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

_PAGE: Final = 1_000
_MOST_ACTIVE: Final = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A run that was asked for. `is_new` is False where its idempotency key had a run already.

    `daemon_answers` is False when nobody will start it before a daemon runs.
    """

    run: Run
    is_new: bool
    daemon_answers: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDetails:
    """A run with its task runs and what it has gone through."""

    run: Run
    tasks: tuple[TaskRun, ...]
    moves: tuple[Move, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LineFilter:
    """Which lines of a log to read. `task` is the name of a task, or the number of a task run as text."""

    task: str | None = None
    min_level: int = 0
    since: datetime | None = None
    matches: Callable[[str], bool] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LogPage:
    """Lines of a run's log in order, the number of the last line looked at, and how the run stood at that moment.

    `wanted` counts the lines that a limit left out, too.
    """

    run: Run
    lines: tuple[NumberedLine, ...]
    seen: int
    wanted: int


class Runs:
    """Runs, as somebody at an edge sees them."""

    def __init__(
        self, database: Database, clock: Clock, *, wake: Callable[[], bool], entropy: Callable[[], int]
    ) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._wake: Final = wake
        self._entropy: Final = entropy

    def start(
        self,
        flow: str,
        parameters: Mapping[str, Any],
        *,
        due_at: datetime | None = None,
        idempotency_key: str | None = None,
        priority: int | None = None,
    ) -> Asked:
        """Record a run of the flow, due now or at `due_at`, and wake the daemon. The same key twice is one run.

        `priority` None: that of the flow.

        Raises `NotFound`, `BadParameters`, and `Conflict` for a flow that was removed, or a key whose run is another.
        """
        now = self._clock.now()
        with self._database.write() as tx:
            run, is_new = record(
                tx,
                flow,
                parameters,
                now=now,
                entropy=self._entropy(),
                due_at=due_at,
                idempotency_key=idempotency_key,
                priority=priority,
            )
        return Asked(run=run, is_new=is_new, daemon_answers=self._wake())

    def get(self, selector: str) -> Run:
        """The run that the selector names. Raises `NotFound` and `Ambiguous`."""
        with self._database.read() as tx:
            return self._told(tx, find_run(tx, selector))

    def are_hooks_due(self, selector: str) -> bool:
        """Has the run ended, and hooks that are yet to be called, or are being called? Raises as `get` does."""
        with self._database.read() as tx:
            return tx.hooks.are_due(find_run(tx, selector).key)

    def by_key(self, key: RunKey) -> Run:
        """How the run stands now."""
        with self._database.read() as tx:
            return self._told(tx, tx.runs.by_key(key))

    def details(self, selector: str) -> RunDetails:
        """The run that the selector names, with its tasks and moves."""
        with self._database.read() as tx:
            run = self._told(tx, find_run(tx, selector))
            return RunDetails(
                run=run, tasks=tuple(tx.tasks.tasks(run.key)), moves=tuple(tx.runs.moves(run.key))
            )

    def list(self, wanted: RunFilter) -> "tuple[Run, ...]":
        """A page of runs, newest first. Raises `NotFound` for a flow or schedule that nobody knows."""
        with self._database.read() as tx:
            for flow in wanted.flows:
                tx.flows.get(flow)
            return self._all_told(tx, tx.runs.list(wanted))

    def active(self) -> "tuple[Run, ...]":
        """The runs that go on or wait for a place or their time, newest first."""
        states = ACTIVE | {RunState.SCHEDULED}
        with self._database.read() as tx:
            return self._all_told(tx, tx.runs.list(RunFilter(states=states, limit=_MOST_ACTIVE)))

    def cancel(self, selector: str, *, actor: str, reason: str) -> Run:
        """Ask that the run be cancelled, and wake the daemon. Raises `Conflict` when it has ended."""
        with self._database.write() as tx:
            run = find_run(tx, selector)
            tx.runs.ask_cancel(run.key, at=self._clock.now(), actor=actor, reason=reason)
        self._wake()
        return run

    def last_lines(self, run: RunKey, wanted: LineFilter, *, limit: int | None) -> LogPage:
        """The last `limit` lines that are wanted; all of them without a limit."""
        with self._database.read() as tx:
            found: deque[NumberedLine] = deque(maxlen=limit)
            count = 0
            for line in _lines(tx, run, wanted):
                found.append(line)
                count += 1
            return LogPage(run=tx.runs.by_key(run), lines=tuple(found), seen=tx.logs.count(run), wanted=count)

    def lines_after(
        self, run: RunKey, wanted: LineFilter, *, after: int = 0, limit: int | None = None
    ) -> LogPage:
        """The first `limit` of the wanted lines numbered above `after`; all of them without a limit."""
        with self._database.read() as tx:
            lines = _lines(tx, run, wanted, after=after)
            found = tuple(islice(lines, limit))
            count = len(found) + sum(1 for _ in lines)
            return LogPage(run=tx.runs.by_key(run), lines=found, seen=tx.logs.count(run), wanted=count)

    def _told(self, tx: Transaction, run: Run) -> Run:
        (told,) = self._all_told(tx, [run])
        return told

    def _all_told(self, tx: Transaction, found: "Sequence[Run]") -> "tuple[Run, ...]":
        """The runs, each with what it waits for as its reason."""
        waits = tx.waiting.told(found, now=self._clock.now())
        return tuple(replace(run, reason=waits.get(run.key, run.reason)) for run in found)


def record(
    tx: Transaction,
    flow: str,
    parameters: Mapping[str, Any],
    *,
    now: datetime,
    entropy: int,
    due_at: datetime | None = None,
    idempotency_key: str | None = None,
    priority: int | None = None,
    trigger: Trigger = Trigger.MANUAL,
    parent: RunKey | None = None,
) -> tuple[Run, bool]:
    """Record a run of the flow; or find the one that has the key already, and say that it is not new.

    Raises `NotFound`, `BadParameters`, and `Conflict` for a flow that was removed, or a key whose run is another.
    """
    found = _in_force(tx.flows.get(flow))
    check_parameters(flow, found.definition.parameters, parameters)
    wanted = NewRun(
        id=RunId(uuid7(now, entropy=entropy)),
        flow=found.key,
        created_at=now,
        trigger=trigger,
        due_at=due_at or now,
        parameters=parameters,
        idempotency_key=idempotency_key,
        priority=priority,
        parent=parent,
    )
    (key,) = tx.runs.add([wanted])
    run = tx.runs.by_key(key) if key is not None else _first_with(tx, wanted)
    return run, key is not None


def _in_force(flow: Flow) -> Flow:
    if flow.removed:
        name = flow.definition.name
        raise Conflict(
            f"the flow {name!r} was removed: {flow.definition.file} no longer defines it",
            mend="put its file back, or choose another: `schedulerd flows list`",
        )
    return flow


def _first_with(tx: Transaction, wanted: NewRun) -> Run:
    """The run that has the key already. Raises `Conflict` when it is not the one that is wanted."""
    key = wanted.idempotency_key
    assert key is not None  # nothing else makes a manual run a repeated one
    first = tx.runs.by_idempotency_key(key)
    if first.flow_key != wanted.flow or dict(first.parameters) != dict(wanted.parameters):
        other = "of another flow" if first.flow_key != wanted.flow else "with other parameters"
        raise Conflict(
            f"the key {key!r} belongs to {first.selector}, a run {other}",
            mend=f"choose another key, or see what it ran with: `schedulerd runs show {first.selector}`",
        )
    return first


def _lines(tx: Transaction, run: RunKey, wanted: LineFilter, *, after: int = 0) -> Iterator[NumberedLine]:
    tasks = None if wanted.task is None else _task_numbers(tx, run, wanted.task)
    while page := tx.logs.lines(run, after=after, limit=_PAGE, min_level=wanted.min_level):
        yield from (line for line in page if _is_wanted(line, wanted, tasks))
        after = page[-1].number


def _task_numbers(tx: Transaction, run: RunKey, task: str) -> Collection[int]:
    known = tx.tasks.tasks(run)
    numbers = {one.number for one in known if task in (one.name, str(one.number))}
    if not numbers and known:
        raise NotFound("task", task, near=sorted({one.name for one in known}))
    return numbers


def _is_wanted(numbered: NumberedLine, wanted: LineFilter, tasks: Collection[int] | None) -> bool:
    line = numbered.line
    if tasks is not None and line.task not in tasks:
        return False
    if wanted.since is not None and line.at < wanted.since:
        return False
    return wanted.matches is None or wanted.matches(line.message)
