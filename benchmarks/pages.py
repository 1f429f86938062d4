"""What the pages of a history of a million runs take in a web process, each beside its budget."""

import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from benchmarks.history import seeded_history
from benchmarks.runs import interpreter_ms
from benchmarks.seed import flow_name
from benchmarks.site import Site
from tests.waiting import eventually

LOADS: Final = 30
# Of any of the pages that are looked at most: the first point of the pages' acceptance.
MOST_MS: Final = 50.0
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
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_TOTAL: Final = re.compile(r"total;dur=([0-9.]+)")


@dataclass(frozen=True, kw_only=True)
class Loads:
    """What the loads of a page took, in milliseconds: by the server's own figures, and of CPU.

    `ratio` is that of the 95th percentile to the budget.
    """

    page: str
    budget_ms: float
    first_ms: float
    p50_ms: float
    p95_ms: float
    cpu_ms: float
    kilobytes: float
    ratio: float


def cost_of_pages() -> None:
    """Print for each page the milliseconds of 30 loads beside its budget, and what these cost the process in CPU.

    Others who use the machine make times longer. What stays about the same is how many bare interpreters' CPU a load takes,
    which is measured in the same minute. `BENCH_JSON` names a file to which the figures are
    added, a line for each page; `HISTORY_DB` a seeded SQLite file that is kept for the next time.
    """
    with tempfile.TemporaryDirectory() as folder, Site(seeded_history(Path(folder)), Path(folder)) as site:
        _wait_until_settled(site)
        before = interpreter_ms()
        found = [_loads(site, page, budget) for page, budget in BUDGETS_MS.items()]
        bare = (before + interpreter_ms()) / 2
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print(f"bare interpreter (python -I -c pass): {bare:.1f} ms of CPU")
    print(
        f"{'page':38} {'budget':>6} {'first':>6} {'p50':>6} {'p95':>6} {'CPU':>6} {'x bare':>6} {'kB':>5} p95/budget"
    )
    for one in found:
        _print(one, bare)
    if name := os.environ.get("BENCH_JSON"):
        with open(name, "a", encoding="utf-8") as file:
            file.writelines(
                json.dumps({"benchmark": "pages", **asdict(one), "bare_ms": bare}) + "\n" for one in found
            )


def _print(one: Loads, bare: float) -> None:
    slow = "  OVER" if one.ratio > 1 else ""
    slow += f"  OVER {MOST_MS:.0f} ms" if one.p95_ms > MOST_MS else ""
    print(
        f"{one.page:38} {one.budget_ms:6.0f} {one.first_ms:6.1f} {one.p50_ms:6.1f} {one.p95_ms:6.1f} "
        f"{one.cpu_ms:6.1f} {one.cpu_ms / bare:6.2f} {one.kilobytes:5.0f} {one.ratio:10.2f}{slow}"
    )


def _loads(site: Site, page: str, budget: float) -> Loads:
    connection = site.connect()
    path, taken, size, before = page.format_map(site.names), list[float](), 0, 0.0
    for number in range(LOADS + 1):
        if number == 1:
            before = _cpu_ms(site.pid)
        connection.request("GET", path, headers=site.headers | {"Accept-Encoding": "identity"})
        answer = connection.getresponse()
        size = len(answer.read())
        assert answer.status == 200, f"{path}: {answer.status}"
        total = _TOTAL.search(answer.headers["Server-Timing"])
        assert total is not None
        taken.append(float(total[1]))
    connection.close()
    p95 = quantiles(taken[1:], n=20)[-1]
    return Loads(
        page=page,
        budget_ms=budget,
        first_ms=taken[0],
        p50_ms=median(taken[1:]),
        p95_ms=p95,
        cpu_ms=(_cpu_ms(site.pid) - before) / LOADS,
        kilobytes=size / 1_000,
        ratio=p95 / budget,
    )


def _wait_until_settled(site: Site) -> None:
    """Until the process has done what it does once: it uses no more CPU then."""
    used = [-1.0]

    def rests() -> bool:
        used.append(_cpu_ms(site.pid))
        return used[-1] == used[-2]

    eventually(rests, within=60, every=0.5)


def _cpu_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000 / _TICKS
