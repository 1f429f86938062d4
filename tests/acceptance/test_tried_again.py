"""Runs that are tried again by a real daemon: on their own, on request, over kills, with what completed before."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from schedulerd.domain.ids import RunId
from schedulerd.domain.runs import Run
from schedulerd.domain.states import RunState
from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

FLOWS = """
import os, time
from pathlib import Path
from schedulerd import Flow, Parameter, flow, runtime, task, unmapped

class Rows:
    def __init__(self, count):
        self.count = count

def count(folder, what):
    with open(Path(folder) / what, "a") as file:
        file.write("x")
    return (Path(folder) / what).stat().st_size

@task
def extract(folder):
    count(folder, "extract")
    return {"rows": [1, 2, 3]}

@task
def transform(folder, data):
    count(folder, "transform")
    return Rows(len(data["rows"]))

@task
def large(folder):
    count(folder, "large")
    return os.urandom(100_000)

@task
def checked(folder, number):
    count(folder, f"checked-{number}")
    return number * 10

@task
def load(folder, rows, blob, checks):
    if count(folder, "load") < 3:
        raise ConnectionError("the warehouse is away")
    return rows.count, len(blob), checks

@flow(retries=2, retry_delay_seconds=[0, 0.5])
def warehouse(folder: str):
    rows = transform(folder, extract(folder))
    checks = checked.map(unmapped(folder), [1, 2]).result()
    return load(folder, rows, large(folder), checks)

@flow
def once(folder: str, fails: bool = True):
    data = extract(folder)
    if fails and count(folder, "once") < 2:
        raise ValueError("not yet")
    return {"attempt": runtime.flow_run.run_count, **data}

with Flow("drawn") as drawn:
    place = Parameter("folder")
    extract_again = extract(place)
    late = checked(place, 7)

    @task
    def close(folder, data, number):
        if count(folder, "close") < 2:
            raise ConnectionError("closed")
        return len(data["rows"]) + number

    close(place, extract_again, late)

def note(flow, flow_run, state):
    count(flow_run.parameters["folder"], f"hook-{state.name}")

@flow(on_running=[note], on_cancellation=[note], on_failure=[note], on_completion=[note], retries=1)
def hooked(folder: str, waits: bool):
    if waits:
        count(folder, "waits")
        time.sleep(60)
    raise ValueError("as it must")

@task
def is_away():
    raise ConnectionError("away")

@task
def uses(data):
    raise ValueError("not yet")

@flow(retries=1)
def shaky(folder: str):
    first = extract.submit(folder) if count(folder, "shaky") == 1 else is_away.submit()
    return uses.submit(first)

@flow
def picky():
    return Rows(5)
"""

COMMAND = """
[[schedule]]
name = "flaky"
command = '''
echo x >> {file}
echo attempt $SCHEDULERD_ATTEMPT
test $(wc -l < {file}) -ge 3
'''
cron = "0 0 1 1 *"
retries = 3
retry_delay = "100ms"
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    service.drop("flows.py", FLOWS)
    service.start()
    for flow in ("warehouse", "once", "shaky", "picky", "drawn", "hooked"):
        service.wait_for_flow(flow)
    yield service
    service.close()


@pytest.fixture
def done(tmp_path: Path) -> Path:
    folder = tmp_path / "done"
    folder.mkdir()
    return folder


def counts(done: Path) -> dict[str, int]:
    """How often each task ran, by its own record."""
    return {file.name: file.stat().st_size for file in done.iterdir()}


def test_a_task_that_is_held_back_in_the_second_attempt_did_not_start_in_it(
    service: Service, done: Path
) -> None:
    run = service.wait_for_end(service.ask_for("shaky", folder=str(done)), within=60)

    assert (run.state, run.attempt) == (RunState.FAILED, 2)
    why = "task 'uses' did not run, as task 'is_away' failed: ConnectionError: away"
    assert run.reason == f"1 of 1 did not complete: {why}"
    away, uses = service.cli("runs", "show", run.selector)["tasks"]
    assert (away["name"], away["state"], uses["state"]) == ("is_away", "failed", "upstream_failed")
    assert away["started_at"] is not None
    assert uses["started_at"] is None  # though it did in the first, where it failed
    assert service.broken_invariants() == []


def test_a_flow_is_tried_again_and_only_what_failed_runs_again(service: Service, done: Path) -> None:
    key = service.ask_for("warehouse", folder=str(done))

    run = service.wait_for_end(key)

    assert (run.state, run.attempt) == (RunState.COMPLETED, 3)
    assert run.result_preview == "[3, 100000, [10, 20]]"
    assert counts(done) == {
        "extract": 1,
        "transform": 1,
        "large": 1,
        "checked-1": 1,
        "checked-2": 1,
        "load": 3,
    }
    shown = service.cli("runs", "show", run.selector, "-o", "json")
    assert [move["to"] for move in shown["moves"]] == [
        *("pending", "running", "retrying") * 2,
        *("pending", "running", "completed"),
    ]
    assert {task["name"]: task["state"] for task in shown["tasks"]} == dict.fromkeys(
        ("extract", "transform", "checked", "large", "load"), "completed"
    )


