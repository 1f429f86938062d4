"""Answers what runs ask. Each question is taken once, and its answer lies in the run's inbox before it is forgotten.

What an answer changes, and the answer itself, are one transaction; it is handed over after that. A daemon that is killed
in between leaves the answer to the next one, and a run that is given an answer twice reads the first.
"""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from schedulerd.clock import Clock
from schedulerd.domain.questions import AWAIT_RUN, LONG_WAITS, PAUSE, AskedQuestion, refusal
from schedulerd.domain.runs import Run
from schedulerd.domain.states import LIVE
from schedulerd.engine.folders import RunFolders
from schedulerd.engine.mailbox import put_into_inbox
from schedulerd.errors import NotFound, SchedulerdError, StoreUnavailable
from schedulerd.operations.approvals import resume
from schedulerd.operations.child_runs import START, result, start, state, wait
from schedulerd.operations.named_limits import TAKE, take_slots
from schedulerd.operations.secrets import SecretBox
from schedulerd.operations.task_results import RESULT
from schedulerd.operations.variables import ANSWERS
from schedulerd.scheduler.attempts import Attempts
from schedulerd.scheduler.confiding import CONFIDENTIAL, Confidant
from schedulerd.scheduler.pauses import Pauses
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.5
_SHORT_LOOK_SECONDS: Final = 0.05  # where slots come back by the passing of time
_TOGETHER: Final = 1_000
_FOR_RUNS: Final = LONG_WAITS | {START}

Answer = Mapping[str, Any]
_OF_RUNS: Final[Mapping[str, Callable[[Transaction, Mapping[str, Any], datetime], Answer | None]]] = {
    AWAIT_RUN: wait,
    "run.state": state,
    "run.resume": resume,
}


