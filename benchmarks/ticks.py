"""How late due times are decided while the web interface is used, misused and killed, beside a quiet time of the same daemon."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, Limit
from benchmarks.sizes import Size
from tests.clockwork import Clockwork, Lags, percentiles

SECONDS: Final = 60.0
CLIENTS: Final = 50
# So few samples have a 99th percentile that is nearly the greatest.
MOST: Final = 5.0


def cost_of_web_to_ticks(size: Size) -> list[Figure]:
    """The 99th percentile of the lag of a due time of each second, in three phases beside a quiet one.

    `TICK_SECONDS` is how long a phase takes.
    """
    seconds = float(os.environ.get("TICK_SECONDS", size.pick(full=SECONDS, small=SECONDS / 6)))
    with tempfile.TemporaryDirectory() as folder:
        clockwork = Clockwork(Path(folder))
        try:
            phases = _phases(clockwork, seconds)
        finally:
            clockwork.close()
    quiet = percentiles(phases.pop("quiet").decided_ms)[1]
    limit = Limit(what="in a quiet time", value=quiet, unit="ms")
    return [_figure(name, lags, limit) for name, lags in phases.items()]


def _phases(clockwork: Clockwork, seconds: float) -> dict[str, Lags]:
    found = {"quiet": clockwork.lags(seconds)}
    with clockwork.looked_at(CLIENTS) as crowd:
        found[f"{CLIENTS} clients"] = clockwork.lags(seconds)
    print(f"{CLIENTS} clients had in {seconds:g} s: {dict(crowd.answers)}")
    with ExitStack() as stack:
        readers = [stack.enter_context(clockwork.read_slowly()) for _ in range(3)]
        found["3 slow readers of a log"] = clockwork.lags(seconds, each=lambda: [read() for read in readers])
    killed = list[bool]()
    found["web process killed again and again"] = clockwork.lags(
        seconds, each=lambda: killed.append(clockwork.kill_web())
    )
    print(f"the web process was killed {sum(killed)} times")
    return found


def _figure(name: str, lags: Lags, quiet: Limit) -> Figure:
    decided, started = percentiles(lags.decided_ms), percentiles(lags.started_ms)
    return Figure(
        benchmark="ticks",
        what=f"decided, p99, {name}",
        value=decided[1],
        unit="ms",
        limit=quiet,
        is_time=True,
        target=MOST,
        details={"phase": name, "lost": len(lags.lost)}
        | {
            f"{what}_{which}_ms": value
            for what, values in (("decided", decided), ("started", started))
            for which, value in zip(("p50", "p99", "max"), values, strict=True)
        },
    )
