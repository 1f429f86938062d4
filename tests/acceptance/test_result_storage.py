"""Large results of runs of a real daemon, kept in a place by URL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.states import RunState
from tests.service import Service

pytest.importorskip("fsspec")
pytestmark = pytest.mark.timeout(90)

FLOWS = """
import json, os
from pathlib import Path
from schedulerd import flow, task

@task
def large(folder):
    with open(Path(folder) / "ran", "a") as file:
        file.write("x")
    return "x" * 200_000

@flow(retries=1)
def usual(folder: str):
    text = large(folder)
    if not (Path(folder) / "been").exists():
        (Path(folder) / "been").touch()
        raise ConnectionError("away")
    return text

@flow(result_storage=str(Path(__file__).parent.parent / "own"))
def own():
    return "y" * 200_000

@flow
def claims(file: str):
    os.write(int(journal()), (json.dumps({"k": "result", "t": 1, "v": "x", "x": ["json", "", file]}) + "\\n").encode())

def journal():
    for fd in os.listdir("/proc/self/fd"):
        if os.path.basename(os.path.realpath(f"/proc/self/fd/{fd}")) == "journal.jsonl":
            return fd

@flow(result_storage="nowhere://x")
def lost():
    return "z" * 200_000
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path, settings=f'results = "file://{tmp_path}/far"\n')
    service.drop("flows.py", FLOWS)
    service.start()
    service.wait_for_flow("lost")
    yield service
    service.close()


def test_large_results_lie_where_the_settings_say_and_are_found_there(
    service: Service, tmp_path: Path
) -> None:
    folder = tmp_path / "done"
    folder.mkdir()

    run = service.wait_for_end(service.ask_for("usual", folder=str(folder)), within=60)

    assert (run.state, run.attempt) == (RunState.COMPLETED, 2), run.reason
    assert (folder / "ran").read_text() == "x"  # the second attempt had its value
    assert len(list((tmp_path / "far" / str(run.id)).iterdir())) >= 1
    shown = service.command("runs", "result", run.selector)
    assert "x" * 200_000 in shown.stdout


def test_a_flow_names_a_place_of_its_own_and_one_that_fails_is_told(service: Service, tmp_path: Path) -> None:
    run = service.wait_for_end(service.ask_for("own"), within=60)
    lost = service.wait_for_end(service.ask_for("lost"), within=60)

    assert "y" * 200_000 in service.command("runs", "result", run.selector).stdout
    assert (service.folder / "own" / str(run.id)).is_dir()
    assert lost.state is RunState.COMPLETED
    lines = [one.line.message for one in service.lines(lost.key)]
    assert any("what the flow returned is not kept: nowhere://x" in line for line in lines)


def test_a_run_cannot_have_a_file_read_that_is_not_its_own(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "01a21b8f-5623-719b-8e01-7c3b80b721f6" / ("0" * 32)
    file.parent.mkdir()
    file.write_text('"hush"')

    run = service.wait_for_end(service.ask_for("claims", file=str(file)), within=60)

    assert run.state is RunState.COMPLETED, run.reason
    said = service.command("runs", "result", run.selector)
    assert "is no place of this run" in said.stderr
    assert "hush" not in said.stdout
