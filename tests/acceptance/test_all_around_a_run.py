"""One scene of all that a run asks for and tells, with the daemon killed in the middle of it, again and again."""

import json
from pathlib import Path

import pytest

from schedulerd.domain.states import RunState
from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)

CANARY = "canary-0815-password"

FLOWS = '''
import threading
from pathlib import Path
from schedulerd import flow, task, pause_flow_run, runtime
from schedulerd.artifacts import create_markdown_artifact, create_progress_artifact, create_table_artifact, update_progress_artifact
from schedulerd.blocks.system import Secret
from schedulerd.concurrency.sync import concurrency, rate_limit
from schedulerd.deployments import run_deployment
from schedulerd.events import emit_event
from schedulerd.variables import Variable

def step(folder, name):
    """Say that it has come so far, and wait until it may go on."""
    Path(folder, name).touch()
    while not Path(folder, f"{name}.go").exists():
        threading.Event().wait(0.02)

@flow
def load(folder: str, bucket: str, rows: int):
    step(folder, "child")
    return f"{rows} rows in {bucket}"

@flow
def release(folder: str):
    bucket = Variable.get("bucket")
    password = Secret.load("db").get()
    print("the password is", password)
    progress = create_progress_artifact(0, key="steps")
    with concurrency("db", strict=True):
        step(folder, "holding")
        Variable.set("seen", {"bucket": bucket}, overwrite=True)
    rate_limit("api", strict=True)
    update_progress_artifact(progress, 50)
    done = run_deployment("load", {"folder": folder, "bucket": bucket, "rows": 3}, idempotency_key=folder)
    create_table_artifact([{"run": done.name, "state": done.state_name}], key="children")
    emit_event("rows.loaded", {"id": bucket}, payload={"rows": 3})
    pause_flow_run(key="release", message="is it good?")
    update_progress_artifact(progress, 100)
    create_markdown_artifact(f"# {done.result_preview}", key="report")
    Variable.unset("seen")
    return [done.name, Secret.load("db").get() == password]
'''


def test_a_flow_that_asks_for_everything_is_answered_by_whichever_daemon_there_is(tmp_path: Path) -> None:
    service = Service(tmp_path, settings="max_running = 1")
    service.drop("release.py", FLOWS)
    service.start()
    try:
        service.cli("variables", "set", "bucket", "s3://data")
        service.cli("limits", "set", "db", "1")
        service.cli("limits", "set", "api", "1", "--per-second", "100")
        (tmp_path / "typed").write_text(CANARY)
        assert service.command("secrets", "set", "db", "--from-file", "typed").returncode == 0
        (tmp_path / "typed").unlink()
        service.wait_for_flow("release")
        key = service.ask_for("release", folder=str(tmp_path))
        selector = service.run(key).selector

        def killed_and_started_at(name: str) -> None:
            """When it has come so far, kill the daemon, let the run go on, and start another daemon."""
            eventually((tmp_path / name).exists, within=60)
            service.kill()
            (tmp_path / f"{name}.go").touch()
            service.start()

        killed_and_started_at("holding")
        killed_and_started_at("child")
        eventually(lambda: service.run(key).state is RunState.PAUSED, within=60)
        service.kill()
        assert service.command("runs", "approve", selector, "--reason", "good").returncode == 0
        service.start()
        run = service.wait_for_end(key, within=60)

        assert run.state is RunState.COMPLETED, run.reason
        assert run.attempt == 1
        (child,) = service.cli("runs", "list", "--flow", "load")
        assert (child["parent"], child["state"]) == (str(run.id), "completed")
        assert json.loads(service.command("runs", "result", selector).stdout) == [child["name"], True]
        made = {one["key"]: one["data"] for one in service.cli("runs", "artifacts", selector)}
        assert made == {
            "steps": 100.0,
            "children": [{"run": child["name"], "state": "completed"}],
            "report": '# "3 rows in s3://data"',
        }
        assert [one["payload"] for one in service.cli("events", "list", "--run", selector)] == [{"rows": 3}]
        assert [one["name"] for one in service.cli("variables", "list")] == ["bucket"]
        assert {one["name"]: one["held_by"] for one in service.cli("limits", "list")} == {"api": [], "db": []}
        states = [one["to"] for one in service.cli("runs", "show", selector)["moves"]]
        assert states == ["pending", "running", "paused", "running", "completed"]
        assert "the password is ***" in [one.line.message for one in service.lines(key)]
        left = [path for path in service.state.rglob("*") if path.is_file()]
        assert [path for path in [*left, service.log] if CANARY.encode() in path.read_bytes()] == []
        assert service.broken_invariants() == []
    finally:
        service.stop()
