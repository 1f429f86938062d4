"""What processes that stay hold after many runs more than before: nothing, within what allocators take once."""

import tempfile
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure
from benchmarks.sizes import Size
from tests.growth import NOISE_KIB, growing, run_many, uses

_FLOW: Final = "from schedulerd import flow\n\n@flow\ndef job():\n    print('did it')\n"


def cost_of_growth(size: Size) -> list[Figure]:
    """The memory (PSS) of each process after many runs, over that before them."""
    count = size.pick(full=20_000, small=1_000)
    with tempfile.TemporaryDirectory() as folder:
        service = growing(Path(folder))
        service.drop("job.py", _FLOW)
        service.start()
        try:
            service.wait_for_flow("job")
            run_many(service, "job", 500)  # so that all that is held for good is held
            before = uses(service)
            run_many(service, "job", count)
            after = uses(service)
        finally:
            service.stop()
            service.close()
    return [
        Figure(
            benchmark="growth",
            what=f"{name} after {count:,} runs, over before",
            value=(use.pss_kib - before[name].pss_kib) / 1_024,
            unit="MiB",
            target=NOISE_KIB / 1_024,
            details={"process": name, "before": str(before[name]), "after": str(use)},
        )
        for name, use in after.items()
    ]