class Answerer:
    """Looks at open questions when there may be one to answer, and now and then as long as there are any."""

    def __init__(
        self,
        database: Database,
        attempts: Attempts,
        folders: RunFolders,
        clock: Clock,
        *,
        secrets: SecretBox,
    ) -> None:
        self._database: Final = database
        self._pauses: Final = Pauses(database, attempts)
        self._confidant: Final = Confidant(database, attempts, folders, secrets)
        self._folders: Final = folders
        self._clock: Final = clock
        self._is_due = True  # an earlier daemon may have left some
        self._are_open = False
        self._looked_at = float("-inf")
        self._pause = _LOOK_SECONDS

    def begin(self) -> None:
        """Know what an earlier daemon has given to runs that go on; before anything of theirs is read."""
        self._confidant.recall()

    def hear(self, folder: str, question: str, value: str) -> None:
        """A run told a value for a question."""
        self._confidant.hear(folder, question, value)
        self._is_due = True

    def asked(self) -> None:
        """There may be something to answer: a question was taken, or somebody answered one."""
        self._is_due = True

    def freed(self) -> None:
        """Something was given back, or a run has ended: a question that is open may be answered now."""
        self._is_due = self._is_due or self._are_open

    def patience(self, monotonic: float) -> float:
        """Seconds until the next look; infinite when nothing is open."""
        if self._is_due:
            return 0.0
        return max(0.0, self._looked_at + self._pause - monotonic) if self._are_open else math.inf

    def look(self) -> bool:
        """Answer what can be answered; True when runs may be started for it: some were asked for, or places are lent.

        Raises `StoreUnavailable`: then all of it is still to be done.
        """
        monotonic = self._clock.monotonic()
        if self.patience(monotonic) > 0:
            return False
        self._is_due = True  # until it has been done
        with self._database.read() as tx:
            found = tx.questions.all()
        if found:
            unanswered = [one for one in found if one.answer is None]
            secret = [one for one in unanswered if one.question.kind in CONFIDENTIAL]
            self._answer([one for one in unanswered if one.question.kind not in CONFIDENTIAL][:_TOGETHER])
            for one in secret[:_TOGETHER]:
                self._confidant.answer(one, now=self._clock.now())
            self._deliver()
        self._looked_at = monotonic
        self._is_due, self._are_open = False, bool(found)
        is_by_time = any(one.question.kind == TAKE and one.question.body.get("rate") for one in found)
        self._pause = _SHORT_LOOK_SECONDS if is_by_time else _LOOK_SECONDS
        return any(one.question.kind in _FOR_RUNS for one in found)

    # -- answering ----------------------------------------------------------------------------------------------

    def _answer(self, asked: Sequence[AskedQuestion]) -> None:
        """In one transaction; where that fails for another reason than an absent database, each in one of its own."""
        if not asked:
            return
        try:
            self._answer_together(asked)
        except StoreUnavailable:
            raise
        except Exception:  # border: one question that cannot be answered must not keep the others from it
            log.exception("answering_failed", extra={"questions": len(asked)})
            for one in asked:
                self._answer_alone(one)

    def _answer_together(self, asked: Sequence[AskedQuestion]) -> None:
        now = self._clock.now()
        waiting: set[str] = set()
        with self._database.write() as tx:
            for one in asked:
                answer = self._answer_to(tx, one, waiting, now=now)
                if answer is not None:
                    tx.questions.answer(one, answer)

    def _answer_alone(self, asked: AskedQuestion) -> None:
        try:
            self._answer_together([asked])
        except StoreUnavailable:
            raise
        except Exception as error:  # border: around one question
            log.exception("question_failed", extra={"kind": asked.question.kind})
            with self._database.write() as tx:
                tx.questions.answer(asked, refusal(f"the daemon failed to answer: {error!r:.200}"))

    def _answer_to(
        self, tx: Transaction, asked: AskedQuestion, waiting: set[str], *, now: datetime
    ) -> Answer | None:
        """The answer; None where there is none yet."""
        kind, body = asked.question.kind, asked.question.body
        try:
            if kind in ANSWERS:
                return ANSWERS[kind](tx, body, now)
            if kind in _OF_RUNS:
                return _OF_RUNS[kind](tx, body, now)
            if kind == START:
                return start(tx, body, now=now, parent=asked.run)
            if kind == RESULT:
                return result(tx, body, asker=asked.run)
            if kind == TAKE:
                return take_slots(tx, asked, waiting, now=now)
            if kind == PAUSE:
                return self._pauses.answer(tx, asked, now=now)
        except SchedulerdError as error:
            return refusal(error.message, mend=error.mend)
        except (KeyError, TypeError, ValueError) as error:
            return refusal(f"the question is not understood: {error!r:.200}")
        return refusal(
            f"this version of the daemon has no answer to {kind!r}",
            mend="restart the daemon: it may be older than the flow's schedulerd",
        )

    # -- handing over -------------------------------------------------------------------------------------------

    def _deliver(self) -> None:
        with self._database.read() as tx:
            answered = [one for one in tx.questions.all() if one.answer is not None]
            runs = {one.run: _live_run(tx, one) for one in answered}
        self._pauses.go_on([one for one in answered if one.question.kind == PAUSE], now=self._clock.now())
        done: list[AskedQuestion] = []
        for key, several in groupby(answered, key=lambda one: (one.run, one.attempt)):
            together = list(several)
            run = runs[key[0]]
            if run is None or run.attempt != key[1] or self._put(run, together):
                done += together
        if done:
            with self._database.write() as tx:
                tx.questions.forget(done)

    def _put(self, run: Run, answered: Sequence[AskedQuestion]) -> bool:
        """Hand over; False when it is to be tried again."""
        answers = [{**(one.answer or {}), "id": one.question.id} for one in answered]
        try:
            put_into_inbox(self._folders.runs / run.folder, answers, [one.question.door for one in answered])
        except OSError as error:
            log.warning("answer_not_delivered", extra={"run": run.selector, "reason": str(error)})
            return False
        return True


def _live_run(tx: Transaction, asked: AskedQuestion) -> Run | None:
    try:
        run = tx.runs.by_key(asked.run)
    except NotFound:
        return None
    return run if run.state in LIVE else None
