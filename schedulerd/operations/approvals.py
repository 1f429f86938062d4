"""What can be asked about runs that wait for somebody's decision."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal
from schedulerd.domain.approvals import check_given
from schedulerd.domain.audit import Change
from schedulerd.domain.ids import RunId
from schedulerd.domain.questions import PAUSE, AskedQuestion
from schedulerd.domain.runs import Run
from schedulerd.domain.variables import LARGEST
from schedulerd.errors import BadParameters, Conflict
from schedulerd.operations.audit import keep
from schedulerd.operations.selectors import find_whole
from schedulerd.sentences import said
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction


class Approvals:
    """Decisions about paused runs."""

    def __init__(self, database: Database, clock: Clock, *, wake: Callable[[], bool]) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._wake: Final = wake

    def decide(
        self,
        selector: str,
        *,
        approved: bool,
        actor: str,
        reason: str,
        given: Mapping[str, Any] | None = None,
        by: Principal | None = None,
    ) -> Run:
        """Approve or reject what a paused run waits for, and wake the daemon; the audit tells that `by` did. `given` is what it
        asks to be told.

        Raises `Conflict` for a run that waits for no decision, and `BadParameters` where it is approved with what does not
        fit the schema of its question. What only the run can judge is told by `misfit` afterwards.
        """
        with self._database.write() as tx:
            run = find_whole(tx, selector, instead="runs approve")
            decide(tx, run, approved=approved, actor=actor, reason=reason, given=given)
            told = {"approved": approved, "reason": reason}
            change = Change(what="runs.approve", target=run.selector, after=told)
            keep(tx, by, change, at=self._clock.now())
        self._wake()
        return run

    def question(self, selector: str) -> AskedQuestion:
        """What the run asks, and waits for a decision about. Raises `Conflict` for one that waits for none."""
        with self._database.read() as tx:
            return _question(tx, find_whole(tx, selector, instead="runs approve"))

    def misfit(self, asked: AskedQuestion) -> str:
        """Why its run does not take what it was given in answer to this question; nothing where it has not said so."""
        key = asked.question.body.get("key")
        with self._database.read() as tx:
            again = [one.question for one in tx.questions.of_run(asked.run) if _is_open(one)]
        return next((str(one.body["misfit"]) for one in again if one.body.get("repeats") == key), "")


def decide(
    tx: Transaction, run: Run, *, approved: bool, actor: str, reason: str, given: Mapping[str, Any] | None
) -> None:
    """Answer what the run waits for. Raises `Conflict` where it waits for no decision, and `BadParameters` for what does not fit."""
    asked = _question(tx, run)
    decided = Conflict(said("{selector} has been decided about already", selector=run.selector))
    if asked.answer is not None:
        raise decided
    if approved:
        check_given(run.selector, asked.question.body.get("schema"), given or {})
    if given is not None and len(str(given)) > LARGEST:
        raise BadParameters(
            said(
                "what is given to {selector} is larger than {largest:,} bytes",
                selector=run.selector,
                largest=LARGEST,
            )
        )
    answer = {"approved": approved, "by": actor, "reason": reason, "given": given}
    if not tx.questions.answer(asked, answer):
        raise decided


def _question(tx: Transaction, run: Run) -> AskedQuestion:
    """The open question of the run, else one that has been decided about and is not yet delivered."""
    waiting = [one for one in tx.questions.of_run(run.key) if one.question.kind == PAUSE]
    if not waiting:
        raise Conflict(
            said(
                "{selector} waits for no decision: it is {state}",
                selector=run.selector,
                state=said(run.state.value),
            )
        )
    return next(filter(_is_open, waiting), waiting[0])


def _is_open(asked: AskedQuestion) -> bool:
    return asked.question.kind == PAUSE and asked.answer is None


def resume(tx: Transaction, body: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    """Approve another run, as the code of a run asks for it."""
    run = tx.runs.get(RunId(_uuid(body["id"])))
    decide(tx, run, approved=True, actor="flow", reason="", given=body.get("given"))
    return {}


def _uuid(text: Any) -> Any:
    from uuid import UUID

    try:
        return UUID(str(text))
    except ValueError as error:
        raise BadParameters(said("{text!r} is no id of a run", text=text)) from error
