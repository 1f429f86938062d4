"""What can be asked of the daemon: whether it runs and how it does, to stop, to read its files again."""

import os
import signal
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.agents import Agent
from schedulerd.domain.flows import FileError
from schedulerd.domain.health import Health
from schedulerd.domain.snapshots import Snapshot
from schedulerd.domain.states import LIVE, RunState
from schedulerd.engine.doorbell import WOKEN, Doorbell
from schedulerd.engine.health_file import read_health
from schedulerd.engine.lock import StopOrder, holder, last_reload, order_stop
from schedulerd.engine.processes import is_stopped
from schedulerd.errors import NotPermitted, Unreachable, WaitTimeout
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

_POLL_SECONDS: Final = 0.05
_MOST_COUNTED: Final = 1_000
_SILENT_SECONDS: Final = 30.0

STOPPED: Final = "stopped"
HANGS: Final = "hangs"
"""Why nothing is done: no daemon runs; or one does, and does nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DaemonStatus:
    """How the daemon stands. `pid` is None when none runs on this state directory.

    `health` is what it said last, `silent_seconds` ago; `is_stopped`: it is held by a signal. `recorded` is None when the
    database cannot be asked.
    """

    pid: int | None
    state_dir: str
    database: str
    health: Health
    silent_seconds: float
    recorded: "Recorded | None"
    is_stopped: bool = False

    @property
    def is_ready(self) -> bool:
        """Does it run, and start runs?"""
        return self.pid is not None and self.recorded is not None and self.health.is_ready and not self.hangs

    @property
    def hangs(self) -> bool:
        """Is it held, or has it not said anything for longer than it ever should?"""
        return self.is_stopped or self.silent_seconds > _SILENT_SECONDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What the database says of it all; `running` and `waiting` are counted up to 1,000."""

    agents: tuple[Agent, ...]
    running: int
    waiting: int
    flows: int
    schedules: int
    next_due: datetime | None
    problems: tuple[FileError, ...]


def guard(database: Database, state_dir: Path) -> Database:
    """The database, which has to be the very file that the daemon uses, where one runs: another of its name is refused."""
    said = read_health(state_dir)
    if said is not None and said.database is not None and said.pid == holder(state_dir):
        database.expect_file(said.database)
    return database


class Daemon:
    """The daemon of one state directory."""

    def __init__(self, database: Database, state_dir: Path, clock: Clock) -> None:
        self._database: Final = database
        self._state_dir: Final = state_dir
        self._clock: Final = clock

    def wake(self) -> bool:
        """Tell the daemon that something was recorded; False when nobody answers."""
        try:
            bell = Doorbell(self._state_dir)
        except OSError:  # no such directory yet, or one that we may not enter
            return False
        try:
            return bell.ring(WOKEN) and self.pid() is not None
        finally:
            bell.close()

    def pid(self) -> int | None:
        """The process that holds the state directory; None when no daemon runs."""
        return holder(self._state_dir)

    def held_by(self) -> str:
        """Why a daemon that runs starts no runs now, for a person; empty when it does, or when none runs."""
        said = read_health(self._state_dir)
        if said is None or said.pid != self.pid():
            return ""
        return "; ".join(trouble.reason for trouble in said.health.held_by)

    def status(self) -> DaemonStatus:
        """How everything stands. Raises `Unreachable` where the database cannot tell."""
        self._database.require_current()
        with self._database.read() as tx:
            return self._status(_recorded(tx, tx.snapshots.take()))

    def status_at(self, seen: Snapshot) -> DaemonStatus:
        """The same, with the runs that were `seen` to go on: for who has looked at the database before. Raises `StoreUnavailable`."""
        with self._database.read() as tx:
            return self._status(_recorded(tx, seen))

    def standstill(self) -> str:
        """In one word why no runs are started now; empty when they are. Asks no database."""
        pid, said = self.pid(), read_health(self._state_dir)
        if pid is None:
            return STOPPED
        if is_stopped(pid):
            return HANGS
        if said is None or said.pid != pid:
            return "starting"
        if said.seconds_ago > _SILENT_SECONDS:
            return HANGS
        return next((trouble.kind.value for trouble in said.health.held_by), "")

    def agents(self) -> tuple[Agent, ...]:
        """The agents, by name. Raises `StoreUnavailable`."""
        with self._database.read() as tx:
            return tuple(tx.agents.all())

    def status_without_database(self) -> DaemonStatus:
        """What can be known without it."""
        return self._status(None)

    def _status(self, recorded: Recorded | None) -> DaemonStatus:
        pid = self.pid()
        said = read_health(self._state_dir)
        is_its = said is not None and said.pid == pid  # else it is what an earlier one left
        return DaemonStatus(
            pid=pid,
            state_dir=str(self._state_dir),
            database=self._database.url,
            health=said.health if said is not None and is_its else Health(),
            silent_seconds=said.seconds_ago if said is not None and is_its else 0.0,
            is_stopped=pid is not None and is_stopped(pid),
            recorded=recorded,
        )

    def stop(self, order: StopOrder | None = None, *, patience: timedelta) -> int | None:
        """Have the daemon stop, as `order` or else its settings say; its pid, or None when there was none.

        Returns when it has ended. Raises `WaitTimeout` when that takes longer than `patience`, `NotPermitted`.
        """
        pid = self.pid()
        if pid is None:
            return None
        if order is not None:
            order_stop(self._state_dir, order)
        self._signal(pid, signal.SIGTERM)
        self._wait_for_end(pid, patience)
        return pid

    def reload(self, *, patience: timedelta) -> int:
        """Have the daemon read its files again; its pid. Returns when it has.

        Raises `Unreachable` when none runs, `NotPermitted`, and `WaitTimeout` when it takes longer than `patience`.
        """
        pid = self.pid()
        if pid is None:
            raise Unreachable(
                f"no schedulerd runs on {self._state_dir}", mend="start it with `schedulerd start`"
            )
        before = last_reload(self._state_dir)
        self._signal(pid, signal.SIGHUP)
        pause, deadline = Event(), self._clock.monotonic() + patience.total_seconds()
        while last_reload(self._state_dir) == before:
            if self._clock.monotonic() >= deadline:
                raise WaitTimeout(f"schedulerd (process {pid}) has not read its files again yet")
            pause.wait(_POLL_SECONDS)
        return pid

    def _signal(self, pid: int, number: signal.Signals) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return  # it has just ended
        except PermissionError as error:
            raise NotPermitted(
                f"process {pid} belongs to another user", mend="use sudo, or `systemctl` for a service"
            ) from error

    def _wait_for_end(self, pid: int, patience: timedelta) -> None:
        pause, deadline = Event(), self._clock.monotonic() + patience.total_seconds()
        while self.pid() == pid:
            if self._clock.monotonic() >= deadline:
                raise WaitTimeout(
                    f"schedulerd (process {pid}) is still stopping; it goes on doing so",
                    mend=f"where it hangs (`schedulerd status` says so), `kill -9 {pid}` loses nothing: runs live on, "
                    "and the next daemon takes them up",
                )
            pause.wait(_POLL_SECONDS)


def _recorded(tx: Transaction, seen: Snapshot) -> Recorded:
    states = Counter(mark.state for mark in seen.going.values())
    totals = tx.snapshots.totals()
    return Recorded(
        agents=tuple(tx.agents.all()),
        running=min(_MOST_COUNTED, sum(states[one] for one in LIVE)),
        waiting=min(_MOST_COUNTED, states[RunState.SCHEDULED]),
        flows=totals.flows,
        schedules=totals.schedules,
        next_due=totals.next_due,
        problems=tuple(tx.flows.errors()),
    )
