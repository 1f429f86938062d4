"""Gives secrets to runs, and takes new ones from them: through the door of a live run, and never by way of the disk."""

import json
import logging
from datetime import datetime
from typing import Any, Final

from schedulerd.domain.questions import AskedQuestion, refusal
from schedulerd.domain.runs import Run
from schedulerd.domain.states import LIVE
from schedulerd.engine.folders import RunFolders
from schedulerd.engine.mailbox import hand_over
from schedulerd.errors import NotFound, SchedulerdError, StoreUnavailable
from schedulerd.operations.secrets import SecretBox
from schedulerd.scheduler.attempts import Attempts
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

log = logging.getLogger(__name__)

_GET: Final = "secret.get"
_SET: Final = "secret.set"
CONFIDENTIAL: Final = frozenset({_GET, _SET})


class Confidant:
    """Knows which runs were given which secrets, so that these are left out of what the runs write."""

    def __init__(
        self, database: Database, attempts: Attempts, folders: RunFolders, secrets: SecretBox
    ) -> None:
        self._database: Final = database
        self._attempts: Final = attempts
        self._folders: Final = folders
        self._secrets: Final = secrets
        self._heard: Final[dict[tuple[str, str], str]] = {}

    def recall(self) -> None:
        """Take up what an earlier daemon has given."""
        with self._database.read() as tx:
            for use in tx.secrets.uses():
                attempt = next((one for one in self._attempts if one.run == use.run), None)
                if attempt is None or attempt.number != use.attempt:
                    continue
                try:
                    attempt.redactor.add(self._secrets.open(tx, use.name, use.sealed))
                except SchedulerdError as error:
                    log.error("secret_not_recalled", extra={"secret": use.name, "reason": error.message})

    def hear(self, folder: str, question: str, value: str) -> None:
        """A run told a value, for a question that may not have been read yet."""
        if self._attempts.get(folder) is not None:
            self._heard[folder, question] = value

    def answer(self, asked: AskedQuestion, *, now: datetime) -> None:
        """Answer, as far as that can be done now. Raises `StoreUnavailable`."""
        try:
            with self._database.write() as tx:
                given = self._answer(tx, asked, now=now)
            if given is not None:  # it is known by now, whatever becomes of us, that the run has it
                self._hand_over(asked, *given)
        except StoreUnavailable:
            raise
        except Exception as error:  # border: around one question
            known = isinstance(error, SchedulerdError)
            if not known:
                log.exception("question_failed", extra={"kind": asked.question.kind})
            said = (
                error.message if isinstance(error, SchedulerdError) else f"the daemon failed: {type(error)}"
            )
            mend = error.mend if isinstance(error, SchedulerdError) else ""
            with self._database.write() as tx:
                tx.questions.answer(asked, refusal(said, mend=mend))

    def _answer(self, tx: Transaction, asked: AskedQuestion, *, now: datetime) -> tuple[Run, Any] | None:
        run = tx.runs.by_key(asked.run)
        if run.state not in LIVE or run.attempt != asked.attempt:
            tx.questions.forget([asked])
        elif asked.question.kind == _SET:
            self._take(tx, asked, run, now=now)
        else:
            return self._given(tx, asked, run)
        return None

    def _given(self, tx: Transaction, asked: AskedQuestion, run: Run) -> tuple[Run, Any] | None:
        name = str(asked.question.body["name"])
        try:
            value = self._secrets.give(tx, name, run=run.key, attempt=run.attempt)
        except NotFound as error:
            if error.kind != "secret":
                raise
            tx.questions.answer(asked, {"found": False})
            return None
        return run, value

    def _hand_over(self, asked: AskedQuestion, run: Run, value: Any) -> None:
        attempt = self._attempts.get(run.folder)
        if attempt is None:
            return  # it is about to be followed
        attempt.redactor.add(value)  # before it can say it
        answer = {"id": asked.question.id, "found": True, "value": value}
        if hand_over(self._folders.runs / run.folder, asked.question.door, answer):
            with self._database.write() as tx:
                tx.questions.forget([asked])

    def _take(self, tx: Transaction, asked: AskedQuestion, run: Run, *, now: datetime) -> None:
        told = self._heard.pop((run.folder, asked.question.id), None)
        if told is None:
            return  # it is told again in a moment
        value: Any = json.loads(told)
        attempt = self._attempts.get(run.folder)
        if attempt is not None:
            attempt.redactor.add(value)
        body = asked.question.body
        self._secrets.put(tx, str(body["name"]), value, at=now, overwrite=bool(body.get("overwrite")))
        tx.questions.answer(asked, {})
