"""kill -9 of the daemon, of the spawner and of both at each step of one launch: one effect, or one visible crash."""

import contextlib
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.states import RunState
from tests.faults.points.tripwire import POINTS
from tests.service import Service, process_state
from tests.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

FLOW = """
import os
from schedulerd import flow

@flow
def effect(file: str):
    print("line 1")
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, b"done\\n")
    os.fsync(descriptor)
    for number in range(2, 11):
        print("line", number)
"""
WHOLE_LOG = [f"line {number}" for number in range(1, 11)]
# Each alone at each step; both at once at every third step in the usual run, and at each under the nemesis.
CASES = [
    pytest.param(
        point,
        victims,
        id=f"{point}-{victims}",
        marks=[pytest.mark.nemesis] if victims == "both" and number % 3 else [],
    )
    for number, point in enumerate(POINTS)
    for victims in ("daemon", "spawner", "both")
]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    service.drop("effect.py", FLOW)
    yield service
    service.close()


@pytest.mark.parametrize(("point", "victims"), CASES)
def test_a_kill_at_any_step_of_a_launch_leaves_one_run_and_one_effect(
    service: Service, tmp_path: Path, point: str, victims: str
) -> None:
    mark, effects = tmp_path / "mark", tmp_path / "effects"
    points = str(Path(__file__).parent / "points")
    service.start(environ={"TRIP_POINT": point, "TRIP_MARK": str(mark), "PYTHONPATH": points})
    service.wait_for_flow("effect")

    key = service.ask_for("effect", file=str(effects))
    eventually(lambda: mark.exists() and mark.read_text(), within=15)
    stopped = int(mark.read_text())
    eventually(lambda: process_state(stopped) == "T")
    _kill(service, victims)
    with contextlib.suppress(ProcessLookupError):
        os.kill(stopped, signal.SIGCONT)
    if victims != "spawner":
        service.start()
    run = service.wait_for_end(key, within=25)

    done = effects.read_text().splitlines() if effects.exists() else []
    messages = [line.line.message for line in service.lines(key) if line.line.stream == "stdout"]
    if run.state is RunState.CRASHED:
        assert run.reason
        assert len(done) <= 1
    else:
        assert run.state is RunState.COMPLETED, (run.state, run.reason, service.log.read_text())
        assert done == ["done"]
        assert messages == WHOLE_LOG
    # Nothing here needs a crash: no step loses what the run itself wrote down.
    assert run.state is RunState.COMPLETED, (run.reason, service.log.read_text())
    eventually(lambda: not list((service.state / "runs").iterdir()))
    assert service.stop() == 0
    assert service.broken_invariants() == []
    _check_integrity(service)


def _kill(service: Service, victims: str) -> None:
    spawner = service.spawner()
    assert spawner is not None
    if victims != "daemon":
        os.kill(spawner, signal.SIGKILL)
    if victims != "spawner":
        service.kill()


def _check_integrity(service: Service) -> None:
    connection = sqlite3.connect(service.state / "schedulerd.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
