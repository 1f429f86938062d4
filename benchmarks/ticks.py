"""How late due times are decided while the web interface is used, misused and killed, beside a quiet time of the same daemon."""

import json
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.clockwork import Clockwork, Lags, percentiles

SECONDS: Final = 60.0
CLIENTS: Final = 50


def cost_of_web_to_ticks() -> None:
    """Print the median, the 99th percentile and the greatest lag of a due time of each second, in four phases, and ratios to the
    quiet one. `TICK_SECONDS` is how long a phase takes; `BENCH_JSON` names a file to which the figures are added."""
    seconds = float(os.environ.get("TICK_SECONDS", SECONDS))
    with tempfile.TemporaryDirectory() as folder:
        clockwork = Clockwork(Path(folder))
        try:
            phases = _phases(clockwork, seconds)
        finally:
            clockwork.close()
    print(
        f"{'phase':34} {'decided: p50':>12} {'p99':>7} {'max':>7} {'started: p50':>13} {'p99':>7} {'max':>7}  lost"
    )
    for name, lags in phases.items():
        _print(name, lags, phases["quiet"])


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


def _print(name: str, lags: Lags, quiet: Lags) -> None:
    decided, started = percentiles(lags.decided_ms), percentiles(lags.started_ms)
    ratio = decided[1] / percentiles(quiet.decided_ms)[1]
    print(
        f"{name:34} {decided[0]:12.1f} {decided[1]:7.1f} {decided[2]:7.1f} {started[0]:13.1f} {started[1]:7.1f} "
        f"{started[2]:7.1f}  {len(lags.lost)} of {len(lags.decided_ms) + len(lags.lost)}; p99 {ratio:.1f} x quiet"
    )
    if file_name := os.environ.get("BENCH_JSON"):
        told = {"benchmark": "ticks", "phase": name, "lost": len(lags.lost)} | {
            f"{what}_{which}_ms": value
            for what, values in (("decided", decided), ("started", started))
            for which, value in zip(("p50", "p99", "max"), values, strict=True)
        }
        with open(file_name, "a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")
