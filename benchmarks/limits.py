"""What this machine itself can do, here and now: what the figures are compared with.

Targets are ratios to these. Those that were first said in milliseconds were said of a machine whose limits are the
constants here, by which they become ratios.
"""

import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.figures import Limit

INTERPRETER_MS: Final = 9.5
COMMIT_MS: Final = 0.28
FORK_MS: Final = 0.9

_WAITING: Final = 1.5
BARE: Final = (sys.executable, "-I", "-c", "pass")
_FORKS: Final = """
import os, time
import schedulerd
from statistics import median
def fork():
    began = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return (time.perf_counter() - began) * 1_000
print(median(fork() for _ in range(100)))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What a process took from its start to its end."""

    cpu_ms: float
    wall_ms: float


@dataclass(kw_only=True, slots=True)
class Interpreters:
    """Bare interpreters, started before, between and after what is measured: what they took in the middle is the limit."""

    _spent: list[Spent] = field(default_factory=list)

    def start(self, count: int = 20) -> None:
        """Start some more, one after the other."""
        self._spent += [spent_by(BARE) for _ in range(count)]

    @property
    def cpu(self) -> Limit:
        """The CPU of one."""
        return Limit(
            what="python3 -I -c pass CPU", value=median(one.cpu_ms for one in self._spent), unit="ms"
        )

    @property
    def per_second(self) -> Limit:
        """How many one processor could do in a second."""
        return Limit(what="python3 -I -c pass, 1 core", value=1_000 / self.cpu.value, unit="/s")

    @property
    def one_by_one(self) -> Limit:
        """How many end in a second when they run one after the other."""
        return Limit(what="python3 -I -c pass, one by one", value=1_000 / self.wall.value, unit="/s")

    @property
    def wall(self) -> Limit:
        """The time that one takes."""
        return Limit(
            what="python3 -I -c pass time", value=median(one.wall_ms for one in self._spent), unit="ms"
        )


def spent_by(command: Sequence[str]) -> Spent:
    """Run a command, which is to succeed; what it prints is thrown away."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{' '.join(command)} ended with {process.returncode}"
    return Spent(cpu_ms=_cpu_ms(usage), wall_ms=wall * 1_000)


@cache
def is_busy() -> bool:
    """Do other programs use the machine, so that a bare interpreter waits for a processor half as long as it computes?

    It is looked at once, when this is first asked: nothing of ours should run meanwhile.
    """
    bare = _median([spent_by(BARE) for _ in range(20)])
    return bare.wall_ms > bare.cpu_ms * _WAITING


def side_by_side(command: Sequence[str], limit: Sequence[str], *, pairs: int) -> tuple[Spent, Spent]:
    """What a command takes, and one that it is compared with: the medians of both, run in turn."""
    both = [(spent_by(command), spent_by(limit)) for _ in range(pairs + 1)][
        1:
    ]  # the first finds no files warm
    return _median([one for one, _ in both]), _median([other for _, other in both])


def interpreters_per_second(count: int = 200) -> Limit:
    """How many bare interpreters end in a second when as many are run side by side as there are processors."""
    processors = os.cpu_count() or 1
    each = count // processors
    loop = f'for i in $(seq {each}); do "$0" -I -c pass; done'
    began = time.perf_counter()
    at_once = [subprocess.Popen(["/bin/sh", "-c", loop, sys.executable]) for _ in range(processors)]
    assert all(process.wait() == 0 for process in at_once)
    rate = each * processors / (time.perf_counter() - began)
    return Limit(what=f"python3 -I -c pass, {processors} cores", value=rate, unit="/s")


def mean_of(before: Limit, after: Limit) -> Limit:
    """A limit that was measured before and after."""
    return replace(before, value=(before.value + after.value) / 2)


def commit(folder: Path, *, count: int = 200) -> Limit:
    """One commit of SQLite with fsync, in a file in that folder."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        connection = sqlite3.connect(Path(made) / "limit.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE limits (value TEXT)")
        taken = [_commit_ms(connection) for _ in range(count)]
        connection.close()
    return Limit(what="SQLite commit with fsync", value=median(taken), unit="ms")


def fork() -> Limit:
    """The fork and end of a process that has loaded what flows import."""
    done = subprocess.run([sys.executable, "-c", _FORKS], check=True, capture_output=True, text=True)
    return Limit(what="fork of a warm process", value=float(done.stdout), unit="ms")


def _commit_ms(connection: sqlite3.Connection) -> float:
    began = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO limits VALUES ('something')")
    connection.execute("COMMIT")
    return (time.perf_counter() - began) * 1_000


def _cpu_ms(usage: resource.struct_rusage) -> float:
    return (usage.ru_utime + usage.ru_stime) * 1_000


def _median(spent: Sequence[Spent]) -> Spent:
    return Spent(
        cpu_ms=median(one.cpu_ms for one in spent),
        wall_ms=median(one.wall_ms for one in spent),
    )
