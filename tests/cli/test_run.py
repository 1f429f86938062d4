"""`run`: what is recorded, what is refused, and how waiting for it ends."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.failures import Failure
from schedulerd.domain.runs import Run, RunFilter
from schedulerd.domain.states import RunState
from tests.builders import BOOT, NOW
from tests.cli.scenes import Project, StillClock
from tests.store.scenes import AGENT, a_line


def a_beat(**status: Any) -> AgentBeat:
    """What an agent says of itself."""
    return AgentBeat(
        name=AGENT,
        host="here",
        pid=1,
        version="1",
        boot_id=BOOT,
        started_at=NOW,
        beat_at=NOW,
        status=status,
    )


def the_runs(project: Project) -> list[Run]:
    with project.database.read() as tx:
        return tx.runs.list(RunFilter())


def test_a_run_is_recorded_and_waits_for_a_daemon(project: Project) -> None:
    project.add_flow()

    result = project.call("run", "etl")

    (run,) = the_runs(project)
    assert result.exit_code == 0
    assert result.stdout == f"etl#1 recorded  {run.id}\n"
    assert "no daemon answers: the run waits in the database until `schedulerd start`" in result.stderr
    assert (run.state, run.trigger.value) == (RunState.SCHEDULED, "manual")


def test_parameters_have_the_types_that_the_flow_asks_for(project: Project) -> None:
    project.add_flow()

    result = project.call("run", "etl", "-p", "region=12", "-p", "rows=12", "-p", "day=null", "-o", "json")

    assert json.loads(result.stdout)["parameters"] == {"region": "12", "rows": 12, "day": None}


@pytest.mark.parametrize("how", ["text", "file", "stdin"])
def test_parameters_can_be_an_object_of_json(project: Project, tmp_path: Path, how: str) -> None:
    project.add_flow()
    document = '{"region": "jp", "rows": 1}'
    (tmp_path / "p.json").write_text(document)
    argument = {"text": document, "file": f"@{tmp_path / 'p.json'}", "stdin": "-"}[how]

    result = project.call("run", "etl", "--params", argument, "-p", "rows=2", typed=document)

    assert result.exit_code == 0
    assert the_runs(project)[0].parameters == {"region": "jp", "rows": 2}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["-p", "regin=kr"], "there is no parameter 'regin'; did you mean 'region'?"),
        (["-p", "rows=many"], "parameter 'rows': \"many\" is not a whole number"),
        (["-p", "rows"], "'rows' is not NAME=VALUE"),
        (["--params", "[1]"], "it must be a JSON object"),
        (["--params", "{"], "Invalid value for '--params'"),
    ],
)
def test_parameters_that_do_not_fit_are_a_usage_error(project: Project, args: list[str], said: str) -> None:
    project.add_flow()

    result = project.call("run", "etl", *args)

    assert result.exit_code == 2
    assert said in result.stderr
    assert the_runs(project) == []


def test_a_run_can_be_due_later(project: Project) -> None:
    project.add_flow()

    result = project.call("run", "etl", "--at", "15m", "-o", "json")

    assert json.loads(result.stdout)["due_at"] == "2026-11-22T06:15:00.000Z"


def test_a_time_without_a_zone_is_meant_in_that_of_the_person(project: Project) -> None:
    project.add_flow()

    result = project.call("run", "etl", "--tz", "Asia/Seoul", "--at", "2026-11-23T09:00", "-o", "json")

    assert json.loads(result.stdout)["due_at"] == "2026-11-23T00:00:00.000Z"


def test_the_same_idempotency_key_twice_makes_one_run(project: Project) -> None:
    project.add_flow()

    first = project.call("run", "etl", "--idempotency-key", "monday", "-o", "name")
    second = project.call("run", "etl", "--idempotency-key", "monday", "-o", "name")
    told = project.call("run", "etl", "--idempotency-key", "monday")

    assert first.stdout == second.stdout
    assert len(the_runs(project)) == 1
    assert told.stdout.startswith("etl#1 was recorded already with this key: scheduled")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["etl", "-p", "rows=2"], "the key 'monday' belongs to etl#1, a run with other parameters"),
        (["report", "-p", "rows=1"], "the key 'monday' belongs to etl#1, a run of another flow"),
    ],
    ids=["parameters", "flow"],
)
def test_an_idempotency_key_that_another_run_has_is_a_conflict(
    project: Project, args: list[str], said: str
) -> None:
    project.add_flow()
    project.add_flow("report")
    project.call("run", "etl", "-p", "rows=1", "--idempotency-key", "monday")

    result = project.call("run", *args, "--idempotency-key", "monday")

    assert result.exit_code == 5
    assert said in result.stderr
    assert len(the_runs(project)) == 1


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-22T05:00", "Sun 2026-11-22 05:00:00 UTC is past (1h ago): it runs at once\n"),
        ("now", ""),
        ("1h", ""),
    ],
)
def test_a_time_that_is_past_is_told_to_mean_at_once(project: Project, at: str, said: str) -> None:
    project.add_flow()

    result = project.call("run", "etl", "--at", at)

    assert result.exit_code == 0
    assert result.stderr.partition("no daemon answers")[0] == said


def test_a_flow_is_named_by_its_file_too(project: Project) -> None:
    project.add_flow()

    result = project.call("run", os.path.relpath(project.folder / "etl.py"))

    assert result.exit_code == 0
    assert [run.selector for run in the_runs(project)] == ["etl#1"]


def test_a_file_that_no_folder_of_flows_holds_can_be_run_here(project: Project) -> None:
    result = project.call("run", "elsewhere.py")

    assert result.exit_code == 3
    assert "--local" in result.stderr


def break_file(project: Project, name: str, failure: Failure) -> str:
    """Have the daemon know that this flow file cannot be loaded."""
    file = str(project.folder / "flows" / name)
    with project.database.write() as tx:
        tx.flows.set_file_error(file, replace(failure, file=failure.file and file), now=NOW)
    return file


MISSING = Failure(type="ModuleNotFoundError", message="No module named 'nope'", file="this", line=3)


@pytest.mark.parametrize("flow", ["", ":q"], ids=["file", "flow of the file"])
def test_a_file_that_cannot_be_loaded_is_told_with_the_reason_and_its_line(
    project: Project, flow: str
) -> None:
    file = break_file(project, "brk.py", MISSING)

    result = project.call("run", file + flow)

    assert result.exit_code == 3
    assert result.stderr == (
        f"Error: there is no flow of the file '{file}'\n"
        f"  it cannot be loaded: {file}:3: ModuleNotFoundError: No module named 'nope'\n"
    )


def test_a_flow_that_is_new_in_a_file_which_cannot_be_loaded_now_is_told_so(project: Project) -> None:
    file = break_file(project, "etl.py", MISSING)
    project.add_flow(file=file)
    break_file(project, "etl.py", MISSING)

    result = project.call("run", f"{file}:q")

    assert result.exit_code == 3
    assert f"it cannot be loaded: {file}:3: ModuleNotFoundError: No module named 'nope'" in result.stderr
    assert project.call("run", file).exit_code == 0  # by its last good version


@pytest.mark.parametrize("by", ["file", "flow"])
def test_it_is_said_which_version_runs_of_a_file_that_has_become_bad_and_why(
    project: Project, by: str
) -> None:
    file = str(project.folder / "flows" / "etl.py")
    project.add_flow(file=file)
    break_file(project, "etl.py", MISSING)
    target = {"file": file, "flow": "etl"}[by]
    with project.database.read() as tx:
        version = tx.flows.get("etl").version_hash

    result = project.call("run", target)
    refused = project.call("run", target, "-p", "new=1")  # a parameter of the version that is not in force

    said = (
        f"its file has an error, and the last good version runs ({str(version)[:12]}, in force since "
        f"Sun 2026-11-22 06:00:00 UTC): {file}:3: ModuleNotFoundError: No module named 'nope'\n"
    )
    assert (result.exit_code, refused.exit_code) == (0, 2)
    assert result.stderr.startswith(said)
    assert refused.stderr.startswith(said)
    assert result.stdout.startswith("etl#1 recorded")


def test_nothing_is_said_of_a_version_that_is_what_the_file_holds(project: Project) -> None:
    project.add_flow()

    assert "version" not in project.call("run", "etl").stderr


@pytest.mark.parametrize("command", [["run"], ["flows", "show"]], ids=" ".join)
def test_a_flow_that_nobody_knows_may_be_in_a_file_that_cannot_be_loaded(
    project: Project, command: list[str]
) -> None:
    bad = break_file(project, "brk.py", MISSING)
    worse = break_file(project, "brk2.py", Failure(type="BadSchedule", message="no\x1b[2J zone\nat all"))
    with project.database.write() as tx:
        tx.flows.set_file_error("a.toml", MISSING, now=NOW)  # no flow file

    result = project.call(*command, "q")

    assert result.exit_code == 3
    assert result.stderr.splitlines()[1:] == [
        "  it may be in a file that cannot be loaded:",
        f"  {bad}:3: ModuleNotFoundError: No module named 'nope'",
        f"  {worse}: no\\x1b[2J zone",
    ]


def test_of_many_files_that_cannot_be_loaded_some_are_told(project: Project) -> None:
    for number in range(5):
        break_file(project, f"brk{number}.py", MISSING)

    told = project.call("run", "q").stderr.splitlines()

    assert (len(told), told[-1]) == (6, "  and in 2 more")


@pytest.mark.parametrize(
    ("name", "said"),
    [("etk", "did you mean etl?"), ("list", "did you mean `schedulerd runs list`?")],
)
def test_a_flow_that_nobody_knows_is_told_what_it_may_be(project: Project, name: str, said: str) -> None:
    project.add_flow()

    result = project.call("run", name)

    assert result.exit_code == 3
    assert said in result.stderr


def test_a_flow_that_was_removed_cannot_be_run(project: Project) -> None:
    project.add_flow()
    with project.database.write() as tx:
        tx.flows.remove_file(str(project.folder / "etl.py"), now=StillClock().now())

    result = project.call("run", "etl")

    assert result.exit_code == 5
    assert "was removed" in result.stderr


@pytest.mark.parametrize(
    ("state", "code"), [(RunState.COMPLETED, 0), (RunState.FAILED, 10), (RunState.CRASHED, 12)]
)
def test_waiting_tells_how_the_run_ended(project: Project, state: RunState, code: int) -> None:
    project.add_flow()
    clock = StillClock(on_look=lambda: end(project, state))

    result = project.call("run", "etl", "--wait", "--timeout", "1h", clock=clock)

    assert result.exit_code == code
    assert result.stdout.splitlines()[0].startswith("etl#1 recorded")
    assert f"{state.value} in 0ms" in result.stdout.splitlines()[1]


def test_following_shows_the_log_and_ends_with_the_run(project: Project) -> None:
    project.add_flow()
    clock = StillClock(on_look=lambda: end(project, RunState.FAILED, said="row 3 is bad"))

    result = project.call("run", "etl", "-f", "--timeout", "1h", clock=clock)

    assert result.exit_code == 10
    assert result.stdout == "06:00:00.000 INFO     row 3 is bad\n"
    assert "✕ failed" in result.stderr


def test_a_run_that_does_not_end_in_time_goes_on(project: Project) -> None:
    project.add_flow()

    result = project.call("run", "etl", "--wait", "--timeout", "1s", clock=StillClock(step=0.9))

    assert result.exit_code == 7
    assert [run.state for run in the_runs(project)] == [RunState.SCHEDULED]


def end(project: Project, state: RunState, *, said: str = "") -> None:
    """What a daemon does to a run that waits."""
    for run in the_runs(project):
        if run.state is RunState.SCHEDULED:
            project.move(run.key, RunState.PENDING, RunState.RUNNING)
            if said:
                project.take(run.key, a_line(said))
            project.move(run.key, state)


def test_a_run_may_be_asked_for_with_another_priority(project: Project) -> None:
    project.add_flow(priority=2, pool="database")
    project.call("run", "etl")

    result = project.call("run", "etl", "--priority", "-7", "-o", "json")
    refused = project.call("run", "etl", "--priority", "1001")

    assert [(run.priority, run.pool) for run in the_runs(project)] == [(-7, "database"), (2, "database")]
    assert (json.loads(result.stdout)["priority"], json.loads(result.stdout)["pool"]) == (-7, "database")
    assert refused.exit_code == 2


def test_a_run_that_waits_for_a_place_says_so_wherever_it_is_shown(project: Project) -> None:
    project.add_flow(pool="database")
    holder = project.add_run(RunState.RUNNING)
    project.add_run(RunState.SCHEDULED)
    with project.database.write() as tx:
        tx.agents.beat(a_beat(max_running=16, pools={"database": 1}))
    words = "waits for a place in pool 'database' (1 of 1 taken: etl#1)"

    shown = {
        "list": project.call("runs", "list", environ={"COLUMNS": "200"}).stdout,
        "show": project.call("runs", "show", "etl#2").stdout,
        "ps": project.call("ps", environ={"COLUMNS": "200"}).stdout,
    }
    told = json.loads(project.call("ps", "-o", "json").stdout)
    project.move(holder, RunState.COMPLETED)
    then = json.loads(project.call("ps", "-o", "json").stdout)

    assert [where for where, text in shown.items() if words not in text] == []
    assert [one["reason"] for one in told] == [words, ""]
    assert [one["reason"] for one in then] == [""]


def test_a_secret_is_refused_as_a_parameter_and_stands_nowhere(project: Project) -> None:
    secret = {"type": "string", "format": "password", "writeOnly": True}
    project.add_flow(parameters={"type": "object", "properties": {"pw": secret}})

    result = project.call("run", "etl", "-p", "pw=topsecret123")

    assert result.exit_code == 2
    assert "a secret is not given as a parameter ('pw')" in result.stderr
    assert "schedulerd secrets set NAME" in result.stderr
    assert the_runs(project) == []
    assert "topsecret123" not in result.output + project.call("runs", "list", "-o", "json").output
