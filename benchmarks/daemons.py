"""A daemon in a folder of its own to be measured: runs asked for all at once, and the CPU of its processes."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from tests.service import Service
from tests.waiting import eventually

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@contextmanager
def daemon(
    flows: Mapping[str, str], *, settings: str = "", web: str = "enabled = false"
) -> Iterator[Service]:
    """One that has found these flows, each of which is in a file of its name; it ends with the `with`."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), settings=settings, web=web, cold=True)
        for name, text in flows.items():
            service.drop(f"{name.replace('-', '_')}.py", text)
        service.start()
        try:
            for name in flows:
                service.wait_for_flow(name)
            yield service
        finally:
            service.stop()
            service.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Cpu:
    """Milliseconds of CPU of the daemon, of its spawner, and of the runs, which are the spawner's children."""

    daemon_ms: float
    spawner_ms: float
    runs_ms: float

    @classmethod
    def of(cls, service: Service) -> Self:
        """What they have used until now."""
        spawner = service.spawner()
        assert spawner is not None
        own, children = cpu_of(spawner)
        return cls(daemon_ms=cpu_of(service.pid)[0], spawner_ms=own, runs_ms=children)

    def since(self, before: Self, *, runs: int) -> Self:
        """What each of so many runs has used."""
        return type(self)(
            daemon_ms=(self.daemon_ms - before.daemon_ms) / runs,
            spawner_ms=(self.spawner_ms - before.spawner_ms) / runs,
            runs_ms=(self.runs_ms - before.runs_ms) / runs,
        )

    @property
    def all_ms(self) -> float:
        """All of it."""
        return self.daemon_ms + self.spawner_ms + self.runs_ms


def cpu_of(pid: int) -> tuple[float, float]:
    """CPU milliseconds of a process itself, and of its children that have been waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own, children = (int(fields[at]) + int(fields[at + 1]) for at in (11, 13))
    return own * 1_000 / _TICKS, children * 1_000 / _TICKS


def run_at_once(service: Service, flow: str, count: int) -> None:
    """Ask for so many runs of a flow, and wait until all have completed."""
    before = completed(service)
    service.ask_for_many(flow, count)
    eventually(lambda: completed(service) - before == count, within=300, every=0.1)


def completed(service: Service) -> int:
    """How many runs have completed."""
    connection = connect(service)
    (count,) = connection.execute("SELECT count(*) FROM runs WHERE state = 'completed'").fetchone()
    connection.close()
    return int(count)


def connect(service: Service) -> sqlite3.Connection:
    """The daemon's database, to be read by SQLite itself: whoever looks often is to cost next to nothing."""
    return sqlite3.connect(f"file:{service.state}/schedulerd.db?mode=ro", uri=True)
