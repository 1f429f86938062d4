"""Run the benchmarks, and print one table of what they found: `python -m benchmarks [--small] [--check] [NAME ...]`."""

import argparse
import compileall
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from benchmarks.cgroups import cost_of_cgroups
from benchmarks.commands import cost_of_commands
from benchmarks.figures import Figure, append_json, table
from benchmarks.growth import cost_of_growth
from benchmarks.history import cost_of_history
from benchmarks.idle import cost_of_idleness
from benchmarks.lags import cost_of_lags
from benchmarks.limits import is_busy
from benchmarks.pages import cost_of_pages
from benchmarks.plain import cost_of_plain_python
from benchmarks.records import cost_of_records
from benchmarks.runs import cost_of_runs
from benchmarks.scale import cost_of_scale
from benchmarks.sizes import Size
from benchmarks.ticks import cost_of_web_to_ticks

BENCHMARKS: Final[Mapping[str, Callable[[Size], Sequence[Figure]]]] = {
    "runs": cost_of_runs,
    "lags": cost_of_lags,
    "scale": cost_of_scale,
    "commands": cost_of_commands,
    "idle": cost_of_idleness,
    "records": cost_of_records,
    "growth": cost_of_growth,
    "plain": cost_of_plain_python,
    "history": cost_of_history,
    "pages": cost_of_pages,
    "ticks": cost_of_web_to_ticks,
    "cgroups": cost_of_cgroups,
}
_REPOSITORY: Final = Path(__file__).parents[1]
SMALL: Final = ("runs", "lags", "commands", "idle", "records", "plain")
"""Those that say something within seconds."""
_TRIES: Final = 4  # at most: what others do with the machine passes
_NO_FIGURES: Final = (Exception, pytest.skip.Exception)


def main(words: Sequence[str]) -> int:
    """Run those that are named, or all; the exit status tells of a missed target only with `--check`.

    `BENCH_JSON` names a file to which the figures are added, a line of JSON for each.
    """
    asked = _parser().parse_args(words)
    _try_json()
    size = Size.SMALL if asked.small else Size.FULL
    _compile()
    is_busy()  # before something of ours is
    figures, failed = list[Figure](), list[str]()
    for name in asked.names or (SMALL if asked.small else BENCHMARKS):
        print(f"-- {name}", flush=True)
        try:
            figures += _judged(name, size) if asked.check else BENCHMARKS[name](size)
        except _NO_FIGURES:  # border: one that cannot be measured leaves the figures of the others
            traceback.print_exc()
            failed.append(name)
    _tell(figures, failed)
    return 1 if failed or (asked.check and any(_is_too_much(figure, size) for figure in figures)) else 0


def _judged(name: str, size: Size) -> list[Figure]:
    """The figures of a benchmark; where one would fail the check all are measured again, and the better ones count."""
    figures = list(BENCHMARKS[name](size))
    for _ in range(_TRIES - 1):
        if not any(_is_too_much(figure, size) for figure in figures):
            break
        print("   once more", flush=True)
        again = BENCHMARKS[name](size)
        figures = [one.better(other) for one, other in zip(figures, again, strict=True)]
    return figures


def _is_too_much(figure: Figure, size: Size) -> bool:
    """Times are not judged where others use the machine, which makes them any number of times as long."""
    return not figure.is_met_with(size.leeway) and not (figure.is_time and is_busy())


def _tell(figures: Sequence[Figure], failed: Sequence[str]) -> None:
    busy = ", busy with something else: times say little" if is_busy() else ""
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors{busy}\n")
    print(table(figures))
    for name in failed:
        print(f"{name} could not be measured")
    if path := os.environ.get("BENCH_JSON"):
        append_json(Path(path), figures)


def _try_json() -> None:
    """A place where nothing can be written is told before minutes have passed."""
    path = os.environ.get("BENCH_JSON")
    try:
        if path:
            append_json(Path(path), ())
    except OSError as error:
        sys.exit(f"BENCH_JSON={path}: {error.strerror}")


def _compile() -> None:
    """What is measured has been compiled before, as what was installed has: also where nobody wants compiled files."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for package in ("schedulerd", "flows"):
        compileall.compile_dir(_REPOSITORY / package, quiet=1)


def _name(word: str) -> str:
    if word not in BENCHMARKS:
        raise argparse.ArgumentTypeError(f"there is no {word!r}; there are {', '.join(BENCHMARKS)}")
    return word


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks", description="What schedulerd costs.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", type=_name, help=f"one of {', '.join(BENCHMARKS)}"
    )
    parser.add_argument("--small", action="store_true", help="within a minute, and only roughly")
    parser.add_argument("--check", action="store_true", help="fail where a target is missed")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
