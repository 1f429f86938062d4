"""kill -9 at each step of one call of hooks: they are called once, or it is told that they were cut short."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.states import RunState
from tests.faults.points.tripwire import HOOK_POINTS
from tests.service import Service, process_state
from tests.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

FLOW = """
import os
from schedulerd import flow

def note(file, word):
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, (word + "\\n").encode())
    os.fsync(descriptor)

def tell(flow, flow_run, state):
    print("told")
    note(flow_run.parameters["file"], f"hook {state.name}")

@flow(on_completion=[tell])
def effect(file: str):
    note(file, "done")
"""
IN_CALL = ["hooks_armed", "hooks_started", "hooks_first_record", "hooks_last_record"]
IN_SPAWNER = ["hooks_latch", *IN_CALL, "hooks_exit_unwritten", "hooks_exit_written"]
# Where nobody waits for a process that has ended, it counts as left behind: as with both of these killed.
_LEFT = "the hooks left 1 process(es) or group(s) behind"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    service.drop("effect.py", FLOW)
    yield service
    service.close()


def come_to(service: Service, tmp_path: Path, point: str) -> int:
    """Have a run end, and its hooks called as far as this point; the process that stopped there."""
    mark = tmp_path / "mark"
    points = str(Path(__file__).parent / "points")
    service.start(environ={"TRIP_POINT": point, "TRIP_MARK": str(mark), "PYTHONPATH": points})
    service.wait_for_flow("effect")
    service.ask_for("effect", file=str(tmp_path / "effects"))
    eventually(lambda: mark.exists() and mark.read_text(), within=30)
    stopped = int(mark.read_text())
    eventually(lambda: process_state(stopped) == "T")
    return stopped


def the_log(service: Service) -> list[str]:
    database = service.database()
    with database.read() as tx:
        run = tx.runs.last("effect")
        assert run is not None
        assert run.state is RunState.COMPLETED, run.reason
        lines = [one.line.message for one in tx.logs.lines(run.key, limit=100)]
    database.close()
    return lines


def settle(service: Service) -> None:
    """All that is due is done, and nothing of it is left."""
    service.wait_for_hooks()
    eventually(lambda: not [*(service.state / "runs").iterdir(), *(service.state / "ready").iterdir()])
    assert service.stop() == 0
    assert service.broken_invariants() == []


@pytest.mark.parametrize(
    ("point", "victims"),
    [(point, victims) for point in HOOK_POINTS for victims in ("daemon", "both")]
    + [(point, "spawner") for point in IN_SPAWNER],
)
def test_hooks_are_called_once_though_daemon_and_spawner_are_killed_on_the_way(
    service: Service, tmp_path: Path, point: str, victims: str
) -> None:
    stopped = come_to(service, tmp_path, point)

    _kill(service, victims)
    with contextlib.suppress(ProcessLookupError):
        os.kill(stopped, signal.SIGCONT)
    if victims != "spawner":
        service.start()
    settle(service)

    assert (tmp_path / "effects").read_text().splitlines() == ["done", "hook Completed"]
    assert [line for line in the_log(service) if _LEFT not in line] == ["told"]


@pytest.mark.parametrize("point", IN_CALL)
def test_hooks_that_are_killed_themselves_are_never_called_twice(
    service: Service, tmp_path: Path, point: str
) -> None:
    stopped = come_to(service, tmp_path, point)

    os.kill(stopped, signal.SIGKILL)
    settle(service)

    said, effects = the_log(service), (tmp_path / "effects").read_text().splitlines()
    if point in ("hooks_started", "hooks_first_record"):
        assert said == ["its hooks were cut short: killed by SIGKILL; they are not called again"]
        assert effects == ["done"]
    else:
        assert said == ["told"]
        assert effects == ["done", "hook Completed"]


def _kill(service: Service, victims: str) -> None:
    spawner = service.spawner()
    assert spawner is not None
    if victims != "daemon":
        os.kill(spawner, signal.SIGKILL)
    if victims != "spawner":
        service.kill()
