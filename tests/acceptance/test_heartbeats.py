"""Monitors are told when a run of a schedule starts and ends: by a real daemon, over a real HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.test_moved_clock import POSTGRES
from tests.receiver import ReceivingService
from tests.service import Service, command_line, descendants
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

SECRET = "canary-hb-90ab"
FLOWS = """
import sys
from pathlib import Path
from schedulerd import flow
from schedulerd.schedules import Cron, FileAppears

@flow
def works(path: str):
    text = Path(path).read_text()
    if text == "fail":
        raise ValueError("as told")

@flow
def other():
    pass
"""
SCHEDULES = """
[[schedule]]
name = "watched"
flow = "works"
file = "{inbox}/*.txt"
heartbeat = {{ start = "{url}/start", success = "${{SCHEDULERD_NOTIFY_HC}}/success", failure = "{url}/failure" }}

[[schedule]]
name = "hanging"
flow = "works"
file = "{inbox}/*.hang"
heartbeat = "{hanging}"
"""


class Monitored:
    """A service with a schedule that monitors are told of."""

    def __init__(self, folder: Path, url: str) -> None:
        self.receiver, self.hanging = ReceivingService(), ReceivingService()
        self.hanging.server.hangs.set()
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        self.service = Service(folder, url=url)
        self.service.drop("flows.py", FLOWS)
        self.service.schedule("watched.toml", SCHEDULES.format(
            inbox=self.inbox, url=self.base, hanging=f"http://127.0.0.1:{self.hanging.port}/{SECRET}"
        ))  # fmt: skip

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.receiver.port}/{SECRET}"

    def start(self) -> None:
        self.service.start(environ={"SCHEDULERD_NOTIFY_HC": self.base})
        eventually(lambda: len(self.service.cli("schedules", "list")) == 2, within=60)

    def put(self, name: str, text: str = "") -> None:
        (self.inbox / name).write_text(text)

    def beats(self) -> list[str]:
        return [path.removeprefix(f"/{SECRET}/") for path in self.receiver.paths]

    def ended(self) -> int:
        return len([one for one in self.service.cli("runs", "list") if one["ended_at"]])

    def trouble(self) -> list[dict[str, str]]:
        status = self.service.cli("status", check=False)
        return [one for one in status["troubles"] if one["kind"] == "monitors"]

    def waiting(self) -> int:
        database = self.service.database()
        with database.read() as tx:
            count = len(tx.pings.waiting(100))
        database.close()
        return count


@pytest.fixture
def monitored(tmp_path: Path, empty_url: str) -> Iterator[Monitored]:
    one = Monitored(tmp_path, empty_url)
    yield one
    one.service.close()
    one.receiver.close()
    one.hanging.close()


both = pytest.mark.parametrize(
    "database_kind", ["sqlite", pytest.param(POSTGRES, marks=pytest.mark.postgres)], indirect=True
)
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@both
def test_a_monitor_is_told_of_the_start_and_of_how_it_ended_and_nobody_sees_its_address(
    monitored: Monitored,
) -> None:
    monitored.start()

    monitored.put("one.txt")
    eventually(lambda: monitored.beats() == ["start", "success"], within=60)
    monitored.put("two.txt", "fail")
    eventually(lambda: monitored.beats()[2:] == ["start", "failure"], within=60)

    service = monitored.service
    eventually(lambda: not monitored.waiting(), within=30)
    shown = [
        service.command(*words).stdout
        for words in (
            ("status",),
            ("schedules", "show", "watched"),
            ("schedules", "list", "-o", "json"),
            ("schedules", "show", "watched", "-o", "json"),
            ("flows", "show", "works", "-o", "json"),
            ("runs", "show", "@last", "-o", "json"),
            ("simulate", "--from", "2026-01-01", "--to", "2026-01-02", "-o", "json"),
            ("validate",),
        )
    ]
    assert SECRET not in "".join(shown) + service.log.read_text()
    assert json.loads(shown[3])["heartbeat"] == {
        "start": f"http://127.0.0.1:{monitored.receiver.port}/…",
        "success": "…",
        "failure": f"http://127.0.0.1:{monitored.receiver.port}/…",
    }
    service.stop()


@on_sqlite
def test_a_monitor_that_hangs_holds_up_no_run_and_no_other_monitor(monitored: Monitored) -> None:
    monitored.start()
    monitored.put("a.hang")
    eventually(lambda: monitored.hanging.server.tries, within=60)

    for number in range(3):
        monitored.put(f"{number}.txt")

    eventually(lambda: monitored.beats().count("success") == 3, within=40)
    assert monitored.hanging.paths == []
    couriers = [
        pid for pid in descendants(monitored.service.pid) if "schedulerd.courier" in command_line(pid)
    ]
    assert all(SECRET not in command_line(pid) for pid in couriers)
    monitored.hanging.server.hangs.clear()
    monitored.hanging.server.go_on.set()
    eventually(lambda: monitored.hanging.paths, within=60)
    monitored.service.stop()


@both
def test_a_daemon_that_is_killed_between_the_end_and_the_ping_leaves_it_to_the_next(
    monitored: Monitored,
) -> None:
    monitored.start()
    monitored.receiver.go_away()
    monitored.put("one.txt")
    eventually(lambda: monitored.ended() == 1, within=60)
    eventually(lambda: monitored.waiting() == 2, within=30)
    monitored.service.kill()
    monitored.receiver.come_back()
    assert monitored.beats() == []

    monitored.start()

    eventually(lambda: monitored.beats() == ["start", "success"], within=90)
    eventually(lambda: not monitored.waiting(), within=30)
    monitored.service.stop()


@on_sqlite
def test_a_monitor_that_is_away_is_told_of_in_the_status_and_told_when_it_is_back(
    monitored: Monitored,
) -> None:
    monitored.start()
    monitored.receiver.go_away()
    monitored.put("one.txt")

    (said,) = eventually(monitored.trouble, within=60)

    assert said["reason"].startswith("the monitor of schedule 'watched' is not told: ")
    assert SECRET not in json.dumps(said)
    monitored.receiver.come_back()
    eventually(lambda: monitored.beats() == ["start", "success"], within=60)
    eventually(lambda: not monitored.trouble(), within=30)
    monitored.service.stop()
