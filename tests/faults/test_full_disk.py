"""A disk that is full: of the database, of the folders of runs, of both. The daemon stays, says so, and goes on."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from schedulerd.domain.runs import Run, RunFilter
from tests.service import Service, process_state
from tests.small_disk import SmallDisk, small_disk
from tests.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

SETTINGS = 'min_free_space = "100KB"'
COMMANDS = """
[[schedule]]
name = "often"
command = "true"
every = "1s"
overlap = "allow"

[[schedule]]
name = "waits"
command = "while [ ! -e {go} ]; do sleep 0.05; done"
cron = "0 0 1 1 *"
"""
FLOW = """
from pathlib import Path
from threading import Event

from schedulerd import flow

@flow
def talks():
    while not Path("go").exists():
        Event().wait(0.05)
    for number in range(300):
        print("a line that finds no room, number", number)
"""
NOTICED_SECONDS = 5.0  # as of all deadlines of tests, a busy machine is given more
BACK_SECONDS = 15.0  # to ask takes its time, too


class Full:
    """A service of which the state directory, the database, or both, lie on a small disk."""

    def __init__(self, folder: Path, ends: ExitStack, *, state: bool, database: bool) -> None:
        disks = ends.enter_context(small_disk()) if state else None
        self.database_disk = ends.enter_context(small_disk()) if database else disks
        self.disks: list[SmallDisk] = [
            disk for disk in dict.fromkeys((disks, self.database_disk)) if disk is not None
        ]
        place = (
            None if self.database_disk is None else f"sqlite:///{self.database_disk.path / 'schedulerd.db'}"
        )
        url = place or f"sqlite:///{folder / 'schedulerd.db'}"
        self.is_the_journals = state
        self.go = folder / "go"
        self.service = Service(
            folder, url=url, settings=SETTINGS, state=None if disks is None else disks.path / "state"
        )
        ends.callback(self.service.close)
        self.service.schedule("commands.toml", COMMANDS.format(go=self.go))
        self.service.drop("talks.py", FLOW)
        self.service.start()
        self.service.wait_for_flow("waits")
        self.service.wait_for_flow("talks")
        eventually(lambda: self.count("completed") >= 1, within=20)

    def count(self, *states: str) -> int:
        """How many runs are in one of these states."""
        database = self.service.database()
        with database.read() as tx:
            found = [run for run in tx.runs.list(RunFilter(limit=10_000)) if run.state in states]
        database.close()
        return len(found)

    def fill(self) -> None:
        for disk in self.disks:
            disk.fill()

    def make_room(self) -> None:
        for disk in self.disks:
            disk.empty()

    def is_ready(self) -> bool:
        return bool(self.service.cli("status", check=False)["ready"])

    def integrity(self) -> str:
        path = self.service.url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path)) as connection:
            return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


@pytest.fixture(
    params=[(True, True), (False, True), (True, False), "one"],
    ids=["both", "the database's", "the runs'", "one disk for both"],
)
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Full]:
    with ExitStack() as ends:
        if request.param == "one":
            yield _on_one_disk(tmp_path, ends)
        else:
            state, database = request.param
            yield Full(tmp_path, ends, state=state, database=database)


def _on_one_disk(folder: Path, ends: ExitStack) -> Full:
    """As by default: the database lies in the state directory."""
    return Full(folder, ends, state=True, database=False)


def test_on_a_full_disk_no_runs_are_started_and_all_is_settled_when_there_is_room(full: Full) -> None:
    service = full.service
    going = [service.ask_for("waits"), service.ask_for("talks")]
    eventually(lambda: all(service.run(key).state == "running" for key in going), within=20)

    full.fill()
    began = time.monotonic()
    eventually(lambda: not full.is_ready(), within=NOTICED_SECONDS)
    noticed = time.monotonic() - began
    # A write may have met the full disk before the daemon looked at its room; it looks soon, and says what to do.
    eventually(lambda: "(`min_free_space`)" in service.command("status").stdout, within=NOTICED_SECONDS)
    status = service.command("status")
    full.fill()  # what the daemon has let go of goes too
    full.go.touch()  # a run that goes on ends while nothing can be written
    asked = [service.command("run", "waits") for _ in range(2)]
    eventually(lambda: not any(_is_alive(service.run(key)) for key in going), within=20)

    full.make_room()
    began = time.monotonic()
    eventually(full.is_ready, within=BACK_SECONDS)
    back = time.monotonic() - began
    before = full.count("completed")
    eventually(lambda: full.count("completed") > before, within=20)

    assert status.returncode == 6
    assert "no runs are started" in status.stdout
    assert [service.wait_for_end(key).state for key in going] == ["completed", "completed"]
    log = "\n".join(one.line.message for one in service.lines(going[1]))
    assert ("missing here: the disk was full" in log) == full.is_the_journals
    assert "damaged" not in log
    acknowledged = sum(one.returncode == 0 for one in asked)
    assert all(one.returncode in (0, 6) for one in asked), asked
    assert all("the run waits: no runs are started now" in one.stderr for one in asked if not one.returncode)
    eventually(lambda: _ended_of(service, "waits") == 1 + acknowledged, within=20)
    assert full.integrity() == "ok"
    assert service.broken_invariants() == []
    assert service.process is not None
    assert service.process.poll() is None
    assert service.said("step_failed") == 0, service.log.read_text()
    assert service.log.read_text().count("trouble with=space") <= 3
    print(f"noticed after {noticed:.1f} s, back after {back:.1f} s")


def _is_alive(run: Run) -> bool:
    return run.pid is not None and process_state(run.pid) not in ("", "Z")


def _ended_of(service: Service, flow: str) -> int:
    database = service.database()
    with database.read() as tx:
        found = [run for run in tx.runs.list(RunFilter(flows=(flow,), limit=100)) if run.ended_at is not None]
    database.close()
    return len(found)
