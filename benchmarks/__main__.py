"""Run the benchmarks: `python -m benchmarks [NAME ...]`; without names all of them."""

import sys

from benchmarks.cgroups import cost_of_cgroups
from benchmarks.history import cost_of_history
from benchmarks.pages import cost_of_pages
from benchmarks.plain import cost_of_plain_python
from benchmarks.runs import cost_of_runs
from benchmarks.ticks import cost_of_web_to_ticks

BENCHMARKS = {
    "runs": cost_of_runs,
    "cgroups": cost_of_cgroups,
    "plain": cost_of_plain_python,
    "history": cost_of_history,
    "pages": cost_of_pages,
    "ticks": cost_of_web_to_ticks,
}


def main(names: list[str]) -> int:
    """Run the named ones, each printing its figures; 2 for a name that there is not."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"there is no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
