"""What a cgroup for each run costs: the same runs with and without, in the same minute, in turn."""

import statistics
import tempfile
from pathlib import Path

from benchmarks.runs import FLOWS, RUNS, Figures, measure
from tests.cgroups import being_in, delegated_cgroup
from tests.service import Service

_ROUNDS = 3


def cost_of_cgroups() -> None:
    """Print seconds and CPU of many trivial runs without cgroups and with, and the ratio."""
    without, within = [], []
    with delegated_cgroup() as cgroup, tempfile.TemporaryDirectory() as folder:
        for number in range(_ROUNDS):
            without.append(_measure(Path(folder, f"without-{number}")))
            with being_in(cgroup):
                within.append(_measure(Path(folder, f"within-{number}")))
    for name, all_figures in (("without cgroups", without), ("with", within)):
        print(
            f"{name}: {RUNS} runs in {_median(all_figures, 'seconds'):.1f} s; CPU per run "
            f"{_median(all_figures, 'cpu_ms'):.2f} ms (spawner {_median(all_figures, 'spawner_ms'):.2f}, "
            f"run {_median(all_figures, 'runs_ms'):.2f})"
        )
    for what in ("seconds", "cpu_ms"):
        print(f"{what}: {_median(within, what) / _median(without, what):.2f} x with cgroups")


def _measure(folder: Path) -> Figures:
    folder.mkdir()
    service = Service(folder)
    service.drop("nothing.py", FLOWS["nothing"])
    service.start()
    try:
        return measure(service, "nothing")
    finally:
        service.stop()
        service.close()


def _median(figures: list[Figures], what: str) -> float:
    return statistics.median(float(getattr(one, what)) for one in figures)
