"""A start with much to read: it is ready at once, and due times that come meanwhile are not kept waiting."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from schedulerd.clock import SystemClock
from schedulerd.domain.runs import RunFilter
from schedulerd.domain.states import RunState
from tests.service import Service, environment, every_pid
from tests.waiting import SLOWER, eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

READY_SECONDS = 2.0
LATE = timedelta(seconds=1.5)
RUNS = 8
FLOW = """
import os
from schedulerd import flow

@flow
def writes(lines: int):
    for number in range(lines):
        print("printed", number)
        os.write(1, b"out %d\\n" % number)
"""
ENTRY = '[[schedule]]\nname = "often"\ncommand = "true"\nevery = "1s"\noverlap = "allow"\ncatchup = "none"\n'
_CLOCK = SystemClock()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path, settings='max_log = "1GB"')
    service.drop("writes.py", FLOW)
    service.schedule("often.toml", ENTRY)
    service.start()
    service.wait_for_flow("writes")
    yield service
    service.close()


@pytest.mark.parametrize(
    "lines", [10_000, pytest.param(200_000, marks=pytest.mark.nemesis)], ids=["160,000 lines", "3,200,000"]
)
def test_a_start_with_much_to_read_is_ready_at_once_and_keeps_no_due_time_waiting(
    service: Service, lines: int, record_property: Callable[[str, object], None]
) -> None:
    keys = [service.ask_for("writes", lines=lines) for _ in range(RUNS)]
    eventually(lambda: all(service.run(key).started_at for key in keys), within=30)
    service.kill()
    eventually(lambda: not _works_for(service), within=240)

    began, started_at = _CLOCK.monotonic(), _CLOCK.now()
    service.start()
    ready = _CLOCK.monotonic() - began
    ended = [service.wait_for_end(key, within=300) for key in keys]
    read = _CLOCK.monotonic() - began

    assert {run.state for run in ended} == {RunState.COMPLETED}
    late = eventually(lambda: _lateness(service, since=started_at), within=10) or []
    figures = (
        f"{RUNS * lines * 2:,} lines to be read: ready after {ready:.2f} s, read after {read:.1f} s; "
        f"meanwhile {len(late)} due times, at most {max(late).total_seconds():.2f} s late"
    )
    record_property("figures", figures)
    assert ready <= READY_SECONDS * SLOWER
    assert max(late) <= LATE * SLOWER


def _works_for(service: Service) -> bool:
    return any(str(service.state) in environment(pid) for pid in every_pid())


def _lateness(service: Service, *, since: datetime) -> list[timedelta]:
    """How late each run of the schedule that was due since then was taken."""
    runs = service.runs(RunFilter(schedule="often", limit=10_000))
    return [run.pending_at - run.due_at for run in runs if run.due_at >= since and run.pending_at]


def test_a_daemon_makes_a_database_where_there_is_none_that_only_its_user_may_read(tmp_path: Path) -> None:
    service = Service(tmp_path, from_nothing=True)

    service.start()
    mode = (service.state / "schedulerd.db").stat().st_mode & 0o777
    service.stop()
    service.close()

    assert mode == 0o600
