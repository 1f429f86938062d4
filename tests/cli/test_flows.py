"""`flows`: list, show, graph, versions."""

import json
from datetime import timedelta

import pytest

from schedulerd.domain.failures import Failure
from schedulerd.domain.states import RunState
from tests.builders import NOW, a_schedule
from tests.cli.scenes import PARAMETERS, Project

FIELDS = [
    "name",
    "kind",
    "file",
    "entrypoint",
    "version",
    "description",
    "tags",
    "parameters",
    "tasks",
    "edges",
    "schedules",
    "timeout_ms",
    "surroundings",
    "last_run",
    "removed",
    "error",
]


@pytest.fixture
def flow(project: Project) -> str:
    """A flow with a schedule, a run, and a mistake in the present content of its file."""
    project.add_flow(description="From A to B.", tags=("nightly",))
    project.add_run(RunState.FAILED)
    with project.database.write() as tx:
        due = NOW + timedelta(minutes=1)
        tx.schedules.put(a_schedule(), flow=tx.flows.get("etl").key, watermark=NOW, next_due=due, now=NOW)
        failure = Failure(type="SyntaxError", message="invalid syntax", line=3)
        tx.flows.set_file_error(str(project.folder / "etl.py"), failure, now=NOW)
    return "etl"


def test_flows_are_listed_with_their_last_run_and_what_is_wrong(project: Project, flow: str) -> None:
    result = project.call("flows", "list")

    _, line = result.stdout.splitlines()
    assert result.exit_code == 0
    assert line.startswith("etl   ✕ failed")
    assert "etl-morning" in line
    assert "etl.py:3: invalid syntax" in result.stderr


def test_of_very_many_schedules_a_person_sees_the_first(project: Project, flow: str) -> None:
    with project.database.write() as tx:
        key = tx.flows.get("etl").key
        for number in range(25):
            definition = a_schedule(f"s-{number:02}")
            tx.schedules.put(
                definition, flow=key, watermark=NOW, next_due=NOW + timedelta(minutes=1), now=NOW
            )

    _, line = project.call("flows", "list").stdout.splitlines()
    shown = project.call("flows", "show", "etl").stdout
    told = json.loads(project.call("flows", "show", "etl", "-o", "json").stdout)

    assert "etl-morning, s-00, s-01, and 23 more" in line
    assert "s-18, and 6 more" in shown
    assert len(told["schedules"]) == 26


def test_a_flow_in_json_has_the_shape_that_the_api_has(project: Project, flow: str) -> None:
    shown = json.loads(project.call("flows", "show", "etl", "-o", "json").stdout)

    assert list(shown) == FIELDS
    assert shown["edges"] == [[0, 1], [1, 2]]
    assert shown["schedules"] == ["etl-morning"]
    assert shown["last_run"] == {"number": 1, "state": "failed", "ended_at": "2026-11-22T06:00:02.000Z"}
    assert shown["error"]["line"] == 3
    assert shown["parameters"] == PARAMETERS


def test_a_person_sees_the_parameters_of_a_flow(project: Project, flow: str) -> None:
    shown = project.call("flow", "show", "etl").stdout

    assert "From A to B." in shown
    assert 'region  a text, default "kr"' in shown
    assert "day     a text or null, default null" in shown


def test_the_graph_shows_each_task_under_what_it_waits_for(project: Project, flow: str) -> None:
    assert project.call("flows", "graph", "etl").stdout.splitlines() == [
        "etl",
        "└─ extract",
        "   └─ transform  ← extract",
        "      └─ load  ← transform",
    ]


def test_the_graph_can_be_drawn_by_graphviz(project: Project, flow: str) -> None:
    drawn = project.call("flows", "graph", "etl", "--format", "dot").stdout

    assert drawn.startswith('digraph "etl" {')
    assert '0 [label="extract"];' in drawn
    assert "0 -> 1;" in drawn


def test_a_flow_without_known_tasks_has_no_graph(project: Project) -> None:
    project.add_flow(tasks=(), edges=())

    result = project.call("flows", "graph", "etl")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "no tasks that are known before it runs" in result.stderr


def test_the_versions_of_a_flow_say_which_is_in_force(project: Project, flow: str) -> None:
    (version,) = json.loads(project.call("flows", "versions", "etl", "-o", "json").stdout)

    assert version["in_force"] is True
    assert project.call("flows", "versions", "etl", "--source").stdout == "flow = 1\n"


def test_without_flows_it_says_what_to_do(project: Project) -> None:
    result = project.call("flows", "list")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "put a file into a folder of flows" in result.stderr
