"""The nemesis: does the deeds of a plan to a real daemon, keeps account of them, and keeps the daemon up between them."""

import contextlib
import heapq
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count
from typing import Final, assert_never

import psycopg

from schedulerd.clock import SystemClock, microseconds
from schedulerd.engine.folders import RunFolders
from schedulerd.engine.processes import is_alive
from schedulerd.errors import SchedulerdError
from schedulerd.operations.operations import Operations
from schedulerd.store.engines import WRITER_LOCK
from tests.faults import deeds
from tests.faults.commands import Commands
from tests.faults.deeds import Deed
from tests.faults.disks import Disk
from tests.faults.effects import Process
from tests.faults.history import Ask, Faults, Span, Wish
from tests.faults.supervisor import Supervisor
from tests.postgres import PostgresServer
from tests.service import Service, command_line, process_state

_CLOCK: Final = SystemClock()
_DRAIN: Final = "2s"


class Nemesis:
    """Does deeds to the daemon of a service. `look` is to be called often; `cease` undoes all that can be undone."""

    def __init__(
        self,
        service: Service,
        *,
        disks: Mapping[str, Disk],
        server: PostgresServer | None,
        manual: Mapping[str, str | int | float],
        note: Callable[[str], None],
        environ: Mapping[str, str],
    ) -> None:
        """`manual` are the parameters of runs that are asked for; `environ` is what the daemon is given."""
        self._service = service
        self._disks = disks
        self._server = server
        self._manual = manual
        self._note = note
        self._commands = Commands(service)
        self._supervisor = Supervisor(service, environ)
        self._number = count()
        self._undoings: list[tuple[float, int, Callable[[], None]]] = []
        self._frozen: set[int] = set()
        self._store_troubles = 0
        self._killed: set[Process] = set()
        self._killed_hooks: set[str] = set()
        self._folders: dict[Process, str] = {}
        self._wishes: list[Wish] = []
        self._asks: list[Ask] = []
        self._full: list[Span] = []
        self._cancelling: list[Span] = []
        self._hampered: list[Span] = []
        self.deed_count = 0

    @property
    def faults(self) -> Faults:
        """What was done so far."""
        return Faults(
            killed=frozenset(self._killed),
            killed_hooks=frozenset(self._killed_hooks),
            wishes=tuple(self._wishes),
            asks=tuple(self._asks),
            full=tuple(self._full),
            cancelling_stops=tuple(self._cancelling),
            hampered=tuple(self._hampered),
        )

    @property
    def complaints(self) -> list[str]:
        """What the daemon and its commands should not have done, whatever was done to them."""
        return [*self._supervisor.complaints, *self._commands.complaints]

    @property
    def is_up(self) -> bool:
        """Is the daemon there and well?"""
        return self._supervisor.is_up

    # -- deeds --------------------------------------------------------------------------------------------------

    def do(self, deed: Deed) -> None:
        """Do it now; what ends by itself is noted, and ended by `look`."""
        self.deed_count += 1
        self._note(f"{deed}")
        match deed:
            case deeds.Kill():
                self._kill(deed)
            case deeds.Freeze():
                self._freeze(deed)
            case deeds.Fill():
                self._fill(deed)
            case deeds.Lock():
                self._lock(deed)
            case deeds.RestartPostgres():
                self._restart_postgres()
            case deeds.Stop():
                self._stop(deed)
            case deeds.Ask():
                self._ask(deed)
            case deeds.Cancel():
                self._cancel(deed)
            case _:
                assert_never(deed)

    def _kill(self, deed: deeds.Kill) -> None:
        found = {part: self._find(part, deed.rank) for part in deed.victims}
        at = microseconds()
        for part, process in found.items():
            if process is None:
                continue
            self._killed.add(process)  # what was taken for a spawner may be a run, forked a moment ago
            if part == "run":
                run, of_hooks, _ = self._folders.get(process, "").partition(".hooks-")
                self._killed_hooks |= {run} if of_hooks else set()
            if part == "daemon":
                self._supervisor.expect_end("killed", away=deed.away)
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
                self._note(f"  killed {part} {process.pid}")
        if found.keys() & {"daemon", "spawner"}:
            self._hampered.append(Span(start=at, end=microseconds() + int((deed.away + 5) * 1e6)))

    def _freeze(self, deed: deeds.Freeze) -> None:
        process = self._find(deed.victim, deed.rank)
        if process is None or process.pid in self._frozen:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGSTOP)
        self._frozen.add(process.pid)
        self._later(deed.seconds, partial(self._thaw, process, since=microseconds()))

    def _thaw(self, process: Process, *, since: int) -> None:
        self._frozen.discard(process.pid)
        if _start_time(process.pid) == process.start_time:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
        self._hampered.append(Span(start=since, end=microseconds() + 2_000_000))

    def _fill(self, deed: deeds.Fill) -> None:
        for name in deed.disks:
            since = microseconds()
            self._disks[name].fill()
            self._store_troubles += 1
            self._later(deed.seconds, partial(self._free, name, since=since))

    def _free(self, name: str, *, since: int) -> None:
        self._disks[name].free()
        self._end_trouble(since)
        if name == "folders":
            self._full.append(Span(start=since, end=microseconds()))

    def _lock(self, deed: deeds.Lock) -> None:
        since = microseconds()
        try:
            release = self._hold_sqlite() if self._server is None else self._hold_postgres(self._server)
        except (sqlite3.Error, psycopg.Error) as error:
            self._note(f"  not locked: {error}")
            return
        self._store_troubles += 1
        self._later(deed.seconds, partial(self._unlock, release, since=since))

    def _hold_sqlite(self) -> Callable[[], None]:
        connection = sqlite3.connect(
            self._service.url.removeprefix("sqlite:///"), timeout=2, isolation_level=None
        )
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error:
            connection.close()
            raise
        return connection.close

    def _hold_postgres(self, server: PostgresServer) -> Callable[[], None]:
        database = self._service.url.rpartition("/")[2].partition("?")[0]
        connection = psycopg.connect(
            host=str(server.folder), user="postgres", dbname=database, autocommit=True, connect_timeout=5
        )
        try:
            connection.execute("SET lock_timeout = '5s'")
            connection.execute("SELECT pg_advisory_lock(%s)", (WRITER_LOCK,))
        except psycopg.Error:
            connection.close()
            raise
        return connection.close

    def _unlock(self, release: Callable[[], None], *, since: int) -> None:
        release()
        self._end_trouble(since)

    def _restart_postgres(self) -> None:
        assert self._server is not None
        since = microseconds()
        self._store_troubles += 1
        self._server.restart()
        self._end_trouble(since)

    def _end_trouble(self, since: int) -> None:
        self._store_troubles -= 1
        self._supervisor.excuse_store()
        self._hampered.append(Span(start=since, end=microseconds() + 3_000_000))

    def _stop(self, deed: deeds.Stop) -> None:
        process = self._service.process
        if process is None or not self.is_up:
            return
        self._supervisor.expect_end(deed.how, away=deed.away)
        match deed.how:
            case "leave":
                process.send_signal(signal.SIGTERM)
            case "cancel":
                self._cancelling.append(Span(start=microseconds(), end=2**62))
                process.send_signal(signal.SIGINT)
            case _:
                self._commands.give("stop", "--drain", _DRAIN, answered=self._drain_ordered)
        self._hampered.append(Span(start=microseconds(), end=microseconds() + int((deed.away + 8) * 1e6)))

    def _drain_ordered(self, status: int, said: str) -> None:
        self._note(f"  stop: {status} {said[:200]}")
        if status != 0:  # it could not be left: there was no room for it, perhaps
            self._supervisor.expect_no_end("drain")

    def _ask(self, deed: deeds.Ask) -> None:
        given = {**self._manual, "token": deed.token}
        at = microseconds()
        if deed.by_command:
            words = [word for name, value in given.items() for word in ("-p", f"{name}={value}")]
            self._commands.give("run", "work", *words, answered=partial(self._was_asked, deed.token, at))
            return
        with self._operations() as ask:
            status, said = _told(lambda: ask.runs.start("work", given).run.selector)
        self._was_asked(deed.token, at, status, said)

    def _was_asked(self, token: str, at: int, status: int, said: str) -> None:
        self._note(f"  run {token}: {status} {said[:200]}")
        self._asks.append(Ask(token=token, at=at, acknowledged=status == 0))

    def _cancel(self, deed: deeds.Cancel) -> None:
        with self._operations() as ask:
            status, said = _told(lambda: " ".join(str(run.id) for run in ask.runs.active()))
        live = said.split() if status == 0 else []
        if live:
            self.cancel(live[deed.rank % len(live)], by_command=deed.by_command)

    def cancel(self, run: str, *, by_command: bool) -> None:
        """Ask that this run be cancelled."""
        at = microseconds()
        if by_command:
            answered = partial(self._was_wished, run, at)
            self._commands.give("runs", "cancel", run, "--reason", "the nemesis", answered=answered)
            return
        with self._operations() as ask:
            status, said = _told(lambda: ask.runs.cancel(run, actor="nemesis", reason="the nemesis").selector)
        self._was_wished(run, at, status, said)

    @contextlib.contextmanager
    def _operations(self) -> Iterator[Operations]:
        """What the command line asks, without its cost: an interpreter takes seconds to start on a busy machine."""
        database = self._service.database()
        yield Operations(database, state_dir=self._service.state, clock=_CLOCK)
        database.close()

    def _was_wished(self, run: str, at: int, status: int, said: str) -> None:
        self._note(f"  cancel {run}: {status} {said[:200]}")
        self._wishes.append(Wish(run=run, at=at, acknowledged=status == 0))

    # -- finding ------------------------------------------------------------------------------------------------

    def _find(self, part: str, rank: int) -> Process | None:
        pids: list[int] = []
        match part:
            case "daemon":
                pids = [] if self._supervisor.pid is None else [self._supervisor.pid]
            case "spawner":
                pids = self._service.spawners()
            case "web":
                pids = [pid for pid in self._children() if "web_program" in command_line(pid)]
            case "run":
                return self._live_run(rank)
        found = [(pid, start) for pid in pids if (start := _start_time(pid)) is not None]
        return Process(pid=found[-1][0], start_time=found[-1][1]) if found else None

    def _children(self) -> list[int]:
        pid = self._supervisor.pid
        with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
        return []

    def _live_run(self, rank: int) -> Process | None:
        found, folders = [], RunFolders(self._service.state)
        for folder in sorted((self._service.state / "runs").glob("*")):
            with contextlib.suppress(OSError):
                process = folders.facts(folder.name).process
                if process is not None and is_alive(process):
                    found.append(Process(pid=process.pid, start_time=process.start_time))
                    self._folders[found[-1]] = folder.name
        return found[rank % len(found)] if found else None

    # -- between the deeds --------------------------------------------------------------------------------------

    def look(self) -> None:
        """Undo what has lasted long enough, hear answers, and have the daemon up where it should be."""
        now = _CLOCK.monotonic()
        while self._undoings and self._undoings[0][0] <= now:
            heapq.heappop(self._undoings)[2]()
        self._commands.look()
        if self._store_troubles:
            self._supervisor.excuse_store()
        if (ended := self._supervisor.look()) is not None:
            self._note(f"  {ended}")
            end = microseconds()
            self._cancelling = [Span(start=one.start, end=min(one.end, end)) for one in self._cancelling]

    def cease(self) -> None:
        """Undo everything at once, and have a daemon up soon."""
        while self._undoings:
            heapq.heappop(self._undoings)[2]()
        self._commands.finish()
        self._supervisor.hurry()

    def finish(self) -> None:
        """Hear the answers that are still to come."""
        self._commands.finish()

    def _later(self, seconds: float, undo: Callable[[], None]) -> None:
        heapq.heappush(self._undoings, (_CLOCK.monotonic() + seconds, next(self._number), undo))


def _told(ask: Callable[[], str]) -> tuple[int, str]:
    """The answer with 0 before it, as of a command; or 1 and what was wrong."""
    try:
        return 0, ask()
    except SchedulerdError as error:
        return 1, str(error)


def _start_time(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except (OSError, IndexError):
        return None


def lives(process: Process) -> bool:
    """Does this very process still run? One that has ended and is not waited for does not."""
    return _start_time(process.pid) == process.start_time and process_state(process.pid) not in ("Z", "X")
