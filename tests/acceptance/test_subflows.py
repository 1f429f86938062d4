"""Flows that call flows, under a real daemon: their child runs tell the truth, whatever becomes of the process."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.states import RunState
from tests.postgres import installations
from tests.service import Service
from tests.waiting import SLOWER, eventually

pytestmark = pytest.mark.timeout(300)

POSTGRES = next((one.name for one in installations()), "postgres-none")

FLOWS = """
import asyncio, threading, time
from pathlib import Path
from schedulerd import flow, get_run_logger, runtime, tags, task
from schedulerd.deployments import run_deployment

def count(folder, what):
    with open(Path(folder) / what, "a") as file:
        file.write("x")
    return (Path(folder) / what).stat().st_size

def facts():
    run = runtime.flow_run
    return {
        "id": run.id, "name": run.name, "parameters": run.parameters,
        "parent": run.parent_flow_run_id, "root": run.root_flow_run_id,
    }

@task
def fetch(folder, region):
    count(folder, f"fetch-{region}")
    get_run_logger().info("fetching %s", region)
    return [region] * 2

@flow(flow_run_name="load {region}", tags=["loads"])
def load(folder: str, region: str, fails: bool = False):
    print("loading", region)
    rows = fetch(folder, region)
    count(folder, f"load-{region}")
    if fails and count(folder, "failed") < 2:
        raise ValueError(f"no {region}")
    return [rows, facts()]

@flow
def middle(folder: str):
    with tags("deep"):
        return {"load": load(folder, "deep"), "own": facts()}

@flow
def tells(folder: str):
    return {"middle": middle(folder), "own": facts()}

@flow
def nightly(folder: str, fails: bool = True):
    first = load(folder, "kr")
    load(folder, "de", fails=fails)
    return len(first[0])

@flow
def sleeps(folder: str):
    count(folder, "sleeping")
    time.sleep(600)

@flow
def holds(folder: str):
    load(folder, "kr")
    sleeps(folder)

@flow(timeout_seconds=1)
def holds_too_long(folder: str):
    sleeps(folder)

@flow
async def waits(number: int):
    await asyncio.sleep(0)
    return number

@flow
async def gathers():
    return sum(await asyncio.gather(*(waits(one) for one in range(3))))

@flow
def in_task(number: int):
    return number + facts_of_task(number)

@task
def facts_of_task(number):
    return 1

@task
def calls(number):
    return in_task(number)

@task(own_process=True)
def calls_elsewhere(number):
    return in_task(number)

@flow
def from_tasks():
    apart = calls_elsewhere(10)
    return [*calls.map([1, 2, 3]).result(), apart]

@flow
def asks(folder: str):
    run_deployment("tells", parameters={"folder": folder})

@flow
def leaf(number: int):
    return number

@flow
def many(count: int):
    began = time.perf_counter()
    for number in range(count):
        leaf(number)
    return time.perf_counter() - began
