"""Many runs: memory, descriptors and threads of daemon, spawner and web stay as they were, and nothing is left behind."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from schedulerd.clock import SystemClock
from schedulerd.domain.ids import RunId, uuid7
from schedulerd.domain.runs import NewRun, RunFilter, Trigger
from schedulerd.domain.states import RunState
from schedulerd.engine.doorbell import WOKEN, Doorbell
from tests.service import Service, command_line, descendants, process_state
from tests.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_500)]

NOISE_KIB = 6_000  # what allocators and page caches of SQLite take, over and above, once
SPARES = 4
WEB_THREADS = (
    2  # its loop, and the one that waits for the daemon's end; a third settles it, once, soon after the start
)
_CLOCK = SystemClock()
_BATCH = 500


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path, settings=f"max_running = 8\nspare_processes = {SPARES}")
    settings = tmp_path / "config" / "schedulerd.toml"
    settings.write_text(settings.read_text().replace("enabled = false", "port = 0"))
    yield service
    service.close()


class Use:
    """What one process holds."""

    def __init__(self, pid: int) -> None:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        self.pss_kib = int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")))
        self.descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        self.threads = len(os.listdir(f"/proc/{pid}/task"))

    def __str__(self) -> str:
        return f"{self.pss_kib / 1024:.1f} MiB, {self.descriptors} descriptors, {self.threads} threads"


def _uses(service: Service) -> Mapping[str, Use]:
    web = next(pid for pid in descendants(service.pid) if "web_program" in command_line(pid))
    spawner = service.spawner()
    assert spawner is not None
    # what it shares with those forked ahead counts for it in part: the same part, when there are as many
    eventually(lambda: len(descendants(spawner)) == SPARES, within=20)
    eventually(lambda: Use(web).threads == WEB_THREADS, within=60)
    return {name: Use(pid) for name, pid in (("daemon", service.pid), ("spawner", spawner), ("web", web))}


def _run_many(service: Service, flow: str, count: int) -> None:
    """Have so many runs, and wait until all have ended."""
    database = service.database()
    while count > 0:
        now = _CLOCK.now()
        with database.write() as tx:
            key = tx.flows.get(flow).key
            tx.runs.add(
                [
                    NewRun(
                        id=RunId(uuid7(now, entropy=int.from_bytes(os.urandom(9)))),
                        flow=key,
                        created_at=now,
                        due_at=now,
                        trigger=Trigger.MANUAL,
                        parameters={},
                    )
                    for _ in range(min(count, _BATCH))
                ]
            )
        count -= _BATCH
        bell = Doorbell(service.state)
        bell.ring(WOKEN)
        bell.close()
        eventually(lambda: not _going(service), within=240, every=0.5)
    database.close()


def _going(service: Service) -> bool:
    return bool(service.runs(RunFilter(states=frozenset(RunState) - _ENDED, limit=1)))


_ENDED = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CRASHED, RunState.SKIPPED})


@pytest.mark.parametrize(
    "count",
    [600, pytest.param(20_000, marks=pytest.mark.nemesis)],
    ids=["600", "20,000"],
)
def test_many_runs_leave_nothing_behind(service: Service, count: int) -> None:
    service.start()
    service.drop("job.py", "from schedulerd import flow\n\n@flow\ndef job():\n    print('did it')\n")
    service.schedule(
        "true.toml", '[[schedule]]\nname = "true"\ncommand = "true"\ncron = "0 0 1 1 *"\noverlap = "allow"\n'
    )
    service.wait_for_flow("job")
    service.wait_for_flow("true")
    _run_many(service, "job", 300)  # so that all that is held for good is held
    _run_many(service, "true", 200)

    before = _uses(service)
    _run_many(service, "job", count // 2)
    _run_many(service, "true", count - count // 2)
    after = _uses(service)

    for name in before:
        print(f"{name}: {before[name]} -> {after[name]}")
    for name, use in after.items():
        assert use.descriptors <= before[name].descriptors + 2, name
        assert use.threads <= before[name].threads, name
        assert use.pss_kib <= before[name].pss_kib + NOISE_KIB, name
    zombies = [pid for pid in descendants(service.pid) if process_state(pid) == "Z"]
    assert zombies == []
    assert list((service.state / "runs").iterdir()) == list((service.state / "ready").iterdir()) == []
    assert service.broken_invariants() == []
    assert service.runs(RunFilter(states=frozenset({RunState.FAILED, RunState.CRASHED}), limit=5)) == []
