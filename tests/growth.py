"""What daemon, spawner and web hold, before and after many runs."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from schedulerd.domain.runs import RunFilter
from schedulerd.domain.states import RunState
from tests.service import Service, command_line, descendants, pss_kib
from tests.waiting import eventually

NOISE_KIB: Final = 6_000  # what allocators and page caches of SQLite take, over and above, once
SPARES: Final = 4
# its loop, and the one that waits for the daemon's end; a third settles it, once, soon after the start
_WEB_THREADS: Final = 2
_BATCH: Final = 500
_ENDED: Final = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CRASHED, RunState.SKIPPED})


def growing(folder: Path) -> Service:
    """A daemon with its web interface, on any port that is free."""
    settings = f"max_running = 8\nspare_processes = {SPARES}"
    return Service(folder, settings=settings, web="port = 0", cold=True)


class Use:
    """What one process holds."""

    def __init__(self, pid: int) -> None:
        self.pss_kib = pss_kib(pid)
        self.descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        self.threads = len(os.listdir(f"/proc/{pid}/task"))

    def __str__(self) -> str:
        return f"{self.pss_kib / 1024:.1f} MiB, {self.descriptors} descriptors, {self.threads} threads"


def uses(service: Service) -> Mapping[str, Use]:
    web = next(pid for pid in descendants(service.pid) if "web_program" in command_line(pid))
    spawner = service.spawner()
    assert spawner is not None
    # what it shares with those forked ahead counts for it in part: the same part, when there are as many
    eventually(lambda: len(descendants(spawner)) == SPARES, within=20)
    eventually(lambda: _has_settled(web), within=60)
    return {name: Use(pid) for name, pid in (("daemon", service.pid), ("spawner", spawner), ("web", web))}


def _has_settled(web: int) -> bool:
    """Has it loaded everything? What settles it opens the database, and ends."""
    opened = [os.readlink(descriptor) for descriptor in Path(f"/proc/{web}/fd").iterdir()]
    return Use(web).threads == _WEB_THREADS and any(file.endswith("schedulerd.db") for file in opened)


def run_many(service: Service, flow: str, count: int) -> None:
    """Have so many runs, and wait until all have ended."""
    while count > 0:
        service.ask_for_many(flow, min(count, _BATCH))
        count -= _BATCH
        eventually(lambda: not _is_busy(service), within=240, every=0.5)


def _is_busy(service: Service) -> bool:
    return bool(service.runs(RunFilter(states=frozenset(RunState) - _ENDED, limit=1)))
