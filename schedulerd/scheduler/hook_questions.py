"""Answers what hooks ask while they are called: variables and secrets. Nothing of it is remembered.

The questions stand in the journal of the call. A daemon that is new to it answers those that it finds once more; who is
given an answer twice reads the first.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from schedulerd.clock import Clock
from schedulerd.domain.questions import Question, refusal
from schedulerd.engine.folders import JOURNAL, RunFolders
from schedulerd.engine.journal import parse, read_piece
from schedulerd.engine.mailbox import hand_over, put_into_inbox
from schedulerd.errors import NotFound, SchedulerdError, StoreUnavailable
from schedulerd.operations.secrets import SecretBox
from schedulerd.operations.variables import ANSWERS
from schedulerd.scheduler.attempts import Attempt
from schedulerd.scheduler.records import read_records
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

_SECRET: Final = "secret.get"


class HookQuestions:
    """Reads the journals of calls that go on, as far as they ask."""

    def __init__(self, database: Database, folders: RunFolders, clock: Clock, secrets: SecretBox) -> None:
        self._database: Final = database
        self._folders: Final = folders
        self._clock: Final = clock
        self._secrets: Final = secrets
        self._read: dict[str, int] = {}

    def answer(self, attempt: Attempt, *, is_over: bool = False) -> None:
        """Answer what is new. Of a call that is over only note which secrets it was given.

        Raises `StoreUnavailable`, and `OSError` where there is no room for an answer: all of it is still to be done.
        """
        path = self._folders.runs / attempt.folder
        piece = read_piece(path / JOURNAL, self._read.get(attempt.folder, 0), to_the_end=is_over)
        asking = tuple(line for line in piece.lines if b'"ask"' in line[:16])
        for question in read_records(parse(asking), now=self._clock.now()).questions:
            if question.kind == _SECRET:
                self._confide(attempt, question, is_over=is_over)
            elif not is_over:
                self._hand_on(attempt, question, self._answer(question))
        self._read[attempt.folder] = piece.offset
        if piece.more and is_over:
            self.answer(attempt, is_over=True)

    def forget(self, folder: str) -> None:
        """The call has ended, and all that it said is taken."""
        self._read.pop(folder, None)

    def _answer(self, question: Question) -> Mapping[str, Any]:
        if question.kind not in ANSWERS:
            return refusal(
                f"{question.kind} cannot be asked by a hook for the end of a run",
                mend="ask within the flow, and have it return what its hooks need",
            )
        return self._told(lambda tx, now: ANSWERS[question.kind](tx, question.body, now))

    def _confide(self, attempt: Attempt, question: Question, *, is_over: bool) -> None:
        """Give a secret through the door, and know from then on that it may not be shown."""
        name = str(question.body.get("name"))

        def open_it(tx: Transaction, now: datetime) -> Mapping[str, Any]:
            try:
                return {"found": True, "value": self._secrets.open(tx, name, tx.secrets.get(name).sealed)}
            except NotFound as error:
                if error.kind != "secret":
                    raise
                return {"found": False}

        answer = self._told(open_it)
        if answer.get("found"):
            attempt.redactor.add(answer["value"])  # before it can be said
            if not is_over:
                whole = {**answer, "id": question.id}
                hand_over(self._folders.runs / attempt.folder, question.door, whole)
        elif not is_over:
            self._hand_on(attempt, question, answer)

    def _told(self, tell: Callable[[Transaction, datetime], Mapping[str, Any]]) -> Mapping[str, Any]:
        """The answer, or that it is refused."""
        try:
            with self._database.write() as tx:
                answer: Mapping[str, Any] = tell(tx, self._clock.now())
                return answer
        except StoreUnavailable:
            raise
        except SchedulerdError as error:
            return refusal(error.message, mend=error.mend)
        except (KeyError, TypeError, ValueError) as error:
            return refusal(f"the question is not understood: {error!r:.200}")

    def _hand_on(self, attempt: Attempt, question: Question, answer: Mapping[str, Any]) -> None:
        whole = {**answer, "id": question.id}
        put_into_inbox(self._folders.runs / attempt.folder, [whole], [question.door])
