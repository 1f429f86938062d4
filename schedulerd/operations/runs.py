"""What can be asked about runs: to start one, to see them, to cancel one."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from statistics import median
from typing import Any, Final

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal
from schedulerd.domain.audit import Change
from schedulerd.domain.child_runs import AnyRun, ChildRun
from schedulerd.domain.flows import Flow
from schedulerd.domain.ids import RunId, RunKey, uuid7
from schedulerd.domain.logs import NumberedLine
from schedulerd.domain.parameters import check_parameters, require_storable
from schedulerd.domain.runs import Move, NewRun, Run, RunFilter, Trigger
from schedulerd.domain.states import ACTIVE, RunState
from schedulerd.domain.tasks import TaskRun
from schedulerd.errors import Conflict, NotFound
from schedulerd.operations.audit import keep
from schedulerd.operations.selectors import find_run, find_whole
from schedulerd.sentences import said
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

_PAGE: Final = 1_000
_MOST_ACTIVE: Final = 1_000
_LEAST_MEASURED: Final = 3


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
    """A run with its task runs, what it has gone through, and the runs that its code called or asked for."""

    run: AnyRun
    tasks: tuple[TaskRun, ...]
    moves: tuple[Move, ...]
    children: tuple[AnyRun, ...]


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

    run: AnyRun
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
        by: Principal | None = None,
        of: str = "",
    ) -> Asked:
        """Record a run of the flow, due now or at `due_at`, and wake the daemon. The same key twice is one run.

        `priority` None: that of the flow. The audit tells that `by` asked for it, and `of` which other one it is a second.

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
            if is_new:
                keep(tx, by, _start_told(run, of), at=now)
        return Asked(run=run, is_new=is_new, daemon_answers=self._wake())

    def get(self, selector: str) -> AnyRun:
        """The run that the selector names. Raises `NotFound` and `Ambiguous`."""
        with self._database.read() as tx:
            return self._told(tx, find_run(tx, selector))

    def several(self, ids: Collection[RunId]) -> tuple[Run, ...]:
        """Those of these runs that are there, the newest first."""
        with self._database.read() as tx:
            return tuple(tx.runs.of_ids(ids))

    def get_whole(self, selector: str, *, instead: str = "") -> Run:
        """The same, but no child run: it raises `Conflict` for that, and says to do `instead` with its root."""
        with self._database.read() as tx:
            return find_whole(tx, selector, instead=instead)

    def are_hooks_due(self, selector: str) -> bool:
        """Has the run ended, and hooks that are yet to be called, or are being called? Raises as `get` does.

        Those of a child run are called in its process.
        """
        with self._database.read() as tx:
            run = find_run(tx, selector)
            return isinstance(run, Run) and tx.hooks.are_due(run.key)

    def look(self, run: AnyRun) -> AnyRun:
        """How the run stands now."""
        with self._database.read() as tx:
            return self._told(tx, _again(tx, run))

    def details(self, selector: str) -> RunDetails:
        """The run that the selector names, with its tasks, moves and child runs."""
        with self._database.read() as tx:
            return self._details(tx, selector)

    def details_seen(self, selector: str) -> tuple[RunDetails, str]:
        """The same, and the fingerprint of the run (of its root, for a child run) at that moment, as those who watch it know it."""
        with self._database.read() as tx:
            details = self._details(tx, selector)
            root, _ = place_of(details.run)
            return details, tx.snapshots.watch([root.id]).fingerprint(every=False, of=[root.id])

    def _details(self, tx: Transaction, selector: str) -> RunDetails:
        run = self._told(tx, find_run(tx, selector))
        root, child = place_of(run)
        called: list[AnyRun] = [*tx.child_runs.of(root, within=child)]
        return RunDetails(
            run=run,
            tasks=tuple(tx.tasks.tasks(root.key, child=child)),
            moves=tuple(tx.runs.moves(root.key)) if child is None else (),
            children=(*called, *(tx.runs.asked_for_by(root.key) if child is None else ())),
        )

    def beside(self, run: Run) -> tuple[Run | None, Run | None]:
        """The next and the previous run of the same flow."""
        with self._database.read() as tx:
            return tx.runs.beside(run)

    def usual(self, run: Run) -> timedelta | None:
        """How long runs of its flow usually take: the median of the last that completed at once; None without three."""
        with self._database.read() as tx:
            took = tx.runs.took(run.flow_key)
        return timedelta(seconds=median(took)) if len(took) >= _LEAST_MEASURED else None

    def list(self, wanted: RunFilter) -> "tuple[Run, ...]":
        """A page of runs, newest first. Raises `NotFound` for a flow or schedule that nobody knows."""
        with self._database.read() as tx:
            for flow in wanted.flows:
                tx.flows.get(flow)
            return self._all_told(tx, tx.runs.list(wanted))

    def list_with_children(self, wanted: RunFilter) -> "tuple[AnyRun, ...]":
        """A page of runs and child runs together, newest first; a child run is as old as its beginning."""
        with self._database.read() as tx:
            found: list[AnyRun] = [*self._all_told(tx, tx.runs.list(wanted))]
            if wanted.schedule is None:  # a child run is of none
                found += tx.child_runs.newest(wanted)
        return tuple(sorted(found, key=_age, reverse=True)[: wanted.limit])

    def active(self) -> "tuple[Run, ...]":
        """The runs that go on or wait for a place or their time, newest first."""
        states = ACTIVE | {RunState.SCHEDULED}
        with self._database.read() as tx:
            return self._all_told(tx, tx.runs.list(RunFilter(states=states, limit=_MOST_ACTIVE)))

    def cancel(self, selector: str, *, actor: str, reason: str, by: Principal | None = None) -> Run:
        """Ask that the run be cancelled, and wake the daemon; the audit tells that `by` did. Raises `Conflict` when it has ended."""
        now = self._clock.now()
        with self._database.write() as tx:
            run = find_whole(tx, selector, instead="runs cancel")
            tx.runs.ask_cancel(run.key, at=now, actor=actor, reason=reason)
            keep(tx, by, Change(what="runs.cancel", target=run.selector, after={"reason": reason}), at=now)
        self._wake()
        return run

    def kill(self, selector: str, *, actor: str, reason: str, by: Principal) -> Run:
        """Ask that the run be cancelled without any grace, also one that is being cancelled; and wake the daemon.

        It is in the audit, because the moves of a run that is being cancelled do not tell of it. Raises `Conflict` when
        it has ended.
        """
        now = self._clock.now()
        with self._database.write() as tx:
            run = find_whole(tx, selector, instead="runs cancel --kill")
            tx.runs.ask_kill(run.key, at=now, actor=actor, reason=reason)
            keep(tx, by, Change(what="runs.kill", target=run.selector, after={"reason": reason}), at=now)
        self._wake()
        return run

    def last_lines(self, run: AnyRun, wanted: LineFilter, *, limit: int | None) -> LogPage:
        """The last `limit` lines that are wanted; all of them without a limit."""
        with self._database.read() as tx:
            found: deque[NumberedLine] = deque(maxlen=limit)
            count = 0
            for line in _lines(tx, run, wanted):
                found.append(line)
                count += 1
            return self._page(tx, run, tuple(found), wanted=count)

    def lines_after(
        self, run: AnyRun, wanted: LineFilter, *, after: int = 0, limit: int | None = None
    ) -> LogPage:
        """The first `limit` of the wanted lines numbered above `after`; all of them without a limit."""
        with self._database.read() as tx:
            lines = _lines(tx, run, wanted, after=after)
            found = tuple(islice(lines, limit))
            count = len(found) + sum(1 for _ in lines)
            return self._page(tx, run, found, wanted=count)

    def _page(self, tx: Transaction, run: AnyRun, lines: tuple[NumberedLine, ...], *, wanted: int) -> LogPage:
        seen = tx.logs.count(place_of(run)[0].key)
        return LogPage(run=_again(tx, run), lines=lines, seen=seen, wanted=wanted)

    def _told(self, tx: Transaction, run: AnyRun) -> AnyRun:
        if isinstance(run, ChildRun):
            return run
        (told,) = self._all_told(tx, [run])
        return told

    def _all_told(self, tx: Transaction, found: "Sequence[Run]") -> "tuple[Run, ...]":
        """The runs, each with what it waits for as its reason."""
        waits = tx.waiting.told(found, now=self._clock.now())
        return tuple(replace(run, reason=waits.get(run.key, run.reason)) for run in found)