def test_a_retry_survives_a_kill_of_daemon_and_spawner(service: Service, done: Path) -> None:
    key = service.ask_for("warehouse", folder=str(done))
    eventually(lambda: service.run(key).state is RunState.RETRYING and service.run(key).attempt == 2)
    spawner = service.spawner()
    service.kill()
    if spawner is not None:
        os.kill(spawner, signal.SIGKILL)
    service.start()

    run = service.wait_for_end(key)

    assert (run.state, run.attempt) == (RunState.COMPLETED, 3)
    assert counts(done)["extract"] == 1


def test_a_command_is_tried_again_and_its_log_has_all_attempts(service: Service, tmp_path: Path) -> None:
    service.schedule("flaky.toml", COMMAND.format(file=tmp_path / "lines"))
    service.wait_for_flow("flaky")

    run = service.wait_for_end(key := service.ask_for("flaky"))

    assert (run.state, run.attempt) == (RunState.COMPLETED, 3)
    assert [one.line.message for one in service.lines(key)] == ["attempt 1", "attempt 2", "attempt 3"]


def test_a_person_has_a_run_tried_again_from_what_failed_or_anew(service: Service, done: Path) -> None:
    run = service.wait_for_end(key := service.ask_for("once", folder=str(done)))
    assert run.state is RunState.FAILED
    (extracted,) = service.cli("runs", "show", run.selector, "-o", "json")["tasks"]

    service.cli("runs", "retry", run.selector, "--from-failed", "-o", "json")
    eventually(lambda: service.run(key).state is RunState.COMPLETED)

    (known,) = service.cli("runs", "show", run.selector, "-o", "json")["tasks"]
    assert known == extracted
    assert counts(done) == {"extract": 1, "once": 2}
    assert service.cli("runs", "result", run.selector) == {"attempt": 2, "rows": [1, 2, 3]}
    assert service.cli("runs", "result", run.selector, "--task", "extract") == {"rows": [1, 2, 3]}
    refused = service.command("runs", "retry", run.selector)
    assert refused.returncode != 0
    assert "only what ended badly is tried again" in refused.stderr
    assert f"schedulerd runs rerun {run.selector}" in refused.stderr


def test_a_retry_without_from_failed_runs_everything_again(service: Service, done: Path) -> None:
    run = service.wait_for_end(key := service.ask_for("once", folder=str(done)))

    service.cli("runs", "retry", run.selector, "-o", "json")
    eventually(lambda: service.run(key).state is RunState.COMPLETED)

    assert counts(done) == {"extract": 2, "once": 2}


def test_a_rerun_is_a_new_run_with_other_parameters(service: Service, done: Path) -> None:
    run = service.wait_for_end(service.ask_for("once", folder=str(done)))

    made = service.cli("runs", "rerun", run.selector, "-p", "fails=false", "-o", "json")

    again = _ended(service, made["id"])
    assert (again.state, again.number) == (RunState.COMPLETED, run.number + 1)
    assert dict(again.parameters) == {"folder": str(done), "fails": False}
    wrong = service.command("runs", "rerun", run.selector, "-p", "colour=red")
    assert wrong.returncode != 0
    assert "colour" in wrong.stderr


def test_a_graph_goes_on_from_what_failed(service: Service, done: Path) -> None:
    run = service.wait_for_end(key := service.ask_for("drawn", folder=str(done)))
    assert run.state is RunState.FAILED

    service.cli("runs", "retry", run.selector, "--from-failed", "-o", "json")
    eventually(lambda: service.run(key).state is RunState.COMPLETED)

    assert counts(done) == {"extract": 1, "checked-7": 1, "close": 2}
    assert service.cli("runs", "result", run.selector) == 73


def test_hooks_are_called_at_the_end_of_the_last_attempt_and_at_a_cancellation(
    service: Service, done: Path
) -> None:
    run = service.wait_for_end(service.ask_for("hooked", folder=str(done), waits=False))
    assert (run.state, run.attempt) == (RunState.FAILED, 2)
    service.wait_for_hooks()
    assert counts(done) == {"hook-Running": 2, "hook-Failed": 1}

    key = service.ask_for("hooked", folder=str(done), waits=True)
    eventually((done / "waits").exists)
    service.command("runs", "cancel", service.run(key).selector)
    run = service.wait_for_end(key)
    service.wait_for_hooks()

    assert run.state is RunState.CANCELLED
    assert counts(done) == {"hook-Running": 3, "hook-Failed": 1, "waits": 1, "hook-Cancelled": 1}


def _ended(service: Service, run: str) -> Run:
    """The run with this id, when it has ended."""
    database = service.database()
    with database.read() as tx:
        key = tx.runs.get(RunId(UUID(run))).key
    database.close()
    return service.wait_for_end(key)


def test_a_value_that_is_no_json_is_saved_and_not_read(service: Service, tmp_path: Path) -> None:
    run = service.wait_for_end(service.ask_for("picky"))

    shown = service.command("runs", "result", run.selector)
    saved = service.command("runs", "result", run.selector, "--save", str(tmp_path / "value"))

    assert shown.returncode != 0
    assert "which only the flow's own code should read: --save FILE writes it" in shown.stderr
    assert saved.returncode == 0, saved.stderr
    assert (tmp_path / "value").stat().st_size > 0
    assert json.loads(json.dumps(run.result_preview)).startswith("<")
