"""Runs that write very much: their log is kept to its limit, the disk is given back, and nobody waits for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.states import RunState
from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

SCHEDULES = """
[[schedule]]
name = "floods"
command = "echo first; yes 'a line of sixty-four characters, which is what they have in here' | head -c 1000000000; touch done; while [ ! -e go ]; do sleep 0.1; done; exit 3"
at = "2030-01-01T00:00"

[[schedule]]
name = "every-second"
command = "true"
every = "1s"
overlap = "allow"
misfire_grace = "20s"
"""

FLOWS = """
import os, sys
from schedulerd import flow

@flow
def prints_much(lines: int):
    for number in range(lines):
        print("line", number, "a" * 200)
    os.write(2, b"last words\\n")

@flow
def long_lines():
    print("a" * 10_000_000)
    sys.stdout.flush()
    os.write(1, b"b" * 10_000_000 + b"\\nafter\\n")
    print("end")
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path, settings='max_log = "5MB"')
    service.drop("much.py", FLOWS)
    service.schedule("much.toml", SCHEDULES)
    service.start()
    service.wait_for_flow("prints-much")
    service.wait_for_flow("floods")
    yield service
    service.stop()
    assert service.broken_invariants() == []
    service.close()


def _messages(service: Service, key: RunKey) -> list[str]:
    return [line.line.message for line in service.lines(key)]


def test_a_gigabyte_of_output_is_capped_and_the_disk_given_back_and_the_schedules_go_on(
    service: Service,
) -> None:
    key = service.ask_for("floods")
    eventually(lambda: list((service.state / "runs").glob("*/stdout.log")), within=15)
    eventually((service.folder / "done").exists, within=60)
    (output,) = [
        file for file in (service.state / "runs").glob("*/stdout.log") if file.stat().st_size > 10**8
    ]
    eventually(lambda: output.stat().st_blocks * 512 < 20_000_000, within=10)
    (service.folder / "go").touch()
    run = service.wait_for_end(key, within=30)

    assert (run.state, run.reason) == (RunState.FAILED, "exit status 3")
    messages = _messages(service, key)
    assert messages[0] == "first"
    assert "the log is full: more than 5 MB are not kept" in messages
    assert messages[-1] == "the log was full: about 995 MB were not kept"
    assert (service.state / "schedulerd.db").stat().st_size < 40_000_000
    rows = service.cli("runs", "list", "--schedule", "every-second", "-n", "500")
    assert [row["reason"] for row in rows if row["state"] == "skipped"] == []


def test_a_flow_that_prints_beyond_the_limit_keeps_its_tasks_and_its_end(service: Service) -> None:
    run = service.wait_for_end(service.ask_for("prints-much", lines=60_000), within=60)

    assert run.state is RunState.COMPLETED
    messages = _messages(service, run.key)
    assert messages[0].startswith("line 0 ")
    assert "the log is full: more than 5 MB are not kept" in messages
    assert messages[-1].startswith("the log was full: about ")


def test_lines_of_ten_megabytes_are_kept_in_parts(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.drop("much.py", FLOWS)
    service.start()
    service.wait_for_flow("long-lines")
    run = service.wait_for_end(service.ask_for("long-lines"), within=60)
    messages = _messages(service, run.key)
    service.stop()
    service.close()

    assert run.state is RunState.COMPLETED
    assert (
        "".join(message for message in messages if message.startswith("a") and message != "after")
        == "a" * 10_000_000
    )
    assert "".join(message for message in messages if message.startswith("b")) == "b" * 10_000_000
    assert {"after", "end"} <= set(messages)
    assert max(map(len, messages)) <= 65_536
