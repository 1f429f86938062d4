"""The cost of a flow in plain Python: beside bare interpreters in the same minute, and of a thousand trivial tasks."""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.figures import Bound, Figure, Limit
from benchmarks.limits import INTERPRETER_MS, Interpreters, side_by_side
from benchmarks.sizes import Size
from schedulerd import Flow, flow, task
from schedulerd.testing import daemon
from tests.waiting import eventually

PAIRS: Final = 15
TASKS: Final = 1_000
ROUNDS: Final = 5
_REPOSITORY: Final = Path(__file__).parents[1]
TASKS_A_SECOND: Final = 10_000
_PROGRAMS: Final[Mapping[str, tuple[Sequence[str], float]]] = {
    "import schedulerd": (["-c", "import schedulerd"], 3.0),
    "flows/etl.py": ([str(_REPOSITORY / "flows/etl.py")], 4.0),
    "flows/etl_functions.py": ([str(_REPOSITORY / "flows/etl_functions.py")], 4.0),
}
"""What each is started with, and how many times the CPU of an interpreter it may take."""
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


def cost_of_plain_python(size: Size) -> list[Figure]:
    """What a program with a flow takes, and how many tasks it does in a second of CPU, here and in a run of the daemon."""
    found = [_program(name, pairs=size.pick(full=PAIRS, small=5)) for name in _PROGRAMS]
    bare = Interpreters()
    bare.start()
    rates = {f"{how}, plain Python": rate for how, rate in _rates_outside().items()}
    rates |= {f"{how}, in a run": rate for how, rate in _rates_in_a_run().items()}
    bare.start()
    return [*found, *(_tasks(how, rate, bare) for how, rate in rates.items())]


def _program(name: str, *, pairs: int) -> Figure:
    arguments, target = _PROGRAMS[name]
    ours, bare = side_by_side([sys.executable, *arguments], [sys.executable, "-c", "pass"], pairs=pairs)
    return Figure(
        benchmark="plain",
        what=f"{name}, CPU",
        value=ours.cpu_ms,
        unit="ms",
        limit=Limit(what="python -c pass, CPU", value=bare.cpu_ms, unit="ms"),
        target=target,
    )


def _tasks(how: str, rate: float, bare: Interpreters) -> Figure:
    return Figure(
        benchmark="plain",
        what=f"tasks {how}",
        value=rate,
        unit="/s",
        limit=bare.per_second,
        bound=Bound.AT_LEAST,
        target=TASKS_A_SECOND * INTERPRETER_MS / 1_000,
    )


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
