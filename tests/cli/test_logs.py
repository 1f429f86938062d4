"""`logs`: which lines of a run are shown, how, and until when."""

import json
import signal
import subprocess
from datetime import timedelta

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.states import RunState
from tests.builders import NOW
from tests.cli.scenes import Project, StillClock
from tests.store.scenes import a_line, a_task


@pytest.fixture
def run(project: Project) -> RunKey:
    """A running run of two tasks that said four lines."""
    project.add_flow()
    key = project.add_run(RunState.RUNNING)
    project.take(
        key,
        a_line("begins"),
        a_line("got 5 rows", task=1, at=NOW + timedelta(seconds=1)),
        a_line("row 3 is odd", task=2, level=30, at=NOW + timedelta(seconds=2)),
        a_line("ends\x1b[2J", level=40, at=NOW + timedelta(seconds=3)),
        tasks=[a_task(1), a_task(2, name="load")],
    )
    return key


def messages(project: Project, *args: str) -> list[str]:
    """The messages that are shown."""
    lines = project.call("logs", *args, "-o", "jsonl").stdout.splitlines()
    return [json.loads(line)["message"].partition("\x1b")[0] for line in lines]


def test_the_log_of_the_last_run_is_shown_with_times_and_tasks(project: Project, run: RunKey) -> None:
    shown = project.call("logs").stdout.splitlines()

    assert shown == [
        "06:00:00.000 INFO     begins",
        "06:00:01.000 INFO     extract: got 5 rows",
        "06:00:02.000 WARNING  load: row 3 is odd",
        "06:00:03.000 ERROR    ends\\x1b[2J",
    ]


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["-n", "1"], ["ends"]),
        (["-n", "1", "--head"], ["begins"]),
        (["-n", "0", "--level", "warning"], ["row 3 is odd", "ends"]),
        (["--task", "load"], ["row 3 is odd"]),
        (["--task", "1"], ["got 5 rows"]),
        (["--level", "warning"], ["row 3 is odd", "ends"]),
        (["--grep", "row(s|$)"], ["got 5 rows"]),
        (["--since", "2026-11-22T06:00:02"], ["row 3 is odd", "ends"]),
        (["--grep", "row", "-n", "1"], ["row 3 is odd"]),
    ],
    ids=str,
)
def test_lines_are_narrowed(project: Project, run: RunKey, args: list[str], wanted: list[str]) -> None:
    assert messages(project, *args) == wanted


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["-n", "2"], "the last 2 of 4 lines; -n 0 shows all\n"),
        (["-n", "2", "--head"], "the first 2 of 4 lines; -n 0 shows all\n"),
        (["-n", "1", "--level", "warning"], "the last 1 of 2 lines; -n 0 shows all\n"),
        (["-n", "4"], ""),
        (["-n", "0"], ""),
    ],
    ids=str,
)
def test_lines_that_were_left_out_are_told_on_stderr(
    project: Project, run: RunKey, args: list[str], said: str
) -> None:
    assert project.call("logs", *args).stderr == said


@pytest.mark.parametrize("count", [1, 2_000])
def test_a_full_disk_is_an_error_and_no_dump(project: Project, run: RunKey, count: int) -> None:
    project.take(run, *(a_line("x" * 200) for _ in range(count)))

    with open("/dev/full", "w") as full, project.spawn("logs", "-n", "0", stdout=full) as child:
        _, said = child.communicate(timeout=180)

    assert said == "Error: cannot write the output: No space left on device\n"
    assert child.returncode == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_the_caller_closed_lead_nowhere(project: Project, run: RunKey, closed: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"$@" {closed}', "bash", *project.command("logs", "--raw")],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert done.returncode == 0
    assert done.stdout.startswith("begins\n" if ">&-" not in closed.replace("2>&-", "") else "")
    assert done.stderr == ""


def test_a_line_in_json_has_the_shape_that_the_api_has(project: Project, run: RunKey) -> None:
    line = json.loads(project.call("logs", "-o", "json").stdout)[1]

    assert line == {
        "at": "2026-11-22T06:00:01.000Z",
        "level": "info",
        "logger": "flow",
        "task": "extract",
        "child": None,
        "message": "got 5 rows",
        "stream": "logging",
        "n": 2,
    }


def test_raw_lines_are_as_they_were_written(project: Project, run: RunKey) -> None:
    assert project.call("logs", "--raw", "--color", "always").stdout.splitlines()[-1] == "ends\x1b[2J"


def test_runs_logs_is_the_same_command(project: Project, run: RunKey) -> None:
    assert project.call("runs", "logs", "etl#1").stdout == project.call("logs", "etl#1").stdout


def test_a_run_without_such_lines_is_a_success(project: Project, run: RunKey) -> None:
    result = project.call("logs", "--level", "critical", "-o", "json")

    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert "etl#1 (running): there are no such lines" in result.stderr


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["--task", "lode"], 3, "there is no task 'lode'"),
        (["--grep", "("], 2, "Invalid value for '--grep'"),
        (["etl#7"], 3, "its last run is etl#1"),
        (["etk#7"], 3, "did you mean etl?"),
        (["etl"], 3, "'etl' is a flow; @last:etl names its last run"),
        (["@lst"], 3, "there is no run '@lst'"),
    ],
    ids=str,
)
def test_what_is_not_there_is_said(
    project: Project, run: RunKey, args: list[str], code: int, said: str
) -> None:
    result = project.call("logs", *args)

    assert result.exit_code == code
    assert said in result.stderr


def test_following_ends_with_the_run(project: Project, run: RunKey) -> None:
    with project.spawn("logs", "-f", "--raw", "-n", "2") as follower:
        assert follower.stdout is not None
        first = [follower.stdout.readline() for _ in range(2)]
        project.take(run, a_line("one more"))
        later = follower.stdout.readline()
        project.take(run, a_line("the last"))
        project.move(run, RunState.COMPLETED)
        rest, _ = follower.communicate(timeout=180)

    assert first == ["row 3 is odd\n", "ends\x1b[2J\n"]
    assert later == "one more\n"
    assert rest == "the last\n"
    assert follower.returncode == 0


def test_a_followed_log_in_json_is_a_line_each(project: Project, run: RunKey) -> None:
    project.move(run, RunState.COMPLETED)

    lines = project.call("logs", "-f", "-o", "json", clock=StillClock()).stdout.splitlines()

    assert [json.loads(line)["n"] for line in lines] == [1, 2, 3, 4]


def test_ctrl_c_ends_the_following_and_not_the_run(project: Project, run: RunKey) -> None:
    with project.spawn("logs", "-f") as follower:
        assert follower.stdout is not None
        follower.stdout.readline()
        follower.send_signal(signal.SIGINT)
        _, said = follower.communicate(timeout=180)

    assert follower.returncode == 130
    assert "etl#1 goes on" in said
    assert "Traceback" not in said
    with project.database.read() as tx:
        assert tx.runs.by_key(run).state is RunState.RUNNING


def test_a_reader_that_goes_away_leaves_no_traceback(project: Project, run: RunKey) -> None:
    project.take(run, *(a_line("x" * 200) for _ in range(1_000)))

    command = " ".join(project.command("logs", "-n", "1000"))
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -1; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert done.returncode == 141
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_a_run_that_failed_and_said_nothing_points_to_where_the_reason_stands(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.FAILED)

    result = project.call("logs", "@last-failed", "--level", "warning")

    assert result.exit_code == 0
    assert "there are no such lines; why it failed: `schedulerd runs show etl#1`" in result.stderr
