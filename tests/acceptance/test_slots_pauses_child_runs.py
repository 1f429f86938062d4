"""Limits by name, approvals and runs of other flows under a real daemon, over its death too."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.states import RunState
from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)

FLOWS = """
import asyncio, os, threading
from pathlib import Path
from pydantic import field_validator
from schedulerd import Flow, Parameter, flow, task, pause_flow_run, resume_flow_run
from schedulerd.concurrency.sync import concurrency, rate_limit, SlotsNotHad
from schedulerd.concurrency.asyncio import concurrency as aconcurrency
from schedulerd.deployments import run_deployment, run_flow
from schedulerd.flow_runs import PauseTimedOut, Rejected
from schedulerd.input import RunInput
from schedulerd.tasks.prefect import StartFlowRun, create_flow_run, wait_for_flow_run

def wait_for(path):
    while not path.exists():
        threading.Event().wait(0.02)

@flow
def holds(folder: str, name: str, timeout: float | None = None, strict: bool = False):
    place = Path(folder)
    with concurrency("db", timeout_seconds=timeout, strict=strict):
        (place / f"{name}.in").touch()
        wait_for(place / f"{name}.go")
    return name

@flow
async def holds_async(folder: str):
    async with aconcurrency(["db", "other"], occupy=1):
        Path(folder, "async.in").touch()
    return "done"

@flow
def hurries(count: int):
    for _ in range(count):
        rate_limit("api")
    return count

@flow
def wrong(what: str):
    if what == "rate":
        rate_limit("db")
    elif what == "hold":
        with concurrency("api"):
            pass
    elif what == "many":
        with concurrency("db", occupy=5):
            pass
    elif what == "strict":
        with concurrency("none", strict=True):
            pass
    else:
        with concurrency("none"):
            return "went on"

class Wanted(RunInput):
    rows: int

    @field_validator("rows")
    @classmethod
    def _some(cls, rows):
        if rows < 1:
            raise ValueError("there are rows, or there is no release")
        return rows

@flow(retries=1)
def asks(folder: str):
    given = pause_flow_run(wait_for_input=Wanted, key="release", message="release it?")
    count = len(list(Path(folder).glob("attempt-*")))
    Path(folder, f"attempt-{count}").touch()
    if count == 0:
        raise ConnectionError("away")
    return given.rows

@flow
def impatient():
    pause_flow_run(timeout=0.3)

@flow
def goes_on_after_all():
    try:
        pause_flow_run(timeout=600)
    except Rejected as error:
        return str(error)

@flow
def child(number: int, fails: bool = False):
    if fails:
        raise ValueError(f"no {number}")
    return number * 2

@flow
def parent(folder: str):
    one = run_deployment("child", parameters={"number": 1}, timeout=0, idempotency_key=folder)
    same = run_deployment("child", parameters={"number": 1}, idempotency_key=folder)
    two = run_flow("child", {"number": 2})
    try:
        run_flow("child", {"number": 3, "fails": True})
    except Exception as error:
        refused = str(error)
    return [one.id == same.id, same.state_name, same.state.is_completed(), two.result_preview, refused]

@flow
def unknown():
    run_flow("none")

with Flow("drawn") as drawn:
    number = Parameter("number", default=4)
    wait_for_flow_run(create_flow_run(flow_name="child", parameters={"number": 5}), raise_final_state=True)
    StartFlowRun("child", wait=True, parameters={"number": 6})()

