"""Every line that a run wrote before its end is in its log once and in order of its stream, whatever is killed meanwhile."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.logs import NumberedLine
from schedulerd.domain.states import RunState
from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.faults

FLOW = r"""
import logging, os
from pathlib import Path
from threading import Event
from schedulerd import flow

@flow
def writes(lines: int, more: str):
    for number in range(lines):
        while number == lines // 2 and not Path(more).exists():
            Event().wait(0.05)
        print("printed", number)
        logging.getLogger("user").info("logged %d", number)
        os.write(1, b"out %d\n" % number)
        os.write(2, b"err %d \xff\xfe broken\n" % number)
    os.write(1, b"a" * 1_048_576 + b"\n")
    os.write(1, b"no newline at the end")
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path, settings='max_log = "1GB"')
    service.drop("writes.py", FLOW)
    service.start()
    service.wait_for_flow("writes")
    yield service
    service.close()


@pytest.mark.parametrize(
    ("runs", "lines"),
    [
        pytest.param(3, 3_000, marks=pytest.mark.timeout(600)),
        pytest.param(8, 100_000, marks=[pytest.mark.nemesis, pytest.mark.timeout(1_800)]),
    ],
)
def test_every_line_is_there_once_and_in_order_though_daemon_and_spawner_are_killed(
    service: Service, tmp_path: Path, runs: int, lines: int, record_property: Callable[[str, object], None]
) -> None:
    more = tmp_path / "more"  # the second half is written when the first daemon is no more
    keys = [service.ask_for("writes", lines=lines, more=str(more)) for _ in range(runs)]
    eventually(lambda: all(_count(service, key) > 300 for key in keys), within=120)
    service.kill()
    readies = service.said("ready")
    service.start(wait=False)
    eventually(lambda: service.said("ready") > readies, within=120)  # there is a lot to be read first
    more.touch()
    killed = _kill_spawners(service)
    assert len(killed) == 2, "that of the runs, and that of the new daemon"

    for key in keys:
        run = service.wait_for_end(key, within=900)
        assert run.state is RunState.COMPLETED, run.reason
        said = _lines(service, key)
        assert _of(said, "stdout", "printed ") == [f"printed {number}" for number in range(lines)]
        assert _of(said, "logging", "logged ") == [f"logged {number}" for number in range(lines)]
        assert _of(said, "stdout", "out ") == [f"out {number}" for number in range(lines)]
        assert _of(said, "stderr", "err ") == [f"err {number} �� broken" for number in range(lines)]
        assert "".join(_of(said, "stdout", "aaa")) == "a" * 1_048_576
        # what is printed goes by the journal, and is in order for itself
        raw = [text for text in _of(said, "stdout", "") if not text.startswith("printed ")]
        assert raw[-1] == "no newline at the end"
    record_property(
        "figures", f"{runs} runs, {runs * (4 * lines + 2)} lines, none missing, none twice, in order"
    )
    service.stop()
    assert service.broken_invariants() == []


def _lines(service: Service, key: RunKey) -> list[NumberedLine]:
    database = service.database()
    with database.read() as tx:
        found = tx.logs.lines(key, limit=1_000_000)
    database.close()
    return found


def _of(lines: list[NumberedLine], stream: str, beginning: str) -> list[str]:
    return [
        line.line.message
        for line in lines
        if line.line.stream == stream and line.line.message.startswith(beginning)
    ]


def _count(service: Service, key: RunKey) -> int:
    return service.run(key).position.total // 64


def _kill_spawners(service: Service) -> list[int]:
    """Kill all spawners of the state directory, also of an earlier daemon, whose runs go on; which they were."""
    found = service.spawners()
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    return found
