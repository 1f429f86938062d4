"""The questions of runs that are open, or answered and not yet delivered. They are written by the intake."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, update

from schedulerd.domain.ids import RunKey
from schedulerd.domain.questions import AskedQuestion, Question
from schedulerd.domain.states import FINAL, RunState
from schedulerd.store.asking_tables import questions, secret_uses, slots
from schedulerd.store.prepared import Prepared
from schedulerd.store.tables import AnyRow
from schedulerd.store.upserts import Upsert

# A question that is asked twice by the same id is one.
PUT_QUESTION: Final = Upsert(questions, first=["kind", "body", "door", "asked_at", "answer"])

_IS_IT: Final = (
    questions.c.run_id == bindparam("run"),
    questions.c.attempt == bindparam("number"),
    questions.c.asked == bindparam("id"),
)
_ALL: Final = select(questions).order_by(
    questions.c.asked_at, questions.c.run_id, questions.c.attempt, questions.c.asked
)
_ANSWER: Final = (
    update(questions)
    .where(*_IS_IT, questions.c.answer.is_(None))
    .values(answer=bindparam("said", type_=questions.c.answer.type))
)
_FORGET: Final = delete(questions).where(*_IS_IT)
_END: Final = [
    Prepared(delete(table).where(table.c.run_id == bindparam("run")))
    for table in (questions, secret_uses, slots)
]
_LET_GO: Final = [
    delete(table).where(
        table.c.run_id == bindparam("run"),
        table.c.attempt == bindparam("number"),
        table.c.asked == bindparam("id"),
    )
    for table in (questions, slots)
]


class Questions:
    """What runs ask."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def all(self) -> list[AskedQuestion]:
        """The questions that are open, or answered and not delivered, the oldest first."""
        return [_asked(row) for row in self._connection.execute(_ALL)]

    def of_run(self, run: RunKey) -> list[AskedQuestion]:
        """Those of one run."""
        return [_asked(row) for row in self._connection.execute(_ALL.where(questions.c.run_id == run))]

    def answer(self, asked: AskedQuestion, answer: Mapping[str, Any]) -> bool:
        """Answer an open question; False when it is not there, or has an answer."""
        done = self._connection.execute(_ANSWER, _key(asked) | {"said": dict(answer)})
        return done.rowcount == 1

    def forget(self, delivered: Iterable[AskedQuestion]) -> None:
        """These have been answered, and the runs have the answers; nothing happens to those that are not there."""
        keys = [_key(asked) for asked in delivered]
        if keys:
            self._connection.execute(_FORGET, keys)


def question_row(run: RunKey, attempt: int, question: Question) -> dict[str, Any]:
    """The row of a question that was taken just now."""
    return {
        "run_id": run,
        "attempt": attempt,
        "asked": question.id,
        "kind": question.kind,
        "body": dict(question.body),
        "door": question.door,
        "asked_at": question.asked_at,
        "answer": None,
    }


def end_attempts(connection: Connection, ends: Iterable[tuple[RunKey, RunState]]) -> None:
    """Runs, or attempts of theirs, ended so: nobody waits for an answer any more, or holds what was given."""
    rows = [{"run": run} for run, state in ends if state in FINAL or state is RunState.RETRYING]
    for statement in _END:
        statement(connection, rows)


def let_go(connection: Connection, freed: list[dict[str, Any]]) -> None:
    """Attempts want no answer to these questions any more, or give back what they were given."""
    if freed:
        for statement in _LET_GO:
            connection.execute(statement, freed)


def freed_row(run: RunKey, attempt: int, asked: str) -> dict[str, Any]:
    """Which question of an attempt is done with."""
    return {"run": run, "number": attempt, "id": asked}


def _key(asked: AskedQuestion) -> dict[str, Any]:
    return {"run": asked.run, "number": asked.attempt, "id": asked.question.id}


def _asked(row: AnyRow) -> AskedQuestion:
    question = Question(
        id=row.asked, kind=row.kind, asked_at=row.asked_at, body=row.body or {}, door=row.door
    )
    return AskedQuestion(run=RunKey(row.run_id), attempt=row.attempt, question=question, answer=row.answer)
