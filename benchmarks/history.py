"""What a page of a history of a million runs takes, with its counts, for one filter after the other."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from benchmarks.figures import Figure
from benchmarks.limits import INTERPRETER_MS, Interpreters
from benchmarks.seed import END, RARE_ERROR, RARE_TAG, RUNS, flow_name, seed
from benchmarks.sizes import Size
from schedulerd.operations.history import History
from schedulerd.store.database import Database
from tests.fakes import FakeClock

ROUNDS: Final = 60
LIMIT_MS: Final = 10.0
FILTERS: Final = (
    "",
    "state:bad",
    f"flow:{flow_name(100)}",
    f"flow:{flow_name(100)} state:bad",
    "tag:prod",
    f"tag:{RARE_TAG}",
    "since:24h",
    "trigger:manual",
    f'error:"{RARE_ERROR}"',
    "dur:>5000h",
    "param.region:kr",
    "nowhere",
)


def cost_of_history(size: Size) -> list[Figure]:
    """The CPU that a page of 50 runs and its counts take, by one filter after the other.

    CPU and not time: others may use the machine. `HISTORY_DB` names a seeded SQLite file that is kept for the next time.
    """
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{seeded_history(Path(folder))}")
        bare = Interpreters()
        found = _spent(History(database, FakeClock(END)), bare, size.pick(full=ROUNDS, small=5))
        database.close()
    return [_figure(text, milliseconds, bare) for text, milliseconds in found.items()]


def seeded_history(folder: Path) -> Path:
    """The file that `HISTORY_DB` names, seeded where there is none; without that one in the folder."""
    path = Path(os.environ.get("HISTORY_DB") or folder / "history.db")
    if not path.exists():
        began = time.perf_counter()
        seed(f"sqlite:///{path}")
        print(f"{RUNS:,} runs seeded in {time.perf_counter() - began:.0f} s")
    return path


def _spent(history: History, bare: Interpreters, rounds: int) -> dict[str, list[float]]:
    found = {}
    for text in FILTERS:
        query = history.query(text, zone=None)
        pages = _milliseconds(lambda query=query: history.page(query), rounds)  # type: ignore[misc]
        counts = _milliseconds(lambda query=query: history.counts(query), rounds)  # type: ignore[misc]
        found[text] = [page + count for page, count in zip(pages, counts, strict=True)]
        bare.start(5)
    return found


def _figure(text: str, milliseconds: list[float], bare: Interpreters) -> Figure:
    return Figure(
        benchmark="history",
        what=f"a page of runs, CPU: {text or 'all'}",
        value=median(milliseconds),
        unit="ms",
        limit=bare.cpu,
        target=LIMIT_MS / INTERPRETER_MS,
        details={"filter": text, "p95_ms": quantiles(milliseconds, n=20)[-1]},
    )


def _milliseconds(work: Callable[[], object], rounds: int) -> list[float]:
    taken = []
    for _ in range(rounds):
        began = time.thread_time()
        work()
        taken.append((time.thread_time() - began) * 1_000)
    return taken
