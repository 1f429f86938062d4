"""How late runs start: with many schedules due in each second, and with very many in one."""

import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Final

from benchmarks.daemons import connect, daemon
from benchmarks.figures import Figure
from benchmarks.limits import INTERPRETER_MS, Interpreters
from benchmarks.sizes import Size
from schedulerd.clock import SystemClock
from tests.service import Service
from tests.waiting import eventually

EACH_SECOND: Final = 100
_MILLISECOND: Final = timedelta(milliseconds=1)
# Looking at the clock is the first thing it does; how late that was it says afterwards.
_TELLING: Final = """
import time
from schedulerd import flow
from schedulerd.runtime import flow_run

@flow
def telling():
    now = time.time()
    late = now - flow_run.scheduled_start_time.timestamp()
    with open({path!r}, "a") as file:
        file.write(f"{{late * 1_000:.3f}}\\n")
"""
_NOTHING: Final = "from schedulerd import flow\n\n@flow\ndef nothing():\n    pass\n"


def cost_of_lags(size: Size) -> list[Figure]:
    """From due to the first line of user code; and many due in the same second, until all are decided, and all started."""
    return [*_each_second(size.pick(full=30, small=3)), *_in_one_second(size.pick(full=1_000, small=200))]


def _each_second(seconds: int) -> list[Figure]:
    bare = Interpreters()
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "late")
        with daemon({"telling": _TELLING.format(path=str(told))}) as service:
            bare.start()
            service.schedule("seconds.toml", "".join(_every_second(number) for number in range(EACH_SECOND)))
            wanted = (seconds + 2) * EACH_SECOND  # the first two are not yet what it is like
            eventually(lambda: told.exists() and len(_lines(told)) >= wanted, within=seconds + 30, every=0.5)
            late = [float(line) for line in _lines(told)[2 * EACH_SECOND : wanted]]
            bare.start()
    p50, p99 = _percentiles(late)
    what = f"due to first line, {EACH_SECOND} a second"
    return [_late(f"{what}, p50", p50, 10, bare), _late(f"{what}, p99", p99, 50, bare)]


def _in_one_second(count: int) -> list[Figure]:
    bare = Interpreters()
    with daemon({"nothing": _NOTHING}, settings='timezone = "UTC"') as service:
        bare.start()
        due = SystemClock().now().replace(microsecond=0) + timedelta(seconds=5)
        service.schedule("once.toml", "".join(_once(number, due) for number in range(count)))
        decided, started = _seen(service, due, count)
        bare.start()
    share = count / 1_000
    return [
        _late(f"{count:,} due in one second, decided, p99", decided, 250 * share, bare),
        _late(f"{count:,} due in one second, all started", started, 4_000 * share, bare),
    ]


def _seen(service: Service, due: datetime, count: int) -> tuple[float, float]:
    """How many milliseconds after the due time 99 % of the runs were in the database, and the last had started.

    What a run says of when it was made is when the daemon began to think about it, so others look when it is there.
    """
    connection, seen = connect(service), list[tuple[float, int, int]]()

    def all_started() -> bool:
        runs, started = connection.execute("SELECT count(*), count(started_at) FROM runs").fetchone()
        seen.append(((SystemClock().now() - due) / _MILLISECOND, runs, started))
        return bool(started >= count)

    eventually(all_started, within=60, every=0.004)
    connection.close()
    assert max(runs for _, runs, _ in seen) == count
    return next(at for at, runs, _ in seen if runs >= count * 0.99), seen[-1][0]


def _late(what: str, milliseconds: float, allowed: float, bare: Interpreters) -> Figure:
    return Figure(
        benchmark="lags",
        what=what,
        value=milliseconds,
        unit="ms",
        limit=bare.wall,
        is_time=True,
        target=allowed / INTERPRETER_MS,
    )


def _every_second(number: int) -> str:
    """Not all in the same moment: 10 ms after one another."""
    at = f"2026-01-01T00:00:00.{number * 1_000 // EACH_SECOND:03}"
    return f'[[schedule]]\nname = "second-{number}"\nflow = "telling"\nevery = "1s"\noverlap = "allow"\nanchor = "{at}"\n'


def _once(number: int, due: datetime) -> str:
    at = due.strftime("%Y-%m-%dT%H:%M:%S")
    return f'[[schedule]]\nname = "once-{number}"\nflow = "nothing"\nat = "{at}"\n'


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    cuts = quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98]
