"""`runs list`, `runs show`, `runs wait`, `runs cancel`, `ps`: what is shown, in which format, and the exit code."""

import csv
import getpass
import io
import json
from datetime import timedelta

import pytest

from schedulerd.domain.states import FINAL, RunState, TaskState
from schedulerd.widths import display_width
from tests.builders import NOW, a_run_id
from tests.cli.scenes import Project, StillClock
from tests.store.scenes import a_line, a_task

RUN_FIELDS = [
    "id",
    "flow",
    "number",
    "name",
    "flow_run_name",
    "state",
    "reason",
    "late",
    "trigger",
    "schedule",
    "due_at",
    "created_at",
    "pending_at",
    "started_at",
    "ended_at",
    "duration_ms",
    "attempt",
    "parameters",
    "tags",
    "pool",
    "priority",
    "agent",
    "pid",
    "version",
    "parent",
    "root",
    "task",
    "error",
    "cpu_ms",
    "max_rss_bytes",
]
TASK_FIELDS = [
    "id",
    "name",
    "map_index",
    "state",
    "attempt",
    "started_at",
    "ended_at",
    "duration_ms",
    "attempts",
    "upstream",
    "result_preview",
    "error",
]


def test_runs_are_listed_with_the_newest_first(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.COMPLETED)
    project.add_run(RunState.FAILED)

    result = project.call("runs", "list")

    assert result.exit_code == 0
    title, newest, oldest = result.stdout.splitlines()
    assert title.split() == ["STATE", "RUN", "STARTED", "DURATION", "TRIGGER", "ERROR"]
    assert newest.split()[:3] == ["✕", "failed", "etl#2"]
    assert newest.endswith("KeyError: 'region' (load)")
    assert oldest.split()[:3] == ["✓", "completed", "etl#1"]


def test_a_run_in_json_has_the_shape_that_the_api_has(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.FAILED, parameters={"rows": 3})

    (run,) = json.loads(project.call("runs", "list", "-o", "json").stdout)

    assert list(run) == RUN_FIELDS
    assert run["name"] == "etl#1"
    assert run["parameters"] == {"rows": 3}
    assert run["started_at"] == "2026-11-22T06:00:01.000Z"
    assert run["duration_ms"] == 1000
    assert run["error"] == {
        "type": "KeyError",
        "message": "'region'",
        "file": None,
        "line": None,
        "task": "load",
        "traceback": "",
    }


def test_the_details_of_a_run_have_its_tasks_and_moves(project: Project) -> None:
    project.add_flow()
    key = project.add_run(RunState.RUNNING)
    project.take(
        key, a_line(), tasks=[a_task(state=TaskState.COMPLETED, ended_at=NOW + timedelta(seconds=1))]
    )
    project.move(key, RunState.COMPLETED)

    run = json.loads(project.call("runs", "show", "etl#1", "-o", "json").stdout)

    assert list(run) == [*RUN_FIELDS, "result_preview", "tasks", "moves", "children"]
    assert [list(task) for task in run["tasks"]] == [TASK_FIELDS]
    assert run["tasks"][0]["duration_ms"] == 1000
    assert [(move["from"], move["to"]) for move in run["moves"]] == [
        ("scheduled", "pending"),
        ("pending", "running"),
        ("running", "completed"),
    ]


def test_a_person_sees_the_tasks_and_the_error_of_a_run(project: Project) -> None:
    project.add_flow()
    key = project.add_run(RunState.FAILED)
    project.take(key, tasks=[a_task(state=TaskState.COMPLETED, result_preview="[1, 2]")])

    shown = project.call("runs", "show", "@last").stdout

    assert shown.startswith("✕ failed  etl#1")
    assert "KeyError: 'region'" in shown
    assert "in task load" in shown
    assert "✓ completed  extract" in shown
    assert "[1, 2]" in shown


@pytest.mark.parametrize("command", [("runs", "list"), ("next",)], ids=" ".join)
@pytest.mark.parametrize("number", ["0", "10001", "99999999999999999999"])
def test_how_many_may_be_asked_for_is_bounded(
    project: Project, command: tuple[str, ...], number: str
) -> None:
    result = project.call(*command, "-n", number)

    assert result.exit_code == 2
    assert "1<=x<=10000" in result.stderr


