"""Questions of runs: taken once, open until they are answered and handed over, and gone with the attempt."""

from dataclasses import replace

import pytest

from schedulerd.domain.questions import Question
from schedulerd.domain.runs import Position
from schedulerd.domain.states import RunState
from schedulerd.store.database import Database
from tests.builders import A_SECOND, NOW
from tests.store.scenes import a_scene, add_in, an_intake

FIRST = Question(id="7.1", kind="variable.get", asked_at=NOW, body={"name": "bucket"}, door="answers.7.sock")


def test_a_question_is_taken_once_and_is_there_until_it_is_forgotten(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.RUNNING)
        intake = replace(an_intake(key), questions=(FIRST,))
        tx.intake.take([intake])
        tx.intake.take([intake])
        (asked,) = tx.questions.all()

        assert (asked.run, asked.attempt, asked.question, asked.answer) == (key, 1, FIRST, None)
        assert tx.questions.answer(asked, {"value": 1})
        assert not tx.questions.answer(asked, {"value": 2})
        (answered,) = tx.questions.of_run(key)
        assert answered.answer == {"value": 1}
        tx.questions.forget([answered])
        assert tx.questions.all() == []


def test_an_id_that_is_used_twice_is_one_question(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.RUNNING)
        first = replace(an_intake(key), questions=(FIRST,))
        tx.intake.take([first])
        (asked,) = tx.questions.all()
        tx.questions.answer(asked, {"value": 1})
        other = replace(FIRST, kind="other")
        now = Position(journal=first.now.journal + 5, stdout=first.now.stdout, stderr=first.now.stderr)
        tx.intake.take(
            [replace(an_intake(key), was=first.now, now=now, questions=(other,), tasks=(), lines=())]
        )

        assert [(one.question, one.answer) for one in tx.questions.all()] == [(FIRST, {"value": 1})]


def test_the_oldest_question_comes_first(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.RUNNING)
        late = replace(FIRST, id="7.2", asked_at=NOW + A_SECOND)
        tx.intake.take([replace(an_intake(key), questions=(late, FIRST))])

        assert [one.question.id for one in tx.questions.all()] == ["7.1", "7.2"]


@pytest.mark.parametrize("end", [RunState.COMPLETED, RunState.CRASHED, RunState.RETRYING])
def test_nobody_waits_for_an_answer_when_the_attempt_has_ended(database: Database, end: RunState) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.RUNNING)
        tx.intake.take([replace(an_intake(key), questions=(FIRST,))])

        assert tx.runs.move(key, end, at=NOW, actor="test")

        assert tx.questions.all() == []
