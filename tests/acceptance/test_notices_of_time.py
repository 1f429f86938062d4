"""What no run can tell itself: that it is late, takes unusually long, or was missed; told by a real daemon."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.clock import SystemClock
from schedulerd.scheduler.lookout import FEWEST
from tests.acceptance.test_notifications import settings
from tests.receiver import ReceivingService
from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(180)

CLOCK = SystemClock()
FLOWS = """
from pathlib import Path
from threading import Event
from schedulerd import flow

@flow
def waits(gate: str = ""):
    while gate and not Path(gate).exists():
        Event().wait(0.05)
"""


@pytest.fixture
def receiver() -> Iterator[ReceivingService]:
    receiver = ReceivingService()
    yield receiver
    receiver.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path, settings="max_running = 1")
    service.drop("flows.py", FLOWS)
    yield service
    service.close()


def start(service: Service, more: str) -> None:
    file = service.folder / "config" / "schedulerd.toml"
    file.write_text(file.read_text() + more)
    service.start()
    service.wait_for_flow("waits")


def test_a_run_that_waits_for_too_long_is_told_with_what_it_waits_for(
    service: Service, receiver: ReceivingService, tmp_path: Path
) -> None:
    start(service, settings(receiver, 'on = ["late"]\nlate_after = "1s"'))
    gate = tmp_path / "gate"
    first = service.ask_for("waits", gate=str(gate))
    eventually(lambda: service.run(first).started_at is not None, within=30)

    second = service.ask_for("waits")

    body = receiver.body(lambda body: "waits#2" in body)
    assert "has not started" in body
    gate.touch()
    service.wait_for_end(second, within=30)
    assert len([one for one in receiver.bodies if "waits#2" in one]) == 1
    service.stop()


def test_a_run_that_takes_unusually_long_is_told_while_it_goes_on(
    service: Service, receiver: ReceivingService, tmp_path: Path
) -> None:
    start(service, settings(receiver, 'on = ["slow"]\nslow_least = "1s"\nslow_factor = 3.0'))
    for _ in range(FEWEST):
        service.wait_for_end(service.ask_for("waits"), within=30)
    gate = tmp_path / "gate"

    run = service.ask_for("waits", gate=str(gate))

    body = receiver.body(lambda body: f"waits#{FEWEST + 1}" in body)
    assert "usually it takes" in body
    assert service.run(run).ended_at is None
    gate.touch()
    service.wait_for_end(run, within=30)
    service.stop()


def test_due_times_that_were_missed_over_a_downtime_are_told(
    service: Service, receiver: ReceivingService
) -> None:
    service.schedule(
        "often.toml",
        '[[schedule]]\nname = "often"\nflow = "waits"\nevery = "1s"\ncatchup = "none"\nmisfire_grace = "0s"\n',
    )
    start(service, settings(receiver, 'on = ["missed"]'))
    eventually(lambda: service.cli("runs", "list"), within=60)
    service.kill()
    killed_at = CLOCK.monotonic()
    eventually(lambda: CLOCK.monotonic() - killed_at > 4, within=10)

    service.start()

    body = receiver.body(lambda body: "nobody started it in time" in body)
    assert "often" in body
    service.stop()