def test_jsonl_has_a_line_for_each_run(project: Project) -> None:
    project.add_flow()
    project.add_run()
    project.add_run()

    lines = project.call("runs", "list", "-o", "jsonl").stdout.splitlines()

    assert [json.loads(line)["name"] for line in lines] == ["etl#2", "etl#1"]


def test_csv_has_the_fields_of_json_as_columns(project: Project) -> None:
    project.add_flow()
    project.add_run(parameters={"region": "kr, jp"})

    (row,) = csv.DictReader(io.StringIO(project.call("runs", "list", "-o", "csv").stdout))

    assert list(row) == RUN_FIELDS
    assert row["state"] == "completed"
    assert row["late"] == "false"
    assert json.loads(row["parameters"]) == {"region": "kr, jp"}


def test_the_ids_of_a_list_can_be_shown(project: Project) -> None:
    project.add_flow()
    project.add_run()
    project.add_run()

    ids = project.call("runs", "list", "-o", "name").stdout.split()
    result = project.call("runs", "show", *ids, "-o", "json")

    assert [run["id"] for run in json.loads(result.stdout)] == ids


def test_an_empty_list_is_a_success_and_said_on_stderr(project: Project) -> None:
    result = project.call("runs", "list", "-o", "json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == []
    assert result.stderr == "no runs match\n"


def test_quiet_leaves_out_what_is_no_data(project: Project) -> None:
    assert project.call("runs", "list", "-q").output == ""


def test_what_is_given_together_must_all_hold(project: Project) -> None:
    project.add_flow()
    project.add_flow("report")
    project.add_run(RunState.FAILED)
    project.add_run(RunState.COMPLETED)
    project.add_run(RunState.FAILED, flow="report")

    result = project.call("runs", "list", "--flow", "etl", "--state", "failed", "--since", "1d", "-o", "json")

    assert [run["name"] for run in json.loads(result.stdout)] == ["etl#1"]


@pytest.mark.parametrize(
    ("since", "count"), [("1h", 1), ("3h", 2), ("2026-11-22T05:00", 1), ("yesterday", 2)]
)
def test_runs_are_narrowed_by_when_they_were_recorded(project: Project, since: str, count: int) -> None:
    project.add_flow()
    project.add_run(created_at=NOW - timedelta(hours=2))
    project.add_run()

    result = project.call("runs", "list", "--since", since, "-o", "name")

    assert len(result.stdout.split()) == count


def test_a_flow_that_nobody_knows_is_not_an_empty_list(project: Project) -> None:
    project.add_flow()

    result = project.call("runs", "list", "--flow", "etk")

    assert result.exit_code == 3
    assert "did you mean etl?" in result.stderr


def test_a_table_with_hangul_stays_aligned(project: Project) -> None:
    project.add_flow("보고서")
    project.add_flow("etl")
    project.add_run(flow="보고서")
    project.add_run(flow="etl")

    _, *lines = project.call("runs", "list").stdout.splitlines()

    assert len({display_width(line[: line.index("manual")]) for line in lines}) == 1


def test_wide_shows_whole_times_and_ids(project: Project) -> None:
    project.add_flow()
    project.add_run()

    shown = project.call("runs", "list", "-o", "wide", "--tz", "Asia/Seoul").stdout

    assert "Sun 2026-11-22 15:00:01 KST" in shown
    assert json.loads(project.call("runs", "list", "-o", "json").stdout)[0]["id"] in shown


def test_what_is_piped_has_no_escape_byte_and_colours_can_be_asked_for(project: Project) -> None:
    project.add_flow()
    project.add_run()

    assert "\x1b" not in project.call("runs", "list").stdout
    assert "\x1b" in project.call("runs", "list", "--color", "always").stdout
    assert "\x1b" in project.call("runs", "list", environ={"FORCE_COLOR": "1"}).stdout
    assert "\x1b" not in project.call("runs", "list", environ={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout


def test_a_text_from_a_run_cannot_command_the_terminal(project: Project) -> None:
    project.add_flow()
    key = project.add_run(RunState.RUNNING)
    project.take(key, tasks=[a_task(name="\x1b[2Jextract\x9b31m")])

    shown = project.call("runs", "show", "@last", "--color", "never").stdout

    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert "\\x1b[2Jextract" in shown


def test_a_scheduled_run_whose_time_has_passed_is_late(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.SCHEDULED, due_at=NOW - timedelta(minutes=5))

    shown = project.call("ps").stdout

    assert "scheduled (late)" in shown
    assert "due 5m ago" in shown


def test_ps_shows_what_goes_on_or_waits(project: Project) -> None:
    project.add_flow()
    for state in RunState:
        project.add_run(state)

    shown = json.loads(project.call("ps", "-o", "json").stdout)

    assert {run["state"] for run in shown} == {state.value for state in RunState} - {
        state.value for state in FINAL
    }


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (RunState.COMPLETED, 0),
        (RunState.FAILED, 10),
        (RunState.CANCELLED, 11),
        (RunState.SKIPPED, 11),
        (RunState.CRASHED, 12),
        (RunState.TIMED_OUT, 12),
    ],
)
def test_the_exit_code_of_a_wait_tells_how_the_run_ended(
    project: Project, state: RunState, code: int
) -> None:
    project.add_flow()
    project.add_run(state)

    assert project.call("runs", "wait", "@last").exit_code == code


def test_of_several_runs_the_worst_counts(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.COMPLETED)
    project.add_run(RunState.FAILED)

    assert project.call("runs", "wait", "etl#1", "etl#2").exit_code == 10


def test_a_wait_ends_when_the_run_does(project: Project) -> None:
    project.add_flow()
    key = project.add_run(RunState.RUNNING)
    looks: list[None] = []

    def end_it_at_the_third_look() -> None:
        looks.append(None)
        if len(looks) == 3:
            project.move(key, RunState.COMPLETED)

    clock = StillClock(on_look=end_it_at_the_third_look)
    result = project.call("runs", "wait", "@last", "--timeout", "1h", clock=clock)

    assert result.exit_code == 0
    assert "✓ completed" in result.stdout


def test_a_wait_that_takes_too_long_leaves_the_run_as_it_is(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.RUNNING)

    result = project.call("runs", "wait", "@last", "--timeout", "1s", clock=StillClock(step=0.9))

    assert result.exit_code == 7
    assert "etl#1 has not ended in time; it goes on" in result.stderr
    assert json.loads(project.call("runs", "show", "@last", "-o", "json").stdout)["state"] == "running"


def test_a_wait_for_a_run_that_no_daemon_takes_says_so(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.SCHEDULED)

    result = project.call("runs", "wait", "@last", "--timeout", "1s", clock=StillClock(step=0.9))

    assert result.exit_code == 7
    assert "etl#1 waits for a daemon: start one with `schedulerd start`" in result.stderr


def test_cancelling_leaves_a_wish_for_the_daemon(project: Project) -> None:
    project.add_flow()
    key = project.add_run(RunState.RUNNING)

    result = project.call("runs", "cancel", "etl#1", "--reason", "wrong region")

    assert result.exit_code == 0
    assert "no daemon runs" in result.stderr
    with project.database.read() as tx:
        (wish,) = tx.runs.cancel_wishes()
    assert (wish.run, wish.reason) == (key, "wrong region")


def test_a_run_is_cancelled_without_grace_where_one_says_so(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.CANCELLING)

    assert project.call("runs", "cancel", "--kill", "etl#1").exit_code == 0
    with project.database.read() as tx:
        assert [wish.kills for wish in tx.runs.cancel_wishes()] == [True]
    (entry,) = json.loads(project.call("audit", "-o", "json").stdout)
    assert (entry["what"], entry["who"]) == ("runs.kill", getpass.getuser())


def test_a_run_that_has_ended_cannot_be_cancelled(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.COMPLETED)

    result = project.call("runs", "cancel", "etl#1")

    assert result.exit_code == 5
    assert "etl#1 has ended already" in result.stderr


def test_an_ambiguous_prefix_lists_the_candidates(project: Project) -> None:
    project.add_flow()
    first, second = a_run_id(), a_run_id()
    project.add_run(id=first)
    project.add_run(id=second)

    result = project.call("runs", "show", str(first)[:8])

    assert result.exit_code == 3
    assert f"{first} (etl#1)" in result.stderr
    assert f"{second} (etl#2)" in result.stderr
