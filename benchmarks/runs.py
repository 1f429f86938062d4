"""The cost of a run: many runs through the real daemon, beside bare Python interpreters in the same minute."""

import time
from dataclasses import asdict
from typing import Final

from benchmarks.daemons import Cpu, daemon, run_at_once
from benchmarks.figures import Bound, Figure
from benchmarks.limits import Interpreters, interpreters_per_second, mean_of
from benchmarks.sizes import Size
from tests.service import Service

FLOWS: Final = {
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
ROUNDS: Final = 4


def cost_of_runs(size: Size) -> list[Figure]:
    """CPU of a recorded run, and how many runs a second end when many wait, both of an ETL of three tasks."""
    with daemon({"three-tasks": FLOWS["three-tasks"]}) as service:
        run_at_once(service, "three-tasks", 50)  # what is done once is no cost of a run
        return [
            _cpu(service, size.pick(full=250, small=50)),
            _rate(service, size.pick(full=2_000, small=300)),
        ]


def _cpu(service: Service, count: int) -> Figure:
    bare, before = Interpreters(), Cpu.of(service)
    for _ in range(ROUNDS):
        bare.start()
        run_at_once(service, "three-tasks", count)
    bare.start()
    cpu = Cpu.of(service).since(before, runs=count * ROUNDS)
    print(
        f"a run: daemon {cpu.daemon_ms:.2f} + spawner {cpu.spawner_ms:.2f} + run {cpu.runs_ms:.2f} ms of CPU"
    )
    return Figure(
        benchmark="runs",
        what="a recorded run of 3 tasks, CPU",
        value=cpu.all_ms,
        unit="ms",
        limit=bare.cpu,
        target=0.5,
        details=asdict(cpu),
    )


def _rate(service: Service, count: int) -> Figure:
    before = interpreters_per_second()
    began = time.perf_counter()
    run_at_once(service, "three-tasks", count)
    rate = count / (time.perf_counter() - began)
    return Figure(
        benchmark="runs",
        what=f"{count:,} runs of 3 tasks that wait",
        value=rate,
        unit="/s",
        limit=mean_of(before, interpreters_per_second()),
        bound=Bound.AT_LEAST,
        is_time=True,
        target=1.5,
    )
