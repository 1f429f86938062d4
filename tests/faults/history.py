"""What a campaign collected: what schedulerd remembers, what the runs say they did, and what was done to them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from schedulerd.domain.logs import LogLine, NumberedLine
from schedulerd.domain.runs import Move, Run, RunFilter
from schedulerd.domain.schedules import Schedule
from schedulerd.store.database import Database
from tests.faults.effects import Effect, HookEffect, Process

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds_of(moment: datetime) -> int:
    """A moment as the records write it."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """From one moment to another, in microseconds since 1970."""

    start: int
    end: int

    def touches(self, start: int, end: int) -> bool:
        """Has this span a moment in [start, end]?"""
        return self.start <= end and start <= self.end


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """That a run was asked to be cancelled; `acknowledged`: we were told that the wish is recorded."""

    run: str
    at: int
    acknowledged: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """That a run was asked for, with a token of its own among its parameters."""

    token: str
    at: int
    acknowledged: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Faults:
    """What the nemesis did, as far as it can excuse anything."""

    killed: frozenset[Process] = frozenset()  # whatever they were, runs among them
    killed_hooks: frozenset[str] = frozenset()  # the ids of runs of which a call of hooks was
    wishes: tuple[Wish, ...] = ()
    asks: tuple[Ask, ...] = ()
    full: tuple[Span, ...] = ()  # the disk of the runs' folders had no room
    cancelling_stops: tuple[Span, ...] = ()  # from the order to the end of the daemon
    hampered: tuple[Span, ...] = ()  # daemon or spawner was not there, or stopped, or waited for its database


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """One run as the database has it, with its moves and its log."""

    run: Run
    moves: tuple[Move, ...] = ()
    lines: tuple[LogLine, ...] = ()

    @property
    def life(self) -> tuple[int, int]:
        """From its claim to its end, in microseconds; for one that was never claimed, from its recording."""
        start = self.run.pending_at or self.run.created_at
        end = self.run.ended_at or start
        return microseconds_of(start), max(microseconds_of(start), microseconds_of(end))


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """All of it, at the end: schedules are paused, the daemon is well, and nothing should go on."""

    schedules: tuple[Schedule, ...]
    runs: tuple[Remembered, ...]
    effects: tuple[Effect, ...]
    hooks: tuple[HookEffect, ...] = ()
    faults: Faults = field(default_factory=Faults)
    limits_seconds: Mapping[str, float] = field(default_factory=dict)  # the time limits of flows
    hooked: frozenset[str] = frozenset()  # the flows that have hooks for each end
    retries: Mapping[str, int] = field(default_factory=dict)  # of flows
    processes: tuple[Process, ...] = ()  # those of effects that are left
    folders: tuple[str, ...] = ()  # what is left in `ready` and `runs`
    wishes_left: int = 0
    hooks_left: int = 0
    complaints: tuple[str, ...] = ()  # invariants, damage, and what else was seen to be wrong


def remembered(database: Database) -> tuple[list[Schedule], list[Remembered], int]:
    """The schedules, all runs, and how many wishes are left, as one snapshot."""
    with database.read() as tx:
        schedules = tx.schedules.all(removed=True)
        runs = [
            Remembered(
                run=run,
                moves=tuple(tx.runs.moves(run.key)),
                lines=_lines(tx.logs.lines(run.key, limit=1_000_000)),
            )
            for run in tx.runs.list(RunFilter(limit=10_000_000))
        ]
        wishes = len(tx.runs.cancel_wishes())
    return schedules, runs, wishes


def _lines(numbered: Iterable[NumberedLine]) -> tuple[LogLine, ...]:
    return tuple(one.line for one in numbered)