@flow
def resumes(run: str):
    resume_flow_run(run)
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A daemon with room for one run, and flows that ask."""
    service = Service(tmp_path, settings="max_running = 4")
    service.drop("asking.py", FLOWS)
    service.start()
    service.wait_for_flow("parent")
    yield service
    service.stop()


def result_of(service: Service, key: RunKey) -> Any:
    """What a run returned."""
    run = service.wait_for_end(key, within=60)
    assert run.state is RunState.COMPLETED, (run.reason, run.failure)
    return json.loads(service.command("runs", "result", run.selector).stdout)


def limits(service: Service) -> dict[str, Any]:
    """The limits by name."""
    return {one["name"]: one for one in service.cli("limits", "list")}


def test_a_slot_is_held_by_one_run_and_free_when_that_ends_however_it_ends(
    service: Service, tmp_path: Path
) -> None:
    service.cli("limits", "set", "db", "1")
    first = service.ask_for("holds", folder=str(tmp_path), name="a")
    eventually((tmp_path / "a.in").exists, within=60)
    second = service.ask_for("holds", folder=str(tmp_path), name="b")
    eventually(lambda: service.run(second).state is RunState.RUNNING, within=60)
    late = service.ask_for("holds", folder=str(tmp_path), name="late", timeout=0.3)

    assert "no slots of db were to be had within 0.3 s" in service.wait_for_end(late, within=60).reason
    assert not (tmp_path / "b.in").exists()
    assert limits(service)["db"]["held_by"] == [service.run(first).selector]
    service.kill()
    service.start()  # who holds it is known
    assert limits(service)["db"]["taken"] == 1
    pid = service.run(first).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually((tmp_path / "b.in").exists, within=60)
    (tmp_path / "b.go").touch()
    assert service.wait_for_end(second, within=60).state is RunState.COMPLETED
    eventually(lambda: limits(service)["db"]["taken"] == 0, within=60)
    assert (
        service.wait_for_end(service.ask_for("holds-async", folder=str(tmp_path)), within=60).state
        == "completed"
    )
    assert service.broken_invariants() == []


def test_a_limit_by_time_is_waited_for_and_what_cannot_be_is_refused(service: Service) -> None:
    service.cli("limits", "set", "api", "2", "--per-second", "20")
    service.cli("limits", "set", "db", "1")

    assert result_of(service, service.ask_for("hurries", count=8)) == 8
    for what, reason in {
        "rate": "'db' is no limit by time",
        "hold": "'api' is a limit by time",
        "many": "5 can never be had",
        "strict": "there is no limit 'none'",
    }.items():
        run = service.wait_for_end(service.ask_for("wrong", what=what), within=60)
        assert run.state is RunState.FAILED
        assert reason in run.reason
    key = service.ask_for("wrong", what="lenient")
    assert result_of(service, key) == "went on"
    assert any(
        "there is no limit 'none': nothing is waited for" in one.line.message for one in service.lines(key)
    )


def test_a_run_is_paused_over_a_restart_until_it_is_approved_once_for_all_its_attempts(
    service: Service, tmp_path: Path
) -> None:
    key = service.ask_for("asks", folder=str(tmp_path))
    eventually(lambda: service.run(key).state is RunState.PAUSED, within=60)
    run = service.run(key)
    assert run.reason == "waits for approval: release it?"
    service.kill()
    unfit = service.command("runs", "approve", run.selector, "-p", "rows=many")
    assert unfit.returncode == 2  # by the schema, so that nothing is recorded
    assert "parameter 'rows': \"many\" is not a whole number" in unfit.stderr
    unseen = service.command("runs", "approve", run.selector, "-p", "rows=0")
    assert unseen.returncode == 0  # the run alone can judge it, once a daemon tells it
    assert "no daemon runs" in unseen.stderr
    assert service.command("runs", "approve", run.selector, "-p", "rows=5").returncode == 5

    service.start()
    misfit = "rows: Value error, there are rows, or there is no release (it is an int)"
    waits_on = f"waits for approval: release it?; what was given does not fit: {misfit}"
    eventually(lambda: service.run(key).reason == waits_on, within=60)
    assert service.run(key).state is RunState.PAUSED
    refused = service.command("runs", "approve", run.selector, "-p", "rows=-1")
    assert refused.returncode == 2
    assert f"{run.selector}: what was given does not fit: {misfit}" in refused.stderr
    eventually(lambda: service.run(key).state is RunState.PAUSED, within=60)
    assert (
        service.command("runs", "approve", run.selector, "-p", "rows=5", "--reason", "fine").returncode == 0
    )

    assert result_of(service, key) == 5
    assert service.run(key).attempt == 2
    moves = service.cli("runs", "show", run.selector)["moves"]
    assert [one["to"] for one in moves].count("paused") == 3
    assert any(one["message"].endswith(": fine") and "approved by" in one["message"] for one in moves)
    assert service.command("runs", "resume", run.selector).returncode == 5


def test_nobody_who_decides_and_somebody_who_rejects_end_the_wait(service: Service) -> None:
    late = service.wait_for_end(service.ask_for("impatient"), within=60)
    assert (late.state, late.reason) == (RunState.FAILED, "PauseTimedOut: nobody has approved within 0.3 s")
    key = service.ask_for("goes-on-after-all")
    eventually(lambda: service.run(key).state is RunState.PAUSED, within=60)
    service.command("runs", "approve", service.run(key).selector, "--reject", "--reason", "not now")
    assert result_of(service, key).endswith(": not now")
    key = service.ask_for("goes-on-after-all")
    eventually(lambda: service.run(key).state is RunState.PAUSED, within=60)
    service.command("runs", "cancel", service.run(key).selector)
    assert service.wait_for_end(key, within=60).state is RunState.CANCELLED
    key = service.ask_for("goes-on-after-all")
    eventually(lambda: service.run(key).state is RunState.PAUSED, within=60)
    service.wait_for_end(service.ask_for("resumes", run=str(service.run(key).id)), within=60)
    assert service.wait_for_end(key, within=60).state is RunState.COMPLETED


def test_a_run_that_waits_for_others_lends_them_its_place(tmp_path: Path) -> None:
    service = Service(tmp_path, settings="max_running = 1")
    service.drop("asking.py", FLOWS)
    service.start()
    try:
        service.wait_for_flow("parent")
        key = service.ask_for("parent", folder=str(tmp_path))

        same, state, completed, preview, refused = result_of(service, key)

        assert (same, state, completed, preview) == (True, "completed", True, "4")
        assert refused.startswith("child#3 is failed: ValueError: no 3")
        children = service.cli("runs", "list", "--flow", "child")
        assert [one["name"] for one in children] == ["child#3", "child#2", "child#1"]
        assert {one["parent"] for one in children} == {str(service.run(key).id)}
        assert {one["trigger"] for one in children} == {"flow"}
        assert service.wait_for_end(service.ask_for("drawn"), within=60).state is RunState.COMPLETED
        assert len(service.cli("runs", "list", "--flow", "child")) == 5
        unknown = service.wait_for_end(service.ask_for("unknown"), within=60)
        assert "there is no flow 'none'" in unknown.reason
        assert service.broken_invariants() == []
    finally:
        service.stop()
