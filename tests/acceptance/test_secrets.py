"""Secrets in runs of a real daemon: they are given, and are found in no byte of what is left."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from schedulerd.domain.states import RunState
from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

CANARY = "canary/4711 pass+word"
MADE = "fresh-token-0815"

FLOWS = """
import asyncio, base64, json, logging, os, subprocess, sys, threading
from pathlib import Path
from urllib.parse import quote
from schedulerd import Flow, flow, task, get_run_logger
from schedulerd.blocks.system import Secret
from schedulerd.client import Secret as OldSecret
from schedulerd.task_runners import ProcessPoolTaskRunner
from schedulerd.tasks.secrets import PrefectSecret
from schedulerd.variables import Variable

@task
def tells(value):
    print("printed", value)
    sys.stdout.write(value[:5]); sys.stdout.write(value[5:] + "\\n")
    get_run_logger().warning("logged %s", base64.b64encode(b"x" + value.encode()).decode())
    os.write(1, b"raw " + value[:7].encode()); os.write(1, value[7:].encode() + b"\\n")
    subprocess.run(["/bin/sh", "-c", "cat >&2"], input=("shell " + value + "\\n").encode(), check=True)
    print("x" * 70_000 + value + "y" * 70_000)
    return {"password": value}

@flow
def leaks():
    value = Secret.load("db").get()
    tells(value)
    refused = []
    for wrong in (lambda: Variable.set("copy", value), ):
        try:
            wrong()
        except Exception as error:
            refused.append(str(error))
    print("refused", refused)
    raise ConnectionError(f"cannot connect to postgres://u:{quote(value, safe='')}@db")

@flow
def returns():
    return "the value is " + Secret.load("db").get()

@flow
async def saves():
    value = "-".join(["fresh", "token", str(815).zfill(4)])
    await Secret(value=value).save("made")
    again = await Secret.load("made")
    try:
        await again.save("made")
    except ValueError as error:
        print(error)
    await again.save("made", overwrite=True)
    return [repr(again), again.get() == value, OldSecret("made").get() == value, OldSecret("none").exists()]

@flow
def misses():
    Secret.load("none")

with Flow("drawn") as drawn:
    @task
    def length(value):
        print("drawn", value)
        return len(value)
    length(PrefectSecret("db")())

@task
def given_there(count):
    print("there", Secret.load("db").get())
    return [Secret.load("db").get()] * count

@task
def used_there(values):
    print("used", *values)
    raise ValueError(values[0])

@flow(task_runner=ProcessPoolTaskRunner(max_workers=2))
def elsewhere():
    values = given_there.submit(2).result()
    print("here", *values)
    used_there.submit(values).wait()
    return values

@flow
def goes_on(folder: str):
    value = Secret.load("db").get()
    Path(folder, "has").touch()
    while not Path(folder, "go").exists():
        threading.Event().wait(0.02)
    os.write(1, b"late " + value.encode() + b"\\n")
    return Secret.load("db").get() == value
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A daemon with flows that use secrets."""
    service = Service(tmp_path)
    service.drop("secret.py", FLOWS)
    service.start()
    set_secret(service, "db", CANARY)
    service.wait_for_flow("leaks")
    yield service
    service.stop()


def set_secret(service: Service, name: str, value: str) -> None:
    """As people do."""
    file = service.folder / "typed"
    file.write_text(value)
    assert service.command("secrets", "set", name, "--from-file", str(file)).returncode == 0
    file.unlink()


def forms() -> list[bytes]:
    """The ways in which the value could be told."""
    raw = CANARY.encode()
    return [
        raw,
        json.dumps(CANARY)[1:-1].encode(),
        quote(CANARY, safe="").encode(),
        base64.b64encode(b"x" + raw)[4:20],
        raw.hex().encode(),
        MADE.encode(),
    ]


def found_in(service: Service) -> list[str]:
    """Files of the daemon in which the value is told."""
    return [
        str(path)
        for path in [*service.state.rglob("*"), service.log]
        if path.is_file() and any(form in path.read_bytes() for form in forms())
    ]


def test_a_flow_that_tells_its_secret_in_every_way_is_told_without_it(service: Service) -> None:
    run = service.wait_for_end(service.ask_for("leaks"), within=60)

    assert run.state is RunState.FAILED
    assert "cannot connect to postgres://u:***@db" in run.reason
    lines = [one.line.message for one in service.lines(run.key)]
    assert "printed ***" in lines
    assert "***" in lines
    assert "raw ***" in lines
    assert "shell ***" in lines
    assert any(line.startswith("logged ") and "***" in line for line in lines)
    assert any("a secret stands in it, and it would be written down" in line for line in lines)
    assert sum(line.count("x") for line in lines) >= 70_000
    for flow in ("returns", "drawn"):
        assert service.wait_for_end(service.ask_for(flow), within=60).state is RunState.COMPLETED
    made = service.wait_for_end(service.ask_for("saves"), within=60)
    assert made.result_preview == "[\"Secret('**********')\", true, true, false]", made.reason
    assert found_in(service) == []


def test_a_secret_that_a_task_in_a_process_is_given_is_told_nowhere(service: Service) -> None:
    run = service.wait_for_end(service.ask_for("elsewhere"), within=60)

    assert (run.state, run.result_preview) == (RunState.COMPLETED, '["***", "***"]'), run.reason
    lines = [one.line.message for one in service.lines(run.key)]
    assert {"there ***", "here *** ***", "used *** ***"} <= set(lines)
    assert found_in(service) == []
    service.stop()
    assert found_in(service) == []


def test_a_secret_that_is_not_there_fails_the_run_and_says_how_to_set_it(service: Service) -> None:
    run = service.wait_for_end(service.ask_for("misses"), within=60)

    assert run.state is RunState.FAILED
    assert "there is no secret 'none' here: set it by `schedulerd secrets set none`" in run.reason


def test_what_an_earlier_daemon_gave_is_kept_out_by_the_next_even_when_it_was_changed(
    service: Service, tmp_path: Path
) -> None:
    key = service.ask_for("goes-on", folder=str(tmp_path))
    eventually((tmp_path / "has").exists, within=60)
    service.kill()
    set_secret(service, "db", "another-value")
    (tmp_path / "go").touch()
    eventually(
        lambda: any(b"late" in one.read_bytes() for one in service.state.glob("runs/*/stdout.log")), within=60
    )

    service.start()
    run = service.wait_for_end(key, within=60)

    assert run.result_preview == "false"
    assert "late ***" in [one.line.message for one in service.lines(key)]
    assert found_in(service) == []
