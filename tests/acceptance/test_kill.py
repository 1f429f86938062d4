"""A run that is deaf to its end is killed when somebody says so, long before its grace is over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.states import RunState
from tests.service import Service, process_state
from tests.waiting import eventually

GONE = ("", "Z")  # whoever it came to looks each moment whether it has ended
FLOW = """
import os
import signal
import time

from schedulerd import flow


@flow
def deaf(folder: str):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    name = "run"
    if os.fork() == 0:
        os.setsid()
        name = "child"
    with open(f"{folder}/.{name}", "w") as out:
        out.write(str(os.getpid()))
    os.rename(f"{folder}/.{name}", f"{folder}/{name}")
    while True:
        time.sleep(60)
"""
PATIENT = {"SCHEDULERD_GRACE": "1h"}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    made.drop("deaf.py", FLOW)
    made.start(environ=PATIENT)
    try:
        made.wait_for_flow("deaf")
        yield made
    finally:
        made.close()


def cancelled(service: Service, folder: Path) -> tuple[RunKey, list[int]]:
    """A run that was told to end and does not, with its processes."""
    folder.mkdir()
    key = service.ask_for("deaf", folder=str(folder))
    files = [folder / "run", folder / "child"]
    eventually(lambda: all(file.exists() for file in files), within=20)
    pids = [int(file.read_text()) for file in files]
    service.cli("runs", "cancel", service.run(key).selector)
    eventually(lambda: service.run(key).state is RunState.CANCELLING)
    assert [process_state(pid) for pid in pids] == ["S", "S"]
    return key, pids


def test_a_deaf_run_that_is_being_cancelled_is_killed_at_once_with_all_that_it_started(
    service: Service, tmp_path: Path
) -> None:
    key, pids = cancelled(service, tmp_path / "first")

    service.cli("runs", "cancel", "--kill", service.run(key).selector)

    assert service.wait_for_end(key).state is RunState.CANCELLED
    assert [process_state(pid) in GONE for pid in pids] == [True, True]

    # what is wished while nobody is there is done by who comes back, who adopts the run
    key, pids = cancelled(service, tmp_path / "second")
    service.kill_spawner()
    service.kill()
    service.cli("runs", "cancel", "--kill", service.run(key).selector)
    service.start(environ=PATIENT)

    assert service.wait_for_end(key).state is RunState.CANCELLED
    assert [process_state(pid) in GONE for pid in pids] == [True, True]