"""


def serving(folder: Path, url: str | None = None) -> Iterator[Service]:
    service = Service(folder, url=url, settings="max_running = 8\n")
    service.drop("flows.py", FLOWS)
    service.start()
    service.wait_for_flow("many")
    yield service
    service.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    yield from serving(tmp_path)


@pytest.fixture
def done(tmp_path: Path) -> Path:
    folder = tmp_path / "done"
    folder.mkdir()
    return folder


def shown(service: Service, selector: str) -> dict[str, Any]:
    found: dict[str, Any] = service.cli("runs", "show", selector)
    return found


def states(run: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["name"], one["flow_run_name"], one["state"]) for one in run["children"]]


def messages(service: Service, selector: str) -> list[str]:
    return [line["message"] for line in service.cli("logs", selector)]


def ended(service: Service, flow: str, state: RunState, **parameters: Any) -> RunKey:
    """A run of the flow that came to this state."""
    run = service.wait_for_end(key := service.ask_for(flow, **parameters), within=60)
    assert run.state is state, run.reason
    return key


def test_each_call_of_a_flow_is_a_child_run(service: Service, done: Path) -> None:
    ended(service, "nightly", RunState.FAILED, folder=str(done))

    run, failed = shown(service, "nightly#1"), shown(service, "nightly#1.2")

    assert states(run) == [
        ("nightly#1.1", "load kr", "completed"),
        ("nightly#1.2", "load de", "failed"),
    ]
    assert [(one["name"], one["state"]) for one in run["tasks"]] == [
        ("load kr", "completed"),
        ("load de", "failed"),
    ]
    assert failed["parent"] == failed["root"] == run["id"]
    assert failed["task"] == run["tasks"][1]["id"]
    assert failed["error"]["type"] == "ValueError"
    assert (failed["flow"], failed["tags"], failed["pid"]) == ("load", ["loads"], None)
    assert failed["parameters"] == {"folder": str(done), "region": "de", "fails": True}
    assert [one["name"] for one in failed["tasks"]] == ["fetch"]
    *said, why = messages(service, "nightly#1.2")
    assert said == ["loading de", "fetching de"]
    assert why.startswith("the flow failed: ValueError: no de (")
    assert messages(service, "nightly#1")[:4] == ["loading kr", "fetching kr", "loading de", "fetching de"]
    for verb in ("retry", "rerun"):
        refused = service.command("runs", verb, "nightly#1.2")
        assert refused.returncode == 5
        assert f"runs {verb}" in refused.stderr
    page = service.command("runs", "show", "nightly#1").stdout
    assert "nightly#1.2  load de" in page
    assert "within the process of" in service.command("runs", "show", "nightly#1.2").stdout
    assert service.cli("runs", "result", "nightly#1.1")[0] == ["kr", "kr"]
    assert [one["name"] for one in service.cli("runs", "list")] == ["nightly#1"]
    assert [one["name"] for one in service.cli("runs", "list", "--children", "--flow", "load")] == [
        "nightly#1.2",
        "nightly#1.1",
    ]


def test_a_child_of_a_child_knows_its_parent_and_its_root(service: Service, done: Path) -> None:
    ended(service, "tells", RunState.COMPLETED, folder=str(done))

    told = service.cli("runs", "result", "tells#1")
    root, middle, load = (shown(service, f"tells#1{number}") for number in ("", ".1", ".2"))

    rows, facts = told["middle"]["load"]
    assert rows == ["deep", "deep"]
    assert (told["own"]["parent"], told["own"]["root"]) == (None, root["id"])
    assert told["middle"]["own"] == {
        "id": middle["id"],
        "name": "middle",
        "parameters": {"folder": str(done)},
        "parent": root["id"],
        "root": root["id"],
    }
    assert (facts["id"], facts["name"]) == (load["id"], "load deep")
    assert (facts["parent"], facts["root"]) == (middle["id"], root["id"])
    assert [one["name"] for one in root["children"]] == ["tells#1.1"]
    assert [one["name"] for one in middle["children"]] == ["tells#1.2"]
    assert (load["parent"], load["root"]) == (middle["id"], root["id"])
    assert load["tags"] == ["loads", "deep"]


def test_a_retry_does_not_call_again_what_completed(service: Service, done: Path) -> None:
    key = ended(service, "nightly", RunState.FAILED, folder=str(done))
    before = shown(service, "nightly#1.1")

    service.cli("runs", "retry", "nightly#1", "--from-failed")
    eventually(lambda: service.run(key).state is RunState.COMPLETED, within=60)

    run, after = shown(service, "nightly#1"), shown(service, "nightly#1.1")
    assert {file.name: file.stat().st_size for file in done.iterdir()} == {
        "fetch-kr": 1,
        "load-kr": 1,
        "fetch-de": 1,
        "load-de": 2,
        "failed": 2,
    }
    assert states(run) == [
        ("nightly#1.1", "load kr", "completed"),
        ("nightly#1.2", "load de", "failed"),
        ("nightly#1.3", "load de", "completed"),
    ]
    assert [(one["id"], one["name"], one["state"]) for one in run["tasks"]] == [
        (1, "load kr", "completed"),
        (2, "load de", "completed"),
    ]
    assert after == before
    assert [(one["name"], one["state"]) for one in after["tasks"]] == [("fetch", "completed")]
    assert service.cli("runs", "result", "nightly#1") == 2


def sleeping(service: Service, done: Path, flow: str = "holds") -> RunKey:
    key = service.ask_for(flow, folder=str(done))
    eventually((done / "sleeping").exists, within=60)
    return key


def test_the_child_runs_of_a_run_that_is_cancelled_are_cancelled(service: Service, done: Path) -> None:
    key = sleeping(service, done)
    eventually(lambda: states(shown(service, "holds#1"))[-1:] == [("holds#1.2", "sleeps", "running")])

    refused = service.command("runs", "cancel", "holds#1.2")
    service.cli("runs", "cancel", "holds#1")
    run = service.wait_for_end(key, within=60)

    assert refused.returncode == 5
    assert "holds#1.2 is a part of holds#1" in refused.stderr
    assert "runs cancel holds#1" in refused.stderr
    assert run.state is RunState.CANCELLED
    assert states(shown(service, "holds#1")) == [
        ("holds#1.1", "load kr", "completed"),
        ("holds#1.2", "sleeps", "cancelled"),
    ]
    assert service.command("runs", "wait", "holds#1.2").returncode == 11


def test_no_child_run_outlives_a_run_that_is_killed(service: Service, done: Path) -> None:
    key = sleeping(service, done)
    service.kill_run(key)

    run = service.wait_for_end(key, within=60)

    assert run.state is RunState.CRASHED
    assert states(shown(service, "holds#1"))[-1] == ("holds#1.2", "sleeps", "crashed")


def test_no_child_run_outlives_its_run_when_daemon_and_spawner_are_killed(
    service: Service, done: Path
) -> None:
    key = sleeping(service, done)
    spawner, pid = service.spawner(), eventually(lambda: service.run(key).pid)
    service.kill()
    for one in (spawner, pid):
        assert one is not None
        os.kill(one, signal.SIGKILL)
    service.start()

    run = service.wait_for_end(key, within=60)

    assert run.state is RunState.CRASHED
    assert [state for _, _, state in states(shown(service, "holds#1"))] == ["completed", "crashed"]


def test_the_child_runs_of_a_run_that_is_adopted_go_on(service: Service, done: Path) -> None:
    sleeping(service, done)
    service.kill()
    service.start()

    eventually(
        lambda: states(shown(service, "holds#1"))[-1:] == [("holds#1.2", "sleeps", "running")], within=30
    )


def test_a_child_run_ends_with_a_run_that_is_out_of_time(service: Service, done: Path) -> None:
    ended(service, "holds_too_long".replace("_", "-"), RunState.TIMED_OUT, folder=str(done))

    (child,) = shown(service, "holds-too-long#1")["children"]

    assert child["state"] in ("cancelled", "timed_out")
    assert child["ended_at"] is not None


def test_flows_are_called_in_threads_in_processes_and_in_event_loops(service: Service) -> None:
    ended(service, "from-tasks", RunState.COMPLETED)
    ended(service, "gathers", RunState.COMPLETED)

    run, gathered = shown(service, "from-tasks#1"), shown(service, "gathers#1")

    assert service.cli("runs", "result", "from-tasks#1") == [2, 3, 4, 11]
    assert sorted(one["parameters"]["number"] for one in run["children"]) == [1, 2, 3, 10]
    for child in run["children"]:
        assert child["state"] == "completed"
        assert [one["name"] for one in shown(service, child["name"])["tasks"]] == ["facts_of_task"]
    assert [(one["flow"], one["state"]) for one in gathered["children"]] == [("waits", "completed")] * 3


def test_a_run_that_was_asked_for_is_a_child_run_in_a_process_of_its_own(
    service: Service, done: Path
) -> None:
    ended(service, "asks", RunState.COMPLETED, folder=str(done))

    parent, child = shown(service, "asks#1"), shown(service, "tells#1")
    told = service.cli("runs", "result", "tells#1")

    assert [(one["name"], one["state"]) for one in parent["children"]] == [("tells#1", "completed")]
    assert (child["parent"], child["root"]) == (parent["id"], None)
    assert (told["own"]["parent"], told["own"]["root"]) == (parent["id"], parent["id"])
    assert told["middle"]["load"][1]["root"] == parent["id"]


def test_a_flow_may_be_called_a_thousand_times(service: Service) -> None:
    ended(service, "many", RunState.COMPLETED, count=1_000)

    run = shown(service, "many#1")

    assert len(run["children"]) == 1_000
    assert {one["state"] for one in run["children"]} == {"completed"}
    assert service.cli("runs", "result", "many#1") < 10 * SLOWER


@pytest.fixture
def on_postgresql(tmp_path: Path, empty_url: str) -> Iterator[Service]:
    yield from serving(tmp_path, empty_url)


@pytest.mark.postgres
@pytest.mark.parametrize("database_kind", [POSTGRES], indirect=True)
def test_child_runs_are_kept_by_postgresql_as_by_sqlite(on_postgresql: Service, done: Path) -> None:
    service = on_postgresql
    ended(service, "nightly", RunState.FAILED, folder=str(done))
    key = sleeping(service, done)
    eventually(lambda: len(shown(service, "holds#1")["children"]) == 2, within=60)
    service.kill_run(key)
    service.wait_for_end(key, within=60)

    assert [state for _, _, state in states(shown(service, "nightly#1"))] == ["completed", "failed"]
    assert [state for _, _, state in states(shown(service, "holds#1"))] == ["completed", "crashed"]
    *said, why = messages(service, "nightly#1.2")
    assert said == ["loading de", "fetching de"]
    assert why.startswith("the flow failed: ValueError: no de (")
    assert len(service.cli("runs", "list", "--children")) == 6
