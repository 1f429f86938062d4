"""`limits`, and `runs approve`."""

import json
from dataclasses import replace
from typing import Any

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.intakes import Intake
from schedulerd.domain.questions import PAUSE, Question
from schedulerd.domain.states import RunState
from schedulerd.errors import BadParameters
from schedulerd.operations.approvals import resume
from tests.builders import NOW
from tests.cli.scenes import Project

SCHEMA = {
    "type": "object",
    "properties": {"rows": {"type": "integer"}, "deep": {"type": "array", "default": []}},
    "required": ["rows"],
}


def asking(project: Project, schema: Any = None) -> RunKey:
    """A paused run that waits for a decision, and asks to be told what the schema says."""
    project.add_flow()
    key = project.add_run(RunState.RUNNING)
    body = {"key": "a", "until": 2**60, "schema": schema}
    asked = Question(id="7.1", kind=PAUSE, asked_at=NOW, body=body)
    with project.database.write() as tx:
        was = tx.runs.by_key(key).position
        now = replace(was, journal=was.journal + 1)
        tx.intake.take([Intake(run=key, was=was, now=now, questions=(asked,))])
        tx.runs.move(key, RunState.PAUSED, at=NOW, actor="run")
    return key


def answer_of(project: Project, key: RunKey) -> Any:
    """What was decided about the run; None as long as nothing was."""
    with project.database.read() as tx:
        (asked,) = tx.questions.of_run(key)
    return asked.answer


def test_a_limit_is_set_shown_and_removed(project: Project) -> None:
    assert project.call("limits", "set", "db", "2").stdout == "db has 2 slots\n"
    assert project.call("limits", "set", "api", "5", "--per-second", "0.5").exit_code == 0
    project.call("limits", "set", "db", "3")

    listed = json.loads(project.call("limits", "list", "-o", "json").stdout)

    assert listed == [
        {"name": "api", "slots": 5, "taken": 0.0, "per_second": 0.5, "held_by": []},
        {"name": "db", "slots": 3, "taken": 0, "per_second": None, "held_by": []},
    ]
    assert project.call("limit", "unset", "db").exit_code == 0
    assert project.call("limits", "unset", "db").exit_code == 3


@pytest.mark.parametrize(
    "words", [("a b", "1"), ("a", "x"), ("a", "--", "-1"), ("a", "1", "--per-second", "0"), ("a", "9" * 9)]
)
def test_a_limit_that_cannot_be_is_a_usage_error(project: Project, words: tuple[str, ...]) -> None:
    assert project.call("limits", "set", *words).exit_code == 2


@pytest.mark.parametrize(("words", "approved"), [((), True), (("--reject", "--reason", "no"), False)])
def test_a_decision_is_recorded_once(project: Project, words: tuple[str, ...], approved: bool) -> None:
    key = asking(project, SCHEMA)

    result = project.call("runs", "approve", "etl#1", "-p", "rows=5", "--params", '{"deep": [1]}', *words)

    assert result.exit_code == 0, result.stderr
    assert "no daemon runs" in result.stderr
    answer = answer_of(project, key)
    assert answer is not None
    assert (answer["approved"], answer["given"]) == (approved, {"deep": [1], "rows": 5})
    again = project.call("runs", "approve", "etl#1")  # it lacks `rows`, too: that it is decided counts more
    assert again.exit_code == 5
    assert "etl#1 has been decided about already" in again.stderr


@pytest.mark.parametrize(
    ("schema", "words", "said"),
    [
        (SCHEMA, ("-p", "rows=many"), "parameter 'rows': \"many\" is not a whole number"),
        (SCHEMA, ("-p", "rows=5", "-p", "bogus=1"), "there is no parameter 'bogus'"),
        (SCHEMA, (), "parameter 'rows' is required"),
        (None, ("-p", "bogus=1"), "it takes no parameters, but was given 'bogus'"),
    ],
)
def test_an_approval_with_what_does_not_fit_is_a_usage_error_and_the_run_waits_on(
    project: Project, schema: Any, words: tuple[str, ...], said: str
) -> None:
    key = asking(project, schema)

    result = project.call("runs", "approve", "etl#1", *words)

    assert result.exit_code == 2
    assert f"etl#1: {said}" in result.stderr
    assert answer_of(project, key) is None
    assert project.call("runs", "approve", "etl#1", *words, "--reject").exit_code == 0


def test_code_of_another_run_can_give_no_more_than_a_person(project: Project) -> None:
    key = asking(project, SCHEMA)

    with project.database.write() as tx:
        body = {"id": str(tx.runs.by_key(key).id)}
        with pytest.raises(BadParameters, match="parameter 'rows' is required"):
            resume(tx, body, NOW)
        resume(tx, {**body, "given": {"rows": 5}}, NOW)

    assert answer_of(project, key)["given"] == {"rows": 5}


def test_a_run_that_waits_for_nothing_cannot_be_approved(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.RUNNING)

    result = project.call("runs", "resume", "etl#1")

    assert result.exit_code == 5
    assert "etl#1 waits for no decision: it is running" in result.stderr
    assert project.call("runs", "approve", "etl#9").exit_code == 3
