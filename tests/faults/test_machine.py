"""A machine that fails us for a while: its disk does not sync, it has no process to give, folders cannot be used."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import pytest

from schedulerd.clock import SystemClock
from tests import shims
from tests.faults.accounts import Accounts
from tests.service import Service
from tests.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

SOURCE = Path(__file__).parents[1] / "failsync" / "failsync.c"
NOTICED_SECONDS = 5.0
BACK_SECONDS = 10.0
_CLOCK = SystemClock()
# Somebody else than root, whose processes are counted, but who may read what the tests are made of.
SOMEBODY = (
    "setpriv",
    "--reuid=54321",
    "--clear-groups",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.close()


@pytest.fixture
def somebodys() -> Iterator[Service]:
    """A service in a folder that somebody else than root can get to."""
    with TemporaryDirectory(prefix="schedulerd-", dir="/tmp") as folder:
        service = Service(Path(folder))
        for path in (Path(folder), *Path(folder).rglob("*")):
            os.chown(path, 54321, -1)
        yield service
        service.close()


def test_what_was_acknowledged_while_the_disk_did_not_sync_is_there_and_nothing_is_done_twice(
    service: Service, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    library = shims.build(SOURCE, tmp_path_factory.mktemp("failsync"), part="clockshift")
    flag = tmp_path / "the-disk-fails"
    service.start(environ={"LD_PRELOAD": str(library), "FAILSYNC_FLAG": str(flag)})
    accounts = Accounts(service)
    accounts.open()

    flag.touch()
    asked = [service.command("run", "account") for _ in range(3)]
    eventually(lambda: service.command("status").returncode == 6, within=NOTICED_SECONDS)
    shown = service.command("status").stdout
    Event().wait(5)
    flag.unlink()
    eventually(lambda: service.command("status").returncode == 0, within=BACK_SECONDS)
    accounts.wait_for(_CLOCK.now(), within=60)

    assert "disk I/O error" in shown
    acknowledged = [one.stdout for one in asked if one.returncode == 0]
    assert acknowledged == []  # the library is in the environment of these commands too
    assert {one.returncode for one in asked} == {6}
    accounts.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody whose processes are counted")
def test_a_machine_without_processes_to_give_loses_no_run(somebodys: Service) -> None:
    service = somebodys
    service.start(by=SOMEBODY)
    accounts = Accounts(service)
    accounts.open()
    spawner = service.spawner()
    assert spawner is not None

    _limit_processes(spawner, "1")
    eventually(lambda: service.command("status").returncode == 6, within=NOTICED_SECONDS)
    shown = service.command("status").stdout
    Event().wait(3)
    _limit_processes(spawner, "10000")
    eventually(lambda: service.command("status").returncode == 0, within=BACK_SECONDS)
    accounts.wait_for(_CLOCK.now(), within=60)

    assert "no run can be started: Resource temporarily unavailable" in shown
    accounts.close()


def _limit_processes(pid: int, most: str) -> None:
    """By the same user: in a container root may not."""
    subprocess.run([*SOMEBODY, "prlimit", f"--pid={pid}", f"--nproc={most}:"], check=True)


def test_run_folders_that_cannot_be_made_are_made_when_they_can_be(service: Service) -> None:
    service.start()
    accounts = Accounts(service)
    accounts.open()
    ready, aside = service.state / "ready", service.state / "aside"

    ready.rename(aside)
    ready.write_text("in the way")
    eventually(lambda: service.command("status").returncode == 6, within=NOTICED_SECONDS)
    shown = service.command("status").stdout
    ready.unlink()
    aside.rename(ready)
    eventually(lambda: service.command("status").returncode == 0, within=BACK_SECONDS)
    accounts.wait_for(_CLOCK.now(), within=60)

    assert "the folder of a run cannot be made" in shown
    accounts.close()


def test_folders_of_definitions_that_vanish_and_come_back_cost_no_history(service: Service) -> None:
    service.start()
    service.drop("job.py", "from schedulerd import flow\n\n@flow\ndef job():\n    pass\n")
    service.wait_for_flow("job")
    aside = service.folder / "aside"

    service.schedules.rename(aside)
    service.flows.rename(service.folder / "flows-aside")
    eventually(lambda: "flows" in service.command("status").stdout.partition("with errors")[2], within=20)
    aside.rename(service.schedules)
    (service.folder / "flows-aside").rename(service.flows)

    eventually(lambda: "with errors" not in service.command("status").stdout, within=20)
    service.wait_for_flow("job")
    assert service.command("run", "job", "--wait").returncode == 0


# Holds all inotify instances that its user may have, until its stdin is closed.
HOG = """
import ctypes, os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
libc = ctypes.CDLL(None, use_errno=True)
while libc.inotify_init1(os.O_CLOEXEC) >= 0:
    pass
print("all", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody whose instances are counted")
def test_with_all_inotify_instances_used_up_files_are_found_by_looking(somebodys: Service) -> None:
    service = somebodys
    hog = subprocess.Popen(
        [*SOMEBODY, sys.executable, "-c", HOG], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert hog.stdout is not None
        assert hog.stdout.readline() == "all\n"

        service.start(by=SOMEBODY)
        service.drop("job.py", "from schedulerd import flow\n\n@flow\ndef job():\n    pass\n")
        service.wait_for_flow("job")

        assert service.said("watching_without_events") == 1
        assert service.command("run", "job", "--wait").returncode == 0
    finally:
        hog.communicate()
