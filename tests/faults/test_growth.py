"""Many runs: memory, descriptors and threads of daemon, spawner and web stay as they were, and nothing is left behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.runs import RunFilter
from schedulerd.domain.states import RunState
from tests.growth import NOISE_KIB, growing, run_many, uses
from tests.service import Service, descendants, process_state

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_500)]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = growing(tmp_path)
    yield service
    service.close()


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
    run_many(service, "job", 300)  # so that all that is held for good is held
    run_many(service, "true", 200)

    before = uses(service)
    run_many(service, "job", count // 2)
    run_many(service, "true", count - count // 2)
    after = uses(service)

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
