"""A real daemon for a test, in a folder of its own: it spawns runs as in production, each in its own process."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Final

from schedulerd.authoring.loading import loaded_file
from schedulerd.clock import SystemClock
from schedulerd.domain.runs import RunFilter
from schedulerd.domain.states import FINAL
from schedulerd.engine.health_file import read_health
from schedulerd.errors import BadDefinition, NotFound, StoreUnavailable, WaitTimeout
from schedulerd.operations.operations import Operations
from schedulerd.store.database import Database
from schedulerd.testing.histories import RunHistory, history_of
from schedulerd.testing.targets import Meant, Target, meant

_POLL_SECONDS: Final = 0.02
_START_SECONDS: Final = 60.0
_END_SECONDS: Final = 30.0
_MOST_RUNS: Final = 10_000


def run_flow(
    target: Target, parameters: Mapping[str, Any] | None = None, *, within: float = 60.0
) -> RunHistory:
    """Have a daemon of its own run the flow, or that of a file, once: the history of that run.

    A test with several runs is faster with `daemon(...)`, which starts one for all of them.
    """
    with daemon(target) as started:
        return started.run(target, parameters, within=within)


@contextmanager
def daemon(*targets: Target, settings: str = "", schedules: str = "") -> Iterator["TestDaemon"]:
    """A daemon that watches the folders of these flows, until the end of the block; its store is gone after it.

    `settings` are lines of a settings file, `schedules` is the text of a schedule file. What is scheduled runs, too.
    """
    _refuse_in_a_watched_file()
    files = [what for target in targets if isinstance(what := meant(target), Meant)]
    with TemporaryDirectory(prefix="schedulerd-test-", ignore_cleanup_errors=True) as folder:
        started = TestDaemon(Path(folder), flows=sorted({what.file.parent for what in files}))
        started.write(settings=settings, schedules=schedules)
        try:
            started.start()
            for what in files:
                started.wait_for_file(what)
            yield started
        finally:
            started.close()


def _refuse_in_a_watched_file() -> None:
    """A daemon that looks at a file that starts a daemon that looks at this file would have no end."""
    file = loaded_file()
    if file is not None:
        raise BadDefinition(
            "a daemon is started for a test while this file is being looked at for flows",
            file=file,
            mend="move the test into a folder `tests`, or under `if __name__ == '__main__':`",
        )


class TestDaemon:
    """The daemon, and what can be asked of it."""

    __test__ = False  # pytest collects what is called Test...

    def __init__(self, folder: Path, *, flows: list[Path]) -> None:
        self.folder: Final = folder
        self._flows = flows
        self._state = folder / "state"
        self._log = folder / "daemon.log"
        self._clock = SystemClock()
        self._database = Database(f"sqlite:///{self._state / 'schedulerd.db'}")
        self._ask = Operations(self._database, state_dir=self._state, clock=self._clock)
        self._process: subprocess.Popen[bytes] | None = None

    # -- asked by tests -----------------------------------------------------------------------------------------

    def run(
        self, target: Target, parameters: Mapping[str, Any] | None = None, *, within: float = 60.0
    ) -> RunHistory:
        """Ask for a run of the flow, and wait until it has ended: its history, whatever it came to.

        Raises `NotFound`, `BadParameters`, `BadDefinition` for a file that cannot be loaded, and `WaitTimeout`.
        """
        what = meant(target)
        name = self.wait_for_flow(what) if isinstance(what, Meant) else what
        asked = self._ask.runs.start(name, parameters or {})
        return self.wait(asked.run.selector, within=within)

    def wait(self, selector: str, *, within: float = 60.0) -> RunHistory:
        """The history of the run that is named (`etl#1`) once it has ended, and its hooks too. Raises `WaitTimeout`."""
        self._until(
            lambda: self._ask.runs.get(selector).state in FINAL, within, f"{selector} has not ended yet"
        )
        self._until(partial(self._are_hooks_called, selector), within, f"the hooks of {selector} go on")
        return history_of(self._ask, selector)

    def _are_hooks_called(self, selector: str) -> bool:
        return not self._ask.runs.are_hooks_due(selector)

    def runs(self, flow: str | None = None) -> tuple[RunHistory, ...]:
        """All runs, or those of a flow, as they are now, the first first."""
        found = self._ask.runs.list(RunFilter(flows=(flow,) if flow else (), limit=_MOST_RUNS))
        return tuple(history_of(self._ask, run.selector) for run in reversed(found))

    def wait_for_runs(self, flow: str, count: int = 1, *, within: float = 60.0) -> tuple[RunHistory, ...]:
        """The first runs of a flow, by whatever asked for them, once so many have ended. Raises `WaitTimeout`."""
        states = frozenset(FINAL)
        wanted = RunFilter(flows=(flow,), states=states, limit=count)

        def ended() -> bool:
            with contextlib.suppress(NotFound):
                return len(self._ask.runs.list(wanted)) >= count
            return False

        self._until(ended, within, f"{flow} has not run {count} time(s) yet")
        for run in self._ask.runs.list(wanted):
            self._until(
                partial(self._are_hooks_called, run.selector), within, f"the hooks of {run.selector} go on"
            )
        return tuple(one for one in self.runs(flow) if one.state in states)[:count]

    @property
    def operations(self) -> Operations:
        """All that the command line can ask."""
        return self._ask

    # -- its life -----------------------------------------------------------------------------------------------

    def write(self, *, settings: str, schedules: str) -> None:
        """Write its settings and schedules."""
        (self.folder / "schedules").mkdir()
        (self.folder / "schedules" / "test.toml").write_text(schedules, "utf-8")
        lines = [
            f"flows = {json.dumps([str(folder) for folder in self._flows])}",
            f"state_dir = {json.dumps(str(self._state))}",
            f"schedules = {json.dumps([str(self.folder / 'schedules')])}",
            f"crontabs = {json.dumps([str(self.folder / 'schedules')])}",
            f"directory = {json.dumps(str(Path.cwd()))}",
            settings,
            "" if "[web]" in settings else "[web]\nenabled = false",
        ]
        (self.folder / "schedulerd.toml").write_text("\n".join(lines) + "\n", "utf-8")

    def start(self) -> None:
        """Start it, and wait until it is ready. Raises `BadDefinition` with what it said when it ends instead."""
        command = [
            sys.executable,
            "-m",
            "schedulerd",
            "--config",
            str(self.folder / "schedulerd.toml"),
            "start",
        ]
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment()
            )
        self._until(self._is_ready, _START_SECONDS, "the daemon is not ready yet")

    def kill(self) -> None:
        """Kill it, and only it, as kill -9 does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it and its runs."""
        self._database.close()
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def wait_for_flow(self, what: Meant) -> str:
        """The name of the flow of a file, once the daemon has looked at that. Raises `BadDefinition` where it cannot."""
        self.wait_for_file(what)
        return self._ask.flows.of_file(what.file, what.flow)

    def wait_for_file(self, what: Meant) -> None:
        """Wait until the daemon has looked at a file, and has flows of it. Raises `BadDefinition` where it cannot."""
        self._until(
            lambda: self._has_flows_of(what.file), _START_SECONDS, f"{what.file} was not looked at yet"
        )

    def _has_flows_of(self, file: Path) -> bool:
        for one in self._ask.flows.errors():
            if Path(one.file) in (file, *file.parents):
                raise BadDefinition(
                    f"{one.error.type}: {one.error.message}", file=one.file, line=one.error.line
                )
        return any(each.flow.definition.file == str(file) for each in self._ask.flows.list())

    def _is_ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise BadDefinition(f"the daemon ended:\n{self.log}", file=self.folder / "schedulerd.toml")
        said = read_health(self._state)
        return said is not None and said.pid == self._process.pid and said.health.is_ready

    @property
    def log(self) -> str:
        """What the daemon said."""
        return self._log.read_text("utf-8", "replace")

    def _until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        pause, deadline = Event(), self._clock.monotonic() + seconds
        while True:
            try:
                if condition():
                    return
            except StoreUnavailable:
                pass  # it is being made
            if self._clock.monotonic() >= deadline:
                raise WaitTimeout(f"{what}, after {seconds:g} s; the daemon said:\n{self.log[-4_000:]}")
            pause.wait(_POLL_SECONDS)


def _environment() -> dict[str, str]:
    """That of the test, without settings of a schedulerd."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("SCHEDULERD_")}
