"""What the pages of a history of a million runs take in a web process, each beside its budget."""

import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from benchmarks.daemons import cpu_of
from benchmarks.figures import Figure
from benchmarks.history import seeded_history
from benchmarks.limits import INTERPRETER_MS, Interpreters
from benchmarks.seed import flow_name
from benchmarks.site import Site
from benchmarks.sizes import Size
from tests.waiting import eventually

LOADS: Final = 30
BUDGETS_MS: Final = {
    "/": 30,
    "/?range=30d": 30,
    "/flows": 30,
    "/runs": 15,
    "/runs?q=state:bad": 15,
    "/palette?part=choices&q=load": 20,
    "/palette?part=choices&q=>run+load": 20,
    "/runs/{tasks}": 35,
    "/runs/{log}/logs/chunk?before=100000": 15,
    f"/flows/{flow_name(50)}/strip": 15,
}
_TOTAL: Final = re.compile(r"total;dur=([0-9.]+)")


def cost_of_pages(size: Size) -> list[Figure]:
    """The 95th percentile of what the server took for loads of each page, beside the page's budget.

    `HISTORY_DB` names a seeded SQLite file that is kept for the next time.
    """
    loads, bare = size.pick(full=LOADS, small=10), Interpreters()
    with tempfile.TemporaryDirectory() as folder, Site(seeded_history(Path(folder)), Path(folder)) as site:
        _wait_until_settled(site)
        bare.start()
        found = {page: _loads(site, page, loads) for page in BUDGETS_MS}
        bare.start()
    return [_figure(page, taken, bare) for page, taken in found.items()]


@dataclass(frozen=True, kw_only=True)
class Loads:
    """What the loads of a page took, in milliseconds: by the server's own figures, and of CPU."""

    first_ms: float
    p50_ms: float
    p95_ms: float
    cpu_ms: float
    kilobytes: float


def _figure(page: str, loads: Loads, bare: Interpreters) -> Figure:
    budget = BUDGETS_MS[page]
    return Figure(
        benchmark="pages",
        what=f"{page}, p95",
        value=loads.p95_ms,
        unit="ms",
        limit=bare.wall,
        is_time=True,
        target=budget / INTERPRETER_MS,
        details={"page": page, "budget_ms": budget, **asdict(loads), "bare_ms": bare.cpu.value},
    )


def _loads(site: Site, page: str, loads: int) -> Loads:
    connection = site.connect()
    path, taken, size, before = page.format_map(site.names), list[float](), 0, 0.0
    for number in range(loads + 1):
        if number == 1:
            before = cpu_of(site.pid)[0]
        connection.request("GET", path, headers=site.headers | {"Accept-Encoding": "identity"})
        answer = connection.getresponse()
        size = len(answer.read())
        assert answer.status == 200, f"{path}: {answer.status}"
        total = _TOTAL.search(answer.headers["Server-Timing"])
        assert total is not None
        taken.append(float(total[1]))
    connection.close()
    return Loads(
        first_ms=taken[0],
        p50_ms=median(taken[1:]),
        p95_ms=quantiles(taken[1:], n=20)[-1],
        cpu_ms=(cpu_of(site.pid)[0] - before) / loads,
        kilobytes=size / 1_000,
    )


def _wait_until_settled(site: Site) -> None:
    """Until the process has done what it does once: it uses no more CPU then."""
    used = [-1.0]

    def rests() -> bool:
        used.append(cpu_of(site.pid)[0])
        return used[-1] == used[-2]

    eventually(rests, within=60, every=0.5)
