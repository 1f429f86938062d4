"""What a daemon costs that has nothing to do, and how soon it is there: memory and CPU of all its processes."""

import os
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Event
from typing import Final

from benchmarks.daemons import daemon
from benchmarks.figures import Figure
from benchmarks.limits import INTERPRETER_MS, Interpreters
from benchmarks.sizes import Size
from tests.service import Service, command_line, descendants, pss_kib
from tests.waiting import eventually

_FLOW: Final = """
from schedulerd import flow, task
from schedulerd.schedules import Cron

@task
def one():
    return 1

@flow(name="flow-{number}", schedule=Cron("{number} 3 * * *"))
def a_flow():
    return one()
"""
_FLOWS: Final = {f"flow-{number}": _FLOW.format(number=number) for number in range(10)}
_SPARES: Final = 4
_READY_SECONDS: Final = 60.0
_MOST_MIB: Final = 100.0
_MOST_PERCENT: Final = 0.3
_LATEST_MS: Final = 1_000.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """A start: the time until runs could be started, and the CPU of daemon and spawner until all spares were there."""

    ready_ms: float
    cpu_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Rested:
    """What all processes of a daemon take that does nothing."""

    mib: float
    percent: float
    by_process: dict[str, float]


def cost_of_idleness(size: Size) -> list[Figure]:
    """Memory and CPU with the web process at rest, and awake; the start of the daemon, beside bare interpreters."""
    seconds = size.pick(full=60.0, small=3.0)
    figures = [*_figures("web at rest", _at_rest(seconds), most_mib=_MOST_MIB, most_percent=_MOST_PERCENT)]
    if size is Size.FULL:
        figures += _figures("web awake", _awake(seconds))
    return [*figures, *_start(size.pick(full=7, small=1))]


def _figures(
    what: str, rested: Rested, *, most_mib: float | None = None, most_percent: float | None = None
) -> Iterator[Figure]:
    details = {"mib_by_process": rested.by_process}
    yield Figure(
        benchmark="idle",
        what=f"memory (PSS), {what}",
        value=rested.mib,
        unit="MiB",
        target=most_mib,
        details=details,
    )
    yield Figure(benchmark="idle", what=f"CPU, {what}", value=rested.percent, unit="%", target=most_percent)


def _start(count: int) -> Iterator[Figure]:
    bare = Interpreters()
    bare.start(5)
    starts = [_started() for _ in range(count + 1)][1:]  # the first finds no files warm
    bare.start(5)
    yield Figure(
        benchmark="idle",
        what="start to ready, time",
        value=median(one.ready_ms for one in starts),
        unit="ms",
        limit=bare.wall,
        target=_LATEST_MS / INTERPRETER_MS,
    )
    yield Figure(
        benchmark="idle",
        what="start until all spares are there, CPU",
        value=median(one.cpu_ms for one in starts),
        unit="ms",
        limit=bare.cpu,
        target=None,
    )


def _at_rest(seconds: float) -> Rested:
    with daemon(_FLOWS, web='port = 0\nrest_after = "1s"') as service:
        eventually(lambda: service.said("web_rests"), within=60)
        return _measured(service, seconds)


def _awake(seconds: float) -> Rested:
    with daemon(_FLOWS, web='port = 0\nrest_after = "0s"') as service:
        return _measured(service, seconds)


def _measured(service: Service, seconds: float) -> Rested:
    """After what a daemon does once, in its first moments."""
    pause = Event()
    pause.wait(seconds / 2)
    pids = [service.pid, *descendants(service.pid)]
    before, began = _cpu_ms(pids), time.monotonic()
    pause.wait(seconds)
    percent = (_cpu_ms(pids) - before) / (time.monotonic() - began) / 10
    memory: dict[str, float] = {}
    for pid in pids:
        name = _name(pid)
        memory[name] = memory.get(name, 0.0) + pss_kib(pid) / 1_024
    return Rested(mib=sum(memory.values()), percent=percent, by_process=memory)


def _started() -> Started:
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), cold=True)
        try:
            return _timed(service, Path(folder) / "notify")
        finally:
            service.stop()
            service.close()


def _timed(service: Service, address: Path) -> Started:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as told:
        told.bind(str(address))
        told.settimeout(_READY_SECONDS)
        began = time.perf_counter()
        service.start(environ={"NOTIFY_SOCKET": str(address)}, wait=False)
        while b"READY=1" not in told.recv(4_096):
            pass
        ready = time.perf_counter() - began
        eventually(lambda: len(descendants(service.pid)) > _SPARES, within=60)
        cpu = _cpu_ms([service.pid, *descendants(service.pid)])
        return Started(ready_ms=ready * 1_000, cpu_ms=cpu)


def _name(pid: int) -> str:
    line = command_line(pid)
    return next((name for name in ("web", "spawner") if f"{name}_program" in line), "daemon")


def _cpu_ms(pids: Sequence[int]) -> float:
    """What their threads have used, which the kernel counts in nanoseconds here."""
    used = 0
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(FileNotFoundError):  # it has ended
                used += int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])
    return used / 1_000_000
