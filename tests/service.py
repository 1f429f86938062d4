"""A real daemon in a folder of its own, started as people start it, and asked from outside."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from schedulerd.cli.root import root
from schedulerd.clock import SystemClock
from schedulerd.domain.ids import RunId, RunKey, uuid7
from schedulerd.domain.logs import NumberedLine
from schedulerd.domain.runs import NewRun, Run, RunFilter, Trigger
from schedulerd.engine.doorbell import WOKEN, Doorbell
from schedulerd.engine.lock import holder
from schedulerd.errors import SchedulerdError
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests import warm
from tests.migrated import migrated
from tests.waiting import SLOWER, eventually

PROGRAM = [sys.executable, "-m", "schedulerd"]
_CLOCK = SystemClock()


class BrokenInvariants(AssertionError):
    """What the database says contradicts itself."""


class Service:
    """A folder with settings, flows and schedules, and the daemon that serves it."""

    def __init__(
        self,
        folder: Path,
        *,
        url: str | None = None,
        settings: str = "",
        state: Path | None = None,
        web: str = "enabled = false",
        from_nothing: bool = False,
        cold: bool = False,
    ) -> None:
        """`from_nothing`: the daemon makes its database itself. A SQLite file that is as it would make it spares that.

        `cold`: the daemon is a program of its own from its start on, which is to be measured. Else it is forked from a
        process that has loaded the program, where its environment lets it be.
        """
        self.folder = folder
        self.state = state or folder / ".state"
        self.flows = folder / "flows"
        self.schedules = folder / "config" / "schedules"
        self.log = folder / "daemon.log"
        self.url = url or f"sqlite:///{self.state / 'schedulerd.db'}"
        self.process: subprocess.Popen[bytes] | warm.Forked | None = None
        self._is_cold = cold
        self._database = Database(self.url)
        self.others = frozenset(every_pid())  # the processes that were there before it
        self._environ: dict[str, str] = {}
        self._variables: Mapping[str, str] = {}
        self._makes_database = from_nothing or url is not None
        for made in (self.flows, self.schedules):
            made.mkdir(parents=True, exist_ok=True)
        (folder / "config" / "schedulerd.toml").write_text(
            f'grace = "1s"\nstate_dir = "{self.state}"\n{settings}\n[store]\nurl = "{self.url}"\n[web]\n{web}\n'
        )

    # -- the daemon ---------------------------------------------------------------------------------------------

    def start(
        self, *, environ: Mapping[str, str] | None = None, wait: bool = True, by: Sequence[str] = ()
    ) -> None:
        """Start the daemon, and wait until it is ready. `by` is a command that starts the one it is given."""
        self._environ = {**os.environ, **(environ or {})}
        self._variables = environ or {}
        if not (self._makes_database or by):  # who is started by another program may be another user
            self._make_database()
        with open(self.log, "ab") as output:
            if by or not self._can_be_forked(self._environ):
                self.process = subprocess.Popen(
                    [*by, *PROGRAM, *self._config, "start"],
                    cwd=self.folder,
                    env=self._environ,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            else:
                words = [*self._config, "start"]
                self.process = warm.start(
                    words, directory=self.folder, environ=self._environ, stdout=output, stderr=output
                )
        if wait:
            before = self.said("ready")
            eventually(lambda: self.said("ready") > before or self._fail_if_dead(), within=60)

    def _can_be_forked(self, environ: Mapping[str, str]) -> bool:
        return not self._is_cold and warm.can_be_forked(environ)

    @property
    def _config(self) -> Sequence[str]:
        return "--config", str(self.folder / "config" / "schedulerd.toml")

    def _make_database(self) -> None:
        self._makes_database = True  # from now on whatever is there, or is not, is meant
        file = self.state / "schedulerd.db"
        if not file.exists():
            self.state.mkdir(mode=0o750, parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_bytes(migrated())

    def _fail_if_dead(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the daemon ended:\n{self.log.read_text()}"
        return False

    def said(self, event: str) -> int:
        """How often the daemon's log has this event."""
        return self.log.read_text().count(f" {event}") if self.log.exists() else 0

    @property
    def pid(self) -> int:
        """The daemon's pid."""
        assert self.process is not None
        return self.process.pid

    def spawner(self) -> int | None:
        """The pid of the daemon's spawner."""
        return next((pid for pid in descendants(self.pid) if is_spawner(pid)), None)

    def spawners(self) -> list[int]:
        """The pids of all spawners of its state directory, also of earlier daemons whose runs go on, the newest last.

        What was forked a moment ago looks like one; it is told by whom it descends from.
        """
        alike = [pid for pid in every_pid() if is_spawner(pid) and str(self.state) in command_line(pid)]
        forked = {child for pid in alike for child in descendants(pid)}
        return sorted(pid for pid in alike if pid not in forked)

    def kill(self) -> None:
        """Kill the daemon, and only it, as kill -9 does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, sign: signal.Signals = signal.SIGINT, *, within: float = 10.0) -> int:
        """Ask the daemon to end; its exit status."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(sign)
        return self.process.wait(within * SLOWER)

    # -- asking -------------------------------------------------------------------------------------------------

    def database(self) -> Database:
        """A way of our own to its database, the same each time: what was compiled for a look is there for the next.

        Once it is closed nothing of the database is held; the next use opens it again.
        """
        return self._database

    @contextlib.contextmanager
    def _look(self) -> Iterator[Transaction]:
        """One look, of which nothing is held afterwards: the database may be taken away."""
        try:
            with self._database.read() as tx:
                yield tx
        finally:
            self._database.close()

    def cli(self, *words: str, check: bool = True) -> Any:
        """What the command line answers, as JSON. It is asked in this process, which spares most of its time, but where
        the daemon was started with what only a process of its own can have: a clock that is moved.
        """
        words = (*words, "-o", "json")
        if "LD_PRELOAD" in self._variables:
            done = self.command(*words)
            status, out, err = done.returncode, done.stdout, done.stderr
        else:
            result = CliRunner(env=self._variables).invoke(root, [*self._config, *words])
            status, out, err = result.exit_code, result.stdout, result.stderr
        if check:
            assert status == 0, err
        return json.loads(out) if out.strip() else None

    def command(self, *words: str, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Run a command of the program in the service's folder, with what the daemon was started with."""
        environ = {**(self._environ or os.environ), "COLUMNS": "200"}
        if self._can_be_forked(environ):
            return warm.run(
                [*self._config, *words], directory=self.folder, environ=environ, timeout=timeout * SLOWER
            )
        return subprocess.run(
            [*PROGRAM, *self._config, *words],
            cwd=self.folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout * SLOWER,
            check=False,
        )

    def drop(self, name: str, text: str) -> Path:
        """Put a file into the flow folder as an editor does: written beside, then renamed."""
        return _drop(self.flows / name, text)

    def schedule(self, name: str, text: str) -> Path:
        """Put a file into the schedule folder."""
        return _drop(self.schedules / name, text)

    def ask_for(self, flow: str, /, **parameters: Any) -> RunKey:
        """Record a run of a flow, and ring."""
        (key,) = self.ask_for_many(flow, 1, **parameters)
        return key

    def ask_for_many(self, flow: str, count: int, /, **parameters: Any) -> list[RunKey]:
        """Record so many runs of a flow at once, and ring."""
        now = _CLOCK.now()
        database = self.database()
        with database.write() as tx:
            held = tx.flows.get(flow).key
            new = [
                NewRun(
                    id=RunId(uuid7(now, entropy=int.from_bytes(os.urandom(9)))),
                    flow=held,
                    created_at=now,
                    due_at=now,
                    trigger=Trigger.MANUAL,
                    parameters=parameters,
                )
                for _ in range(count)
            ]
            keys = [key for key in tx.runs.add(new) if key is not None]
        database.close()
        bell = Doorbell(self.state)
        bell.ring(WOKEN)
        bell.close()
        assert len(keys) == count
        return keys

    def run(self, key: RunKey) -> Run:
        """A run as the database has it."""
        with self._look() as tx:
            return tx.runs.by_key(key)

    def kill_run(self, key: RunKey) -> None:
        """Kill the process of a run, once it is known: what runs tells so a moment before it is."""
        pid = eventually(lambda: self.run(key).pid, within=20)
        assert pid  # 0 would be all of this process's group
        os.kill(pid, signal.SIGKILL)

    def kill_spawner(self) -> None:
        """Kill the spawner, once there is one."""
        pid = eventually(self.spawner, within=20)
        assert pid
        os.kill(pid, signal.SIGKILL)

    def runs(self, wanted: RunFilter) -> list[Run]:
        """The runs that are wanted, the newest first, as the database has them."""
        with self._look() as tx:
            return list(tx.runs.list(wanted))

    def lines(self, key: RunKey) -> list[NumberedLine]:
        """The whole log of a run."""
        with self._look() as tx:
            return tx.logs.lines(key, limit=100_000)

    def hooks_due(self) -> int:
        """How many runs have ended whose hooks are to be called, or are being called."""
        with self._look() as tx:
            return sum(len(tx.hooks.due(agent.name, limit=1_000)) for agent in tx.agents.all())

    def has_flow(self, name: str) -> bool:
        """Is a flow of this name in force?"""
        with self._look() as tx:
            return name in tx.flows.names()

    def is_broken(self, file: str) -> bool:
        """Is a file of this name told as one that cannot be taken?"""
        with self._look() as tx:
            return any(Path(one.file).name == file for one in tx.flows.errors())

    def wait_for_flow(self, name: str) -> None:
        """Wait until the daemon has found a flow."""
        eventually(lambda: self.has_flow(name), within=45)

    def wait_for_end(self, key: RunKey, *, within: float = 15.0) -> Run:
        """Wait until a run has ended."""
        eventually(lambda: self.run(key).ended_at is not None, within=within)
        return self.run(key)

    def wait_for_hooks(self, *, within: float = 30.0) -> None:
        """Wait until the hooks of all runs that have ended are called."""
        eventually(lambda: not self.hooks_due(), within=within)

    def broken_invariants(self) -> list[str]:
        """What the database says that cannot be true."""
        with self._look() as tx:
            return tx.broken_invariants()

    def close(self) -> None:
        """End everything that was started here, whatever state it is in; then the invariants of its database must hold."""
        pids = [] if self.process is None else [self.pid, *descendants(self.pid)]
        held = holder(self.state) if self.state.exists() else None
        pids += [] if held is None else [held, *descendants(held)]
        since = (pid for pid in every_pid() if pid not in self.others)  # to read of every process takes long
        pids += [pid for pid in since if str(self.state) in environment(pid)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
        broken = self._broken_at_the_end()
        if broken:
            raise BrokenInvariants(broken)

    def _broken_at_the_end(self) -> list[str]:
        """What the database says that cannot be true, whatever was killed when; nothing where there is no database."""
        try:
            return self.broken_invariants()
        except SchedulerdError:  # a test has taken it away
            return []


def _drop(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.swp")
    draft.write_text(text)
    draft.rename(path)
    return path


def every_pid() -> list[int]:
    """All processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def command_line(pid: int) -> str:
    """What a process was started with, empty when it has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def environment(pid: int) -> str:
    """The environment and command line of a process as one text, empty when it has gone."""
    try:
        return Path(f"/proc/{pid}/environ").read_text(errors="replace") + command_line(pid)
    except OSError:
        return ""


def is_spawner(pid: int) -> bool:
    """Is this a spawner? What it forked shares its command line, but leads a session of its own."""
    try:
        return "engine.spawner" in command_line(pid) and os.getsid(pid) != pid
    except ProcessLookupError:
        return False


def process_state(pid: int) -> str:
    """The letter of a process's state (`T` stopped, `Z` ended and not waited for), empty when it has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def pss_kib(pid: int) -> int:
    """Its share of memory: of what several processes have in common, each has a part."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def descendants(pid: int) -> list[int]:
    """The children of a process, theirs, and so on."""
    parents: dict[int, int] = {}
    for other in every_pid():
        with contextlib.suppress(OSError, IndexError):
            parents[other] = int(Path(f"/proc/{other}/stat").read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]
