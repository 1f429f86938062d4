"""What runs of a real daemon ask for: variables, and what is answered by the next daemon when one was killed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.states import RunState
from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

FLOWS = """
import asyncio, threading
from pathlib import Path
from schedulerd import flow, task
from schedulerd.variables import Variable
from schedulerd import variables
from schedulerd.artifacts import *
from schedulerd.events import emit_event
from schedulerd.backend import get_key_value, set_key_value, delete_key, list_keys

BUCKET = Variable.get("bucket", "none yet")

@task
def read(name):
    return Variable.get(name)

@flow
def reads():
    return [BUCKET, read("bucket"), read.map(["bucket", "missing"]).result(), variables.get("missing", "default")]

@flow
def writes():
    Variable.set("count", {"rows": 3}, tags=["etl"])
    try:
        Variable.set("count", 4)
        refused = ""
    except ValueError as error:
        refused = str(error)
    Variable.set("count", 5, overwrite=True)
    set_key_value("key", [1])
    keys = list_keys()
    delete_key("key")
    return [refused, Variable.get("count"), get_key_value("count"), keys, Variable.unset("count"), Variable.unset("count")]

@flow
async def awaits():
    one, two = await asyncio.gather(Variable.aget("bucket"), Variable.get("bucket"))
    return [one, two, await Variable.get("missing", 7)]

@flow
def fails():
    get_key_value("missing")

@flow
def asks_later(folder: str):
    Path(folder, "running").touch()
    while not Path(folder, "go").exists():
        threading.Event().wait(0.02)
    return Variable.get("bucket")

@task
def draws():
    create_table_artifact([{"a": 1}])

@flow
def tells(folder: str):
    progress = create_progress_artifact(0, key="load")
    draws()
    emit_event("rows.loaded", {"id": "warehouse"}, payload={"rows": 3})
    Path(folder, "running").touch()
    while not Path(folder, "go").exists():
        threading.Event().wait(0.02)
    update_progress_artifact(progress, 100)
    create_markdown_artifact("# Done", key="report")
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A daemon with flows that ask."""
    service = Service(tmp_path)
    service.drop("asking.py", FLOWS)
    service.start()
    yield service
    service.stop()


def result_of(service: Service, flow: str, **parameters: str) -> Any:
    """What a run of the flow returned."""
    service.wait_for_flow(flow)
    run = service.wait_for_end(service.ask_for(flow, **parameters), within=40)
    assert run.state is RunState.COMPLETED, (run.reason, run.failure)
    return json.loads(service.command("runs", "result", run.selector).stdout)


def test_a_run_reads_and_writes_variables_in_sync_code_in_tasks_and_in_async_code(service: Service) -> None:
    service.cli("variables", "set", "bucket", "s3://data")

    assert result_of(service, "reads") == [
        "s3://data",
        "s3://data",
        ["s3://data", None],
        "default",
    ]
    refused, *rest = result_of(service, "writes")
    assert "already" in refused
    assert rest == [5, 5, ["bucket", "count", "key"], True, False]
    assert result_of(service, "awaits") == ["s3://data", "s3://data", 7]
    run = service.wait_for_end(service.ask_for("fails"), within=40)
    assert run.state is RunState.FAILED
    assert "no value is set for the key 'missing'" in run.reason


def test_a_question_that_was_asked_while_no_daemon_ran_is_answered_by_the_next(
    service: Service, tmp_path: Path
) -> None:
    service.cli("variables", "set", "bucket", "s3://data")
    service.wait_for_flow("asks-later")
    key = service.ask_for("asks-later", folder=str(tmp_path))
    eventually((tmp_path / "running").exists, within=40)
    service.kill()
    (tmp_path / "go").touch()
    journals = list((service.state / "runs").glob("*/journal.jsonl"))
    eventually(lambda: any('"variable.get"' in one.read_text() for one in journals), within=40)

    service.start()

    assert service.wait_for_end(key, within=40).result_preview == '"s3://data"'
    assert service.broken_invariants() == []


def test_a_run_tells_of_artifacts_and_events_over_the_death_of_its_daemon(
    service: Service, tmp_path: Path
) -> None:
    service.wait_for_flow("tells")
    key = service.ask_for("tells", folder=str(tmp_path))
    eventually((tmp_path / "running").exists, within=40)
    service.kill()
    (tmp_path / "go").touch()

    service.start()
    run = service.wait_for_end(key, within=40)

    assert run.state is RunState.COMPLETED, run.reason
    made = service.cli("runs", "artifacts", run.selector)
    assert [(one["key"], one["kind"], one["data"]) for one in made] == [
        ("load", "progress", 100.0),
        (None, "table", [{"a": 1}]),
        ("report", "markdown", "# Done"),
    ]
    events = service.cli("events", "list", "--run", run.selector)
    assert [(one["event"], one["payload"]) for one in events] == [("rows.loaded", {"rows": 3})]
