"""`runs show`: what a person and a program see of why a run failed, and of what it returned."""

import json

from schedulerd.domain.failures import Failure
from schedulerd.domain.intakes import Intake
from schedulerd.domain.runs import Position
from schedulerd.domain.states import RunState, TaskState
from tests.builders import NOW
from tests.cli.scenes import Project
from tests.store.scenes import a_task

TRACEBACK = """\
Traceback (most recent call last):
  File "/flows/etl.py", line 7, in load
    regions["\x1b[2J"]
KeyError: 'region'
"""


def fail(project: Project, failure: Failure) -> None:
    """A run of `etl` that failed so, as one of its tasks did."""
    key = project.add_run(RunState.RUNNING)
    project.take(key, tasks=[a_task(state=TaskState.FAILED, failure=failure)])
    with project.database.write() as tx:
        assert tx.runs.move(key, RunState.FAILED, at=NOW, actor="run", failure=failure)


def test_a_person_sees_the_traceback_of_a_run_once_and_unable_to_command_the_terminal(
    project: Project,
) -> None:
    project.add_flow()
    fail(project, Failure(type="KeyError", message="'region'", task="load", traceback=TRACEBACK))

    shown = project.call("runs", "show", "@last").stdout

    assert '    File "/flows/etl.py", line 7, in load\n      regions["\\x1b[2J"]\n' in shown
    assert shown.index("in task load") < shown.index("Traceback") < shown.index("TASK STATE")
    assert shown.count("Traceback") == 1


def test_a_person_sees_the_traceback_of_a_task_that_did_not_fail_the_run(project: Project) -> None:
    project.add_flow()
    failure = Failure(type="KeyError", message="'region'", task="load", traceback=TRACEBACK)
    key = project.add_run(RunState.COMPLETED)
    project.take(key, tasks=[a_task(number, state=TaskState.FAILED, failure=failure) for number in (1, 2)])

    shown = project.call("runs", "show", "@last").stdout

    assert shown.count("  extract:\n  Traceback (most recent call last):\n") == 1


def test_of_many_tasks_that_failed_otherwise_the_first_tracebacks_are_shown(project: Project) -> None:
    project.add_flow()
    key = project.add_run(RunState.COMPLETED)
    failures = [Failure(type="E", message="", traceback=f"Traceback {number}") for number in range(5)]
    tasks = [a_task(number + 1, state=TaskState.FAILED, failure=one) for number, one in enumerate(failures)]
    project.take(key, tasks=tasks)

    shown = project.call("runs", "show", "@last").stdout

    assert "Traceback 2" in shown
    assert "Traceback 3" not in shown
    assert "and 2 more; -o json has them all" in shown


def test_the_traceback_is_in_the_json_of_run_and_task(project: Project) -> None:
    project.add_flow()
    fail(project, Failure(type="KeyError", message="'region'", traceback=TRACEBACK))

    run = json.loads(project.call("runs", "show", "@last", "-o", "json").stdout)

    assert run["error"]["traceback"] == TRACEBACK
    assert run["tasks"][0]["error"]["traceback"] == TRACEBACK


def test_what_a_run_returned_is_shown(project: Project) -> None:
    project.add_flow()
    key = project.add_run(RunState.RUNNING)
    with project.database.write() as tx:
        was = tx.runs.by_key(key).position
        now = Position(journal=was.journal + 100)
        tx.intake.take([Intake(run=key, was=was, now=now, result_preview="{'rows': 5}")])

    shown = project.call("runs", "show", "@last").stdout
    run = json.loads(project.call("runs", "show", "@last", "-o", "json").stdout)

    assert ["result", "{'rows':", "5}"] in [line.split() for line in shown.splitlines()]
    assert run["result_preview"] == "{'rows': 5}"
