"""What a page of a history of a million runs takes, with its counts, for one filter after the other."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from benchmarks.seed import END, RARE_ERROR, RARE_TAG, RUNS, flow_name, seed
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


def cost_of_history() -> None:
    """Print the milliseconds of CPU that a page of 50 and its counts take, and their ratio to a page without a filter.

    CPU and not time: others may use the machine. `HISTORY_DB` names a seeded SQLite file that is kept for the next time.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = seeded_history(Path(folder))
        print(f"{path.stat().st_size / RUNS:,.0f} bytes a run")
        database = Database(f"sqlite:///{path}")
        _print_table(History(database, FakeClock(END)))
        database.close()


def seeded_history(folder: Path) -> Path:
    """The file that `HISTORY_DB` names, seeded where there is none; without that one in the folder."""
    path = Path(os.environ.get("HISTORY_DB") or folder / "history.db")
    if not path.exists():
        began = time.perf_counter()
        seed(f"sqlite:///{path}")
        print(f"{RUNS:,} runs seeded in {time.perf_counter() - began:.0f} s")
    return path


def _print_table(history: History) -> None:
    print(f"{'filter':40} {'page':>7} {'counts':>7} {'both p95':>9} {'ratio':>6}")
    plain = None
    for text in FILTERS:
        query = history.query(text, zone=None)
        pages = _milliseconds(lambda query=query: history.page(query))  # type: ignore[misc]
        counts = _milliseconds(lambda query=query: history.counts(query))  # type: ignore[misc]
        both = [page + count for page, count in zip(pages, counts, strict=True)]
        plain = plain or median(both)
        slow = "  SLOW" if median(both) > LIMIT_MS else ""
        print(
            f"{text:40} {median(pages):7.2f} {median(counts):7.2f} {quantiles(both, n=20)[-1]:9.2f} "
            f"{median(both) / plain:6.2f}{slow}"
        )


def _milliseconds(work: Callable[[], object]) -> list[float]:
    taken = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        work()
        taken.append((time.thread_time() - began) * 1_000)
    return taken
