"""Runs that wait for somebody's decision: they are `paused` from when they ask until it is known."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from schedulerd.clock import moment
from schedulerd.domain.ids import RunKey
from schedulerd.domain.questions import AskedQuestion
from schedulerd.domain.states import RunState
from schedulerd.scheduler.attempts import Attempts
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

log = logging.getLogger(__name__)

_TIMED_OUT: Final = "nobody has decided in time"


class Pauses:
    """Moves runs to `paused`, and on again."""

    def __init__(self, database: Database, attempts: Attempts) -> None:
        self._database: Final = database
        self._attempts: Final = attempts

    def answer(self, tx: Transaction, asked: AskedQuestion, *, now: datetime) -> dict[str, Any] | None:
        """What was decided in an earlier attempt, or that the time is over; else the run is paused, and None."""
        body = asked.question.body
        known = tx.approvals.find(asked.run, str(body["key"]))
        if known is not None:
            return dict(known)
        if now >= moment(int(body["until"])):
            return {"approved": False, "timed_out": True}
        run = tx.runs.by_key(asked.run)
        if run.state is RunState.RUNNING and run.attempt == asked.attempt:
            reason = _reason(body)
            tx.runs.move(run.key, RunState.PAUSED, at=now, actor="run", message=reason, reason=reason)
            self._note(run.key, RunState.PAUSED)
        return None

    def go_on(self, answered: Sequence[AskedQuestion], *, now: datetime) -> None:
        """Runs whose question has an answer go on, and what was decided is remembered."""
        if not answered:
            return
        with self._database.write() as tx:
            for one in answered:
                self._go_on(tx, one, now=now)
        for one in answered:
            self._note(one.run, RunState.RUNNING, was=RunState.PAUSED)

    def _go_on(self, tx: Transaction, asked: AskedQuestion, *, now: datetime) -> None:
        answer = asked.answer or {}
        is_decision = "timed_out" not in answer and "error" not in answer
        if is_decision and answer.get("approved"):
            tx.approvals.put(asked.run, str(asked.question.body["key"]), answer, at=now)
        run = tx.runs.by_key(asked.run)
        if run.state is not RunState.PAUSED:
            return
        word = "approved" if answer.get("approved") else "rejected"
        why = f": {answer['reason']}" if answer.get("reason") else ""
        message = f"{word} by {answer.get('by')}{why}" if is_decision else _TIMED_OUT
        actor = str(answer.get("by") or "run")
        tx.runs.move(run.key, RunState.RUNNING, at=now, actor=actor, message=message, reason=message)
        log.info("run_goes_on", extra={"run": run.selector, "reason": message})

    def _note(self, run: RunKey, state: RunState, *, was: RunState = RunState.RUNNING) -> None:
        """What the core follows is moved too, or its next look at the database moves it."""
        for attempt in self._attempts:
            if attempt.run == run and attempt.state is was:
                attempt.state = state


def _reason(body: Mapping[str, Any]) -> str:
    """Why it is paused: what is asked, and what is wrong with what was given last."""
    said, misfit = str(body.get("message") or ""), str(body.get("misfit") or "")
    asked = f"waits for approval{f': {said}' if said else ''}"
    return f"{asked}{f'; what was given does not fit: {misfit}' if misfit else ''}"[:1_024]
