"""The flows that come with the project, under a real daemon: each is found, has its schedule, and runs as it is told."""

import tomllib
from collections.abc import Iterator

import pytest

from schedulerd.testing import TestDaemon, daemon
from tests.rules.pages import REPOSITORY
from tests.waiting import eventually

FLOWS = REPOSITORY / "flows"
SCHEDULES = REPOSITORY / "config" / "schedules" / "etl.toml"
EXAMPLES = {
    "etl.py": "ETL-pipeline",
    "etl_functions.py": "etl-orders",
    "flaky_source.py": "flaky-source",
    "checksums.py": "checksums",
    "disk_report.py": "disk-report",
    "approval.py": "approval",
    "hello.py": "hello",
    "release.py": "release",
}


@pytest.fixture(scope="module")
def started() -> Iterator[TestDaemon]:
    with daemon(*(FLOWS / file for file in EXAMPLES), schedules=SCHEDULES.read_text()) as one:
        yield one


def test_every_file_in_the_folder_is_an_example_that_is_tried(started: TestDaemon) -> None:
    assert {file.name for file in FLOWS.glob("*.py")} == set(EXAMPLES)
    assert {each.flow.definition.name for each in started.operations.flows.list()} == set(EXAMPLES.values())
    assert started.operations.flows.errors() == ()


def test_each_has_its_schedule_and_etl_is_the_one_that_a_newcomer_sees_soon(started: TestDaemon) -> None:
    flows = {each.flow.definition.name: each for each in started.operations.flows.list()}

    assert {name: len(each.schedules.names) for name, each in flows.items()} == dict.fromkeys(flows, 1)
    (etl,) = flows["ETL-pipeline"].schedules.names
    assert etl == tomllib.loads(SCHEDULES.read_text())["schedule"][0]["name"]


def test_etl_in_both_styles(started: TestDaemon) -> None:
    graph = started.run("ETL-pipeline")
    functions = started.run("etl-orders", {"region": "jp"})

    assert (graph.state, functions.state) == ("completed", "completed")
    assert "Final data: [2, 4, 6, 8, 10]" in graph.log
    assert functions.result == {"orders": 1, "total": 80.0}


def test_a_flaky_source_is_asked_again_in_place_and_a_source_that_says_no_is_not(started: TestDaemon) -> None:
    mended, refused = (
        started.run("flaky-source", {"outages": 1}),
        started.run("flaky-source", {"city": "atlantis"}),
    )

    assert (mended.state, mended.task("fetch").attempt) == ("completed", 2)
    assert (refused.state, refused.task("fetch").attempt) == ("failed", 1)
    assert refused.states == ("scheduled", "pending", "running", "failed")
    # a hook, which is called after the run
    eventually(
        lambda: any(
            "nobody knows the weather" in line for run in started.runs("flaky-source") for line in run.log
        ),
        within=60,
    )


def test_items_are_mapped_and_one_that_fails_fails_alone(started: TestDaemon) -> None:
    files = [str(FLOWS / name) for name in EXAMPLES]

    run = started.run("checksums", {"files": [*files, "/nowhere"]})

    assert run.state == "completed"
    assert list(run.result) == files
    assert run.task("checksum", len(files)).state == "failed"


def test_a_shell_job_runs_within_a_graph(started: TestDaemon) -> None:
    fine, lost = started.run("disk-report", {"limit": 0}), started.run("disk-report", {"folder": "/nowhere"})

    assert (fine.state, fine.task("warn").result) == ("completed", "warned")
    assert (lost.state, lost.task("percent_used").state) == ("failed", "upstream_failed")


@pytest.mark.parametrize(("approved", "state"), [(True, "completed"), (False, "failed")])
def test_what_cannot_be_undone_waits_for_somebody(started: TestDaemon, approved: bool, state: str) -> None:
    asked = started.operations.runs.start("release", {"version": "1.2"}).run.selector
    eventually(lambda: started.operations.runs.get(asked).state == "paused", within=60)

    started.operations.approvals.decide(asked, approved=approved, actor="kim", reason="tested")
    run = started.wait(asked)

    assert run.state == state
    assert ("version 1.2 is out" in run.log) == approved
    assert started.operations.runs.get(asked).reason.endswith("by kim: tested")
