"""Runs that something other than a time asks for, under a real daemon: another run that ended, a file that appeared."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.testing import TestDaemon, daemon
from tests.engine.scenes import is_alive
from tests.waiting import eventually

FLOWS = """
from schedulerd import flow
from schedulerd.schedules import After

@flow
def first(fails: bool = False) -> str:
    if fails:
        raise RuntimeError("as told")
    return "first"

@flow(schedule=After("first"))
def second() -> str:
    return "second"

@flow(schedule=After(["second", "first"], states=["failed", "completed"], name="cleans-up"))
def third() -> str:
    return "third"

@flow
def reads(path: str, label: str = "") -> str:
    return open(path).read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "flows").mkdir()
    file = tmp_path / "flows" / "chain.py"
    file.write_text(FLOWS)
    return file


@pytest.fixture
def started(file: Path) -> Iterator[TestDaemon]:
    with daemon(file) as one:
        yield one


@pytest.mark.timeout(180)
def test_a_flow_runs_after_another_that_ended_in_a_state_that_is_meant(started: TestDaemon) -> None:
    started.run("first", {"fails": True})
    (cleaned,) = started.wait_for_runs("third")
    started.run("first")
    (after,) = started.wait_for_runs("second")
    thirds = started.wait_for_runs("third", 3)  # after the failure, after the first, after the second

    assert (cleaned.state, after.state) == ("completed", "completed")
    assert len(started.runs("second")) == 1
    assert len(thirds) == 3
    assert started.operations.runs.get_whole("second#1").trigger == "after"
    assert (
        started.operations.runs.get_whole("second#1").slot
        == f"after {started.operations.runs.get_whole('first#2').id}.1"
    )


@pytest.mark.timeout(180)
def test_a_run_that_ended_while_no_daemon_was_there_is_followed_once(file: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    file.write_text(
        "from pathlib import Path\nfrom threading import Event\n"
        + FLOWS.replace(
            "def first(fails: bool = False) -> str:",
            f"def first(fails: bool = False) -> str:\n    while not Path({str(gate)!r}).exists():\n"
            "        Event().wait(0.05)",
        )
    )
    with daemon(file) as started:
        asked = started.operations.runs.start("first", {})
        eventually(
            lambda: started.operations.runs.get_whole(asked.run.selector).state == "running", within=60
        )
        pid = started.operations.runs.get_whole(asked.run.selector).pid
        started.kill()
        gate.touch()
        eventually(lambda: not is_alive(pid or 0), within=60)
        started.start()

        started.wait(asked.run.selector)
        started.wait_for_runs("second")
        started.kill()
        started.start()
        started.run("reads", {"path": str(file)})  # by then it has looked at everything once more

        assert len(started.runs("second")) == 1


INBOX = """
[[schedule]]
name = "inbox"
flow = "reads"
file = "{inbox}/*.csv"
parameters = {{ label = "new" }}

[[schedule]]
name = "as-command"
command = "cat $SCHEDULERD_FILE"
file = "{inbox}/*.txt"
"""


@pytest.mark.timeout(180)
def test_a_file_that_appears_is_run_once_also_over_a_kill_and_again_when_it_is_another(
    file: Path, tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "before.csv").write_text("there before the schedule")
    with daemon(file, schedules=INBOX.format(inbox=inbox)) as started:
        eventually(lambda: bool(started.operations.schedules.list()), within=60)
        (inbox / "one.csv").write_text("one")
        (inbox / ".hidden.csv").write_text("hidden")
        (inbox / "two.txt").write_text("two\n")
        (first,) = started.wait_for_runs("reads")
        (command,) = started.wait_for_runs("as-command")
        started.kill()
        (inbox / "three.csv").write_text("three")
        started.start()
        both = started.wait_for_runs("reads", 2)
        (inbox / "one.csv").write_text("one, written anew")
        three = started.wait_for_runs("reads", 3)

        assert (first.result, first.parameters) == ("one", {"label": "new", "path": str(inbox / "one.csv")})
        assert command.log == ("two",)
        assert [run.result for run in both] == ["one", "three"]
        assert three[2].result == "one, written anew"
        assert len(started.runs("reads")) == 3
        assert len(started.runs("as-command")) == 1


@pytest.mark.timeout(180)
def test_what_a_paused_schedule_is_caused_by_is_a_skip_and_not_made_up_for(file: Path) -> None:
    with daemon(file) as started:
        started.operations.schedules.pause("second#0", actor="me", reason="to see")
        started.run("first")
        (skipped,) = started.wait_for_runs("second")
        started.operations.schedules.resume("second#0")
        started.run("first")
        _, after = started.wait_for_runs("second", 2)

        assert (skipped.state, skipped.message) == ("skipped", "paused")
        assert after.state == "completed"
