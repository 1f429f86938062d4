"""The cost of a run: many trivial runs through the real daemon, beside bare Python interpreters in the same minute."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from schedulerd.clock import SystemClock
from schedulerd.domain.ids import RANDOM_BITS, RunId, uuid7
from schedulerd.domain.runs import NewRun, RunFilter, Trigger
from schedulerd.domain.states import RunState
from schedulerd.engine.doorbell import WOKEN, Doorbell
from tests.service import Service
from tests.waiting import eventually

RUNS = 500
INTERPRETERS = 50
FLOWS = {
    "nothing": "from schedulerd import flow\n\n@flow\ndef nothing():\n    pass\n",
    "three-tasks": """
from schedulerd import Flow, task

@task
def extract():
    return [1, 2, 3]

@task
def transform(rows):
    return [row * 2 for row in rows]

@task
def load(rows):
    print("Final data:", rows)

with Flow("three-tasks") as flow:
    load(transform(extract()))
""",
}
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What so many runs cost; CPU in milliseconds a run, of the daemon, the spawner, and the runs themselves."""

    seconds: float
    daemon_ms: float
    spawner_ms: float
    runs_ms: float

    @property
    def cpu_ms(self) -> float:
        """All of it."""
        return self.daemon_ms + self.spawner_ms + self.runs_ms


def cost_of_runs() -> None:
    """Print runs per second and CPU per run, each beside the bare interpreter's."""
    before = interpreter_ms()
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder))
        for name, text in FLOWS.items():
            service.drop(f"{name.replace('-', '_')}.py", text)
        service.start()
        try:
            measured = {name: measure(service, name) for name in FLOWS}
        finally:
            service.stop()
            service.close()
    bare = (before + interpreter_ms()) / 2
    print(f"bare interpreter (python -I -c pass): {bare:.1f} ms of CPU")
    for name, figures in measured.items():
        print(
            f"{name}: {RUNS} runs in {figures.seconds:.1f} s = {RUNS / figures.seconds:.0f} runs/s; "
            f"CPU per run {figures.cpu_ms:.1f} ms (daemon {figures.daemon_ms:.1f}, spawner {figures.spawner_ms:.1f}, "
            f"run {figures.runs_ms:.1f}) = {figures.cpu_ms / bare:.2f} x the bare interpreter"
        )


def interpreter_ms() -> float:
    """CPU of one bare interpreter, the mean of many."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(INTERPRETERS):
        subprocess.run([sys.executable, "-I", "-c", "pass"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1_000 / INTERPRETERS


def measure(service: Service, flow: str) -> Figures:
    """Start the runs all at once and wait for their ends."""
    service.wait_for_flow(flow)
    spawner = service.spawner()
    assert spawner is not None
    daemon_was, (spawner_was, runs_was) = _cpu(service.pid)[0], _cpu(spawner)
    began = time.perf_counter()
    _ask(service, flow)
    eventually(lambda: _completed(service, flow) == RUNS, within=300, every=0.1)
    seconds = time.perf_counter() - began
    daemon, (own, children) = _cpu(service.pid)[0], _cpu(spawner)
    return Figures(
        seconds=seconds,
        daemon_ms=(daemon - daemon_was) / RUNS,
        spawner_ms=(own - spawner_was) / RUNS,
        runs_ms=(children - runs_was) / RUNS,
    )


def _ask(service: Service, flow: str) -> None:
    now = SystemClock().now()
    database = service.database()
    with database.write() as tx:
        key = tx.flows.get(flow).key
        tx.runs.add(
            [
                NewRun(
                    id=RunId(uuid7(now, entropy=number << (RANDOM_BITS - 16))),
                    flow=key,
                    created_at=now,
                    due_at=now,
                    trigger=Trigger.MANUAL,
                )
                for number in range(1, RUNS + 1)
            ]
        )
    database.close()
    bell = Doorbell(service.state)
    bell.ring(WOKEN)
    bell.close()


def _completed(service: Service, flow: str) -> int:
    database = service.database()
    wanted = RunFilter(flows=(flow,), states=frozenset({RunState.COMPLETED}), limit=RUNS)
    with database.read() as tx:
        count = len(tx.runs.list(wanted))
    database.close()
    return count


def _cpu(pid: int) -> tuple[float, float]:
    """CPU milliseconds of a process itself, and of its children that have been waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own, children = (int(fields[at]) + int(fields[at + 1]) for at in (11, 13))
    return own * 1_000 / _TICKS, children * 1_000 / _TICKS
