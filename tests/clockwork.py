"""A daemon with a schedule for every second, its pages, and how late each second was decided."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import quantiles
from threading import Event
from typing import Final

from schedulerd.clock import SystemClock
from schedulerd.domain.access import Role
from schedulerd.domain.runs import RunFilter
from schedulerd.operations.operations import Operations
from tests.crowd import Crowd, SlowReader
from tests.service import Service, command_line, descendants
from tests.waiting import eventually
from tests.web.entering import cookie_for

_SECOND: Final = timedelta(seconds=1)
_FLOWS: Final = """
from schedulerd import flow

@flow
def second():
    pass

@flow
def much():
    for number in range(20_000):
        print(f"line {number} of a log that somebody reads slowly")
"""
_SCHEDULE: Final = '[[schedule]]\nname = "each-second"\nflow = "second"\nevery = "1s"\noverlap = "allow"\n'


@dataclass(frozen=True, kw_only=True, slots=True)
class Lags:
    """Of the due times of a stretch: how many milliseconds after each it was decided, and its run had started.

    `lost` were never decided at all.
    """

    decided_ms: tuple[float, ...]
    started_ms: tuple[float, ...]
    lost: tuple[datetime, ...]


def percentiles(values: tuple[float, ...]) -> tuple[float, float, float]:
    """The median, the 99th percentile and the greatest."""
    cuts = quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98], max(values)


class Clockwork:
    """The daemon, until it is closed."""

    def __init__(self, folder: Path) -> None:
        self.service: Final = Service(folder, web="port = 0")
        self.service.drop("flows.py", _FLOWS)
        self.service.start()
        self.service.wait_for_flow("much")
        key = self.service.ask_for("much")
        self.run: Final = str(self.service.wait_for_end(key, within=60).id)
        self.port: Final = int(re.findall(r"ready web=\S+:(\d+)", self.service.log.read_text())[-1])
        database = self.service.database()
        operations = Operations(database, state_dir=self.service.state, clock=SystemClock())
        self.cookie: Final = cookie_for(operations, Role.OPERATOR)
        database.close()
        self.service.schedule("seconds.toml", _SCHEDULE)
        eventually(self._due, within=60)

    def close(self) -> None:
        """End all of it."""
        self.service.stop()
        self.service.close()

    @contextmanager
    def looked_at(self, count: int) -> Iterator[Crowd]:
        """So many look at pages as fast as they can."""
        with Crowd(self.port, self.cookie, run=self.run, count=count) as crowd:
            yield crowd

    @contextmanager
    def read_slowly(self) -> Iterator[Callable[[], object]]:
        """Somebody reads the long log, a little each time that this is called."""
        with SlowReader(self.port, self.cookie, f"/api/v1/runs/{self.run}/logs?follow=1") as reader:
            yield reader.read

    def web(self) -> int | None:
        """The pid of the web process, while there is one."""
        found = (pid for pid in descendants(self.service.pid) if "web_program" in command_line(pid))
        return next(found, None)

    def kill_web(self) -> bool:
        """Kill it as `kill -9` does; False when there was none."""
        pid = self.web()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        return pid is not None

    def lags(self, seconds: float, *, each: Callable[[], object] = lambda: None) -> Lags:
        """Let so many seconds pass, with `each` done every half second, and see what became of their due times."""
        pause, since = Event(), SystemClock().now()
        until = since + timedelta(seconds=seconds)
        while SystemClock().now() < until:
            each()
            pause.wait(0.5)
        eventually(lambda: max(self._due()) > until, within=60)
        return self._lags(since, until)

    def _due(self) -> dict[datetime, tuple[datetime, datetime | None]]:
        """When each due time was decided, and its run had started."""
        wanted = RunFilter(flows=("second",), limit=10_000)
        return {run.due_at: (run.created_at, run.started_at) for run in self.service.runs(wanted)}

    def _lags(self, since: datetime, until: datetime) -> Lags:
        found = {due: both for due, both in self._due().items() if since <= due <= until}
        first, last = min(found), max(found)
        every = [first + number * _SECOND for number in range(round((last - first) / _SECOND) + 1)]
        return Lags(
            decided_ms=tuple((at - due) / _SECOND * 1_000 for due, (at, _) in found.items()),
            started_ms=tuple(
                (at - due) / _SECOND * 1_000 for due, (_, at) in found.items() if at is not None
            ),
            lost=tuple(due for due in every if due not in found),
        )