def place_of(run: AnyRun) -> tuple[Run, int | None]:
    """The run in whose process it is, and its number among the child runs there; None for that run itself."""
    return (run.root, run.number) if isinstance(run, ChildRun) else (run, None)


def _again(tx: Transaction, run: AnyRun) -> AnyRun:
    root, child = place_of(run)
    root = tx.runs.by_key(root.key)
    return root if child is None else tx.child_runs.numbered(root, child)


def _age(run: AnyRun) -> datetime:
    """When it came to be."""
    if isinstance(run, ChildRun):
        return run.started_at or run.root.created_at
    return run.created_at


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
    require_storable(flow, found.definition.parameters, parameters)
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


def _start_told(run: Run, of: str) -> Change:
    after = {"run": run.selector, "parameters": dict(run.parameters)} | ({"of": of} if of else {})
    return Change(what="runs.start", target=run.flow, after=after)


def _in_force(flow: Flow) -> Flow:
    if flow.removed:
        name = flow.definition.name
        raise Conflict(
            said(
                "the flow {name!r} was removed: {file} no longer defines it",
                name=name,
                file=flow.definition.file,
            ),
            mend=said("put its file back, or choose another: `schedulerd flows list`"),
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
            said(
                "the key {key!r} belongs to {selector}, a run {other}",
                key=key,
                selector=first.selector,
                other=other,
            ),
            mend=said(
                "choose another key, or see what it ran with: `schedulerd runs show {selector}`",
                selector=first.selector,
            ),
        )
    return first


def _lines(tx: Transaction, run: AnyRun, wanted: LineFilter, *, after: int = 0) -> Iterator[NumberedLine]:
    root, child = place_of(run)
    tasks = None if wanted.task is None else _task_numbers(tx, root.key, child, wanted.task)
    at_least = wanted.min_level
    while page := tx.logs.lines(root.key, after=after, limit=_PAGE, child=child, min_level=at_least):
        yield from (line for line in page if _is_wanted(line, wanted, tasks))
        after = page[-1].number


def _task_numbers(tx: Transaction, run: RunKey, child: int | None, task: str) -> Collection[int]:
    known = tx.tasks.tasks(run, child=child)
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
