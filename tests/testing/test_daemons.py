"""`schedulerd.testing.daemon` and `run_flow`: a daemon of the test's own spawns the runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd import flow
from schedulerd.errors import BadDefinition, BadParameters, NotFound, WaitTimeout
from schedulerd.testing import TestDaemon, daemon, run_flow

FLOWS = """
import os
from schedulerd import flow, task

@task
def whose() -> int:
    return os.getppid()

@flow(log_prints=True)
def tells(name: str = "you", times: int = 1) -> list[str]:
    print("telling", name)
    whose()
    return [name] * times

@flow(retries=1)
def fails() -> None:
    raise RuntimeError("never")

@flow
def waits() -> None:
    import threading
    threading.Event().wait()
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("flows") / "telling.py"
    file.write_text(FLOWS)
    return file


@pytest.fixture(scope="module")
def started(file: Path) -> Iterator[TestDaemon]:
    with daemon(
        f"{file}:tells", schedules='[[schedule]]\nname = "often"\ncommand = "true"\nevery = "1s"'
    ) as one:
        yield one


def test_a_run_is_spawned_and_its_history_is_that_of_the_store(file: Path, started: TestDaemon) -> None:
    run = started.run("tells", {"name": "me", "times": 2})

    assert (run.state, run.result, run.parameters) == ("completed", ["me", "me"], {"name": "me", "times": 2})
    assert run.states == ("scheduled", "pending", "running", "completed")
    assert "telling me" in run.log
    assert run.task("whose").result > 1


def test_an_attempt_that_the_daemon_makes_is_in_the_states(file: Path, started: TestDaemon) -> None:
    run = started.run(f"{file}:fails")

    assert run.states[3:] == ("retrying", "pending", "running", "failed")
    assert (run.attempt, run.message) == (2, "RuntimeError: never")


def test_what_cannot_be_asked_for_is_refused_at_the_door(file: Path, started: TestDaemon) -> None:
    with pytest.raises(BadParameters):
        started.run("tells", {"nmae": "me"})
    with pytest.raises(NotFound):
        started.run(f"{file}:told")
    with pytest.raises(NotFound, match="tolls"):
        started.run("tolls")


def test_a_run_that_does_not_end_in_time_is_told_with_what_the_daemon_said(started: TestDaemon) -> None:
    with pytest.raises(WaitTimeout, match=r"waits#1 has not ended yet"):
        started.run("waits", within=0.1)


def test_runs_of_a_schedule_can_be_waited_for(started: TestDaemon) -> None:
    (run,) = started.wait_for_runs("often", within=50)

    assert (run.state, run.name) == ("completed", "often#1")


def test_one_flow_is_run_once_by_a_daemon_of_its_own(file: Path) -> None:
    assert run_flow(f"{file}:tells", {"times": 3}).result == ["you"] * 3


def test_a_file_that_cannot_be_loaded_is_told_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("from schedulerd import flow\nimport nothing_of_this_name\n")

    with pytest.raises(BadDefinition, match=r"broken\.py:2: ModuleNotFoundError"):
        run_flow(broken)


def test_a_flow_that_no_file_makes_is_refused() -> None:
    @flow
    def inner() -> None: ...

    with pytest.raises(NotFound, match="inner") as refused:
        run_flow(inner)

    assert "at its top level" in refused.value.mend


def test_settings_that_a_daemon_refuses_are_told(file: Path) -> None:
    with pytest.raises(BadDefinition, match="max_runing"), daemon(file, settings="max_runing = 3"):
        pass


def test_a_file_that_is_looked_at_for_flows_starts_no_daemon_that_looks_at_it(tmp_path: Path) -> None:
    file = tmp_path / "endless.py"
    file.write_text(
        f"from schedulerd import flow\nfrom schedulerd.testing import run_flow\n\n"
        f"@flow\ndef endless():\n    pass\n\nrun_flow({str(file)!r})\n"
    )

    with pytest.raises(BadDefinition, match="while this file is being looked at"):
        run_flow(file)
