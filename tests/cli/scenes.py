"""What tests of the command line begin with: a folder with settings and a database, and a way to call the program."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from schedulerd.cli.invocation import Invocation
from schedulerd.cli.root import root
from schedulerd.clock import SystemClock
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FlowDefinition
from schedulerd.domain.ids import RunKey
from schedulerd.domain.intakes import Intake
from schedulerd.domain.logs import LogLine
from schedulerd.domain.runs import Position
from schedulerd.domain.states import RunState
from schedulerd.domain.tasks import TaskRun
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import NOW, a_file, a_flow
from tests.store.scenes import PATHS, add, move

PARAMETERS = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "default": "kr"},
        "rows": {"type": "integer"},
        "day": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": None},
    },
    "additionalProperties": False,
}


class StillClock:
    """A clock that shows one moment. Each look at the seconds calls `on_look`, and moves them on by `step`."""

    def __init__(
        self, now: datetime = NOW, *, step: float = 0.0, on_look: Callable[[], None] = lambda: None
    ) -> None:
        self._now = now
        self._seconds = 0.0
        self._step = step
        self._on_look = on_look

    def now(self) -> datetime:
        """The moment."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that go on by `step` with each look."""
        self._on_look()
        self._seconds += self._step
        return self._seconds


class Project:
    """A folder with settings, flow and schedule folders, and a migrated database."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.database = database
        self.state_dir = folder / "state"
        self.config = folder / "config" / "schedulerd.toml"

    def call(
        self,
        *args: str,
        clock: StillClock | SystemClock | None = None,
        environ: Mapping[str, str] | None = None,
        typed: str | None = None,
    ) -> Result:
        """Call the program in this process, at `NOW`, with times in UTC unless `--tz` is among `args`."""
        invocation = Invocation(clock=clock or StillClock(), environ=environ or {})
        zone = [] if "--tz" in args else ["--utc"]
        return CliRunner().invoke(
            root, ["--config", str(self.config), *zone, *args], obj=invocation, input=typed
        )

    def command(self, *args: str) -> list[str]:
        """The program as a process of its own."""
        return [sys.executable, "-P", "-m", "schedulerd", "--config", str(self.config), *args]

    def spawn(self, *args: str, **more: Any) -> "subprocess.Popen[str]":
        """Start it so, with pipes for its output."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(self.command(*args), text=True, **{**pipes, **more})

    def add_flow(self, name: str = "etl", **changes: Any) -> None:
        """Put a flow in force, as the daemon does when it has looked at its file."""
        definition = a_flow(
            name, **{"parameters": PARAMETERS, "file": str(self.folder / f"{name}.py")} | changes
        )
        with self.database.write() as tx:
            put_flow(tx, definition)

    def add_run(self, state: RunState = RunState.COMPLETED, *, flow: str = "etl", **changes: Any) -> RunKey:
        """A run of the flow in this state."""
        with self.database.write() as tx:
            key = add(tx, tx.flows.get(flow).key, **changes)
            move_to(tx, key, state)
        return key

    def take(self, key: RunKey, *lines: LogLine, tasks: Sequence[TaskRun] = ()) -> None:
        """Have the run say these lines."""
        with self.database.write() as tx:
            was = tx.runs.by_key(key).position
            now = Position(journal=was.journal + 100)
            tx.intake.take([Intake(run=key, was=was, now=now, lines=lines, tasks=tuple(tasks))])

    def move(self, key: RunKey, *states: RunState) -> None:
        """Move the run through these states."""
        with self.database.write() as tx:
            for state in states:
                assert move(tx, key, state, at=NOW + timedelta(seconds=2), actor="run")


def put_flow(tx: Transaction, definition: FlowDefinition) -> None:
    """Put a flow in force, with a version of its own."""
    tx.flows.put_file(a_file(definition, version=definition.name.encode().hex().ljust(64, "0")), now=NOW)


def move_to(tx: Transaction, key: RunKey, state: RunState) -> None:
    """Bring a run to a state by legal moves, one second apart; a failure where the state is a bad one."""
    for number, step in enumerate(PATHS[state]):
        is_bad = step in (RunState.FAILED, RunState.CRASHED, RunState.TIMED_OUT)
        assert move(
            tx,
            key,
            step,
            at=NOW + timedelta(seconds=number),
            reason="overlap" if step is RunState.SKIPPED else "",
            failure=Failure(type="KeyError", message="'region'", task="load") if is_bad else None,
        )
