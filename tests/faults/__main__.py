"""Long campaigns: `make nemesis MINUTES=30 SEED=7 DATABASE=sqlite`. A failure says what was violated, and where all is kept."""

import argparse
import random
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.faults.campaign import Campaign, Outcome
from tests.postgres import PostgresServer, installations

_MEBIBYTES_A_MINUTE: Final = 12


def main() -> int:
    """Run one campaign; the exit status says whether there was a violation."""
    parser = argparse.ArgumentParser(prog="nemesis", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    folder = Path(tempfile.mkdtemp(prefix=f"nemesis-{options.database}-{seed}-"))
    print(f"{options.database}, {options.minutes:g} minutes, seed {seed}, in {folder}", flush=True)
    outcome = _run(folder, seed=seed, minutes=options.minutes, postgres=options.database == "postgres")
    (folder / "report").write_text(outcome.report)
    print(outcome.report)
    return 1 if outcome.violations else 0


def _run(folder: Path, *, seed: int, minutes: float, postgres: bool) -> Outcome:
    with ExitStack() as ends:
        server = (
            ends.enter_context(PostgresServer(installations()[0], synchronous_commit="on"))
            if postgres
            else None
        )
        room = 64 + round(minutes * _MEBIBYTES_A_MINUTE)
        return Campaign(folder, seed=seed, server=server, mebibytes=room).run(seconds=minutes * 60)


if __name__ == "__main__":
    sys.exit(main())
