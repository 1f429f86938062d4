"""What a cgroup for each run costs: the same runs with and without, in the same minute, in turn."""

from statistics import median
from typing import Final

from benchmarks.daemons import Cpu, daemon, run_at_once
from benchmarks.figures import Figure, Limit
from benchmarks.runs import FLOWS
from benchmarks.sizes import Size
from tests.cgroups import being_in, delegated_cgroup

_ROUNDS: Final = 3


def cost_of_cgroups(size: Size) -> list[Figure]:
    """CPU of a run in a cgroup of its own, beside one without."""
    count = size.pick(full=500, small=100)
    without, within = list[float](), list[float]()
    with delegated_cgroup() as cgroup:
        for _ in range(_ROUNDS):
            without.append(_cpu_ms(count))
            with being_in(cgroup):
                within.append(_cpu_ms(count))
    return [
        Figure(
            benchmark="cgroups",
            what="a run in a cgroup of its own, CPU",
            value=median(within),
            unit="ms",
            limit=Limit(what="one in none", value=median(without), unit="ms"),
            target=1.5,
        )
    ]


def _cpu_ms(count: int) -> float:
    with daemon({"nothing": FLOWS["nothing"]}) as service:
        before = Cpu.of(service)
        run_at_once(service, "nothing", count)
        return Cpu.of(service).since(before, runs=count).all_ms
