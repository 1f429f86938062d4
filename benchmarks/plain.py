"""The cost of a flow in plain Python: beside bare interpreters in the same minute, and of a thousand trivial tasks."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Final

from schedulerd import Flow, flow, task
from schedulerd.testing import daemon
from tests.waiting import eventually

PAIRS: Final = 15
TASKS: Final = 1_000
ROUNDS: Final = 5
_REPOSITORY: Final = Path(__file__).parents[1]
_PROGRAMS: Final[Mapping[str, list[str]]] = {
    "import schedulerd": ["-c", "import schedulerd"],
    "flows/etl.py": ["flows/etl.py"],
    "flows/etl_functions.py": ["flows/etl_functions.py"],
}
_IN_A_RUN: Final = f"""
import time
from statistics import median
from schedulerd import flow, task

@task
def same(number):
    return number

def rate(work):
    taken = []
    for _ in range({ROUNDS}):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return {TASKS} / median(taken)

@flow
def thousand_tasks():
    numbers = list(range({TASKS}))
    return {{
        "in a loop": rate(lambda: [same(number) for number in numbers]),
        "by a map": rate(lambda: same.map(numbers).result()),
    }}
"""


@task
def same(number: int) -> int:
    """Gives back what it is given."""
    return number


def in_a_loop() -> None:
    """Call it a thousand times."""
    for number in range(TASKS):
        same(number)


def by_a_map() -> None:
    """Map it over a thousand numbers, in threads."""
    same.map(list(range(TASKS))).result()


with Flow("by-a-map-of-a-graph") as graph:
    same.map(list(range(TASKS)))


def cost_of_plain_python() -> None:
    """Print how many times the CPU of a bare interpreter a program takes, and how many tasks run in a second."""
    for name, arguments in _PROGRAMS.items():
        ratios = [_cpu_ms(arguments) / _cpu_ms(["-c", "pass"]) for _ in range(PAIRS)]
        print(f"{name}: {median(ratios):.2f} x the CPU of `python -c pass` (median of {PAIRS} pairs)")
    for name, rate in _rates_outside().items():
        print(f"{TASKS:,} tasks {name} in plain Python: {rate:,.0f} a second of CPU")
    for name, rate in _rates_in_a_run().items():
        print(f"{TASKS:,} tasks {name} in a run of the daemon: {rate:,.0f} a second of CPU")


def _rates_outside() -> dict[str, float]:
    standard_error, sys.stderr = sys.stderr, open(os.devnull, "w")  # noqa: SIM115  a line for each task
    try:
        outside = {
            "in a loop": _rate(flow(name="loop")(in_a_loop)),
            "by a map": _rate(flow(name="map")(by_a_map)),
            "by a map of a graph": _rate(graph.run),
        }
    finally:
        sys.stderr.close()
        sys.stderr = standard_error
    return outside


def _rates_in_a_run() -> dict[str, float]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        file = Path(folder) / "thousand_tasks.py"
        file.write_text(_IN_A_RUN)
        with daemon(file) as started:
            asked = started.operations  # not `run`: the history of so many tasks costs more than they do
            run = asked.runs.start("thousand-tasks", {}).run.selector
            eventually(lambda: asked.runs.get(run).ended_at is not None, within=300)
            found: dict[str, float] = json.loads(asked.reruns.result(run).content)
    return found


def _rate(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return TASKS / median(taken)


def _cpu_ms(arguments: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, cwd=_REPOSITORY, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1_000
