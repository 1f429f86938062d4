"""Runs that the code of other runs asks for: by the name of a flow, and waited for or not."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from schedulerd.clock import Clock
from schedulerd.domain.ids import RANDOM_BITS, RunId, RunKey
from schedulerd.domain.runs import Run, Trigger
from schedulerd.domain.states import FINAL
from schedulerd.errors import BadParameters, NotFound
from schedulerd.operations.approvals import resume
from schedulerd.operations.runs import record
from schedulerd.operations.task_results import task_results
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

START: Final = "run.start"


class ChildRuns:
    """Runs, as a flow in plain Python asks for them: as those of a person, of the daemon of its project."""

    def __init__(self, database: Database, clock: Clock, *, wake: Callable[[], bool]) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._wake: Final = wake

    def ask(self, kind: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a question as a run's is answered; nothing yet where a run that is waited for has not ended."""
        now = self._clock.now()
        with self._database.write() as tx:
            match kind:
                case "run.start":
                    answer: Mapping[str, Any] | None = start(tx, body, now=now, parent=None)
                case "run.result":
                    answer = result(tx, body, asker=None)
                case "run.resume":
                    answer = resume(tx, body, now)
                case "run.wait":
                    answer = wait(tx, body, now)
                case _:
                    answer = state(tx, body, now)
        if kind != "run.wait":
            self._wake()
        return answer or {}


def start(
    tx: Transaction, body: Mapping[str, Any], *, now: datetime, parent: RunKey | None
) -> Mapping[str, Any]:
    """Record a run of the flow that is named, and tell of it. The same key twice is one run.

    The name may be `flow/schedule`, as Prefect's deployments are called: then the parameters of the schedule count where
    no others are given. Raises as `record` does.
    """
    flow, usual = _named(tx, str(body["flow"]))
    run, _ = record(
        tx,
        flow,
        {**usual, **dict(body.get("parameters") or {})},
        now=now,
        entropy=secrets.randbits(RANDOM_BITS),
        due_at=_moment(body.get("due_at")),
        idempotency_key=body.get("idempotency_key"),
        trigger=Trigger.FLOW,
        parent=parent,
    )
    return {"run": told(run)}


def state(tx: Transaction, body: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    """How a run stands now."""
    return {"run": told(_run(tx, body))}


def wait(tx: Transaction, body: Mapping[str, Any], now: datetime) -> Mapping[str, Any] | None:
    """How a run ended; None as long as it has not."""
    run = _run(tx, body)
    return {"run": told(run)} if run.state in FINAL else None


def result(tx: Transaction, body: Mapping[str, Any], *, asker: RunKey | None) -> Mapping[str, Any]:
    """What a task of a run that has ended returned. Raises as `task_results` does."""
    return task_results(tx, _run(tx, body), body, asker=asker)


def told(run: Run) -> dict[str, Any]:
    """A run as the code that asked for it is told of it."""
    return {
        "id": str(run.id),
        "name": run.selector,
        "flow": run.flow,
        "state": run.state.value,
        "reason": run.reason,
        "parameters": dict(run.parameters),
        "result": run.result_preview,
    }


def _run(tx: Transaction, body: Mapping[str, Any]) -> Run:
    try:
        return tx.runs.get(RunId(UUID(str(body["id"]))))
    except ValueError as error:
        raise BadParameters(f"{body['id']!r} is no id of a run") from error


def _named(tx: Transaction, name: str) -> tuple[str, Mapping[str, Any]]:
    if "/" not in name:
        return name, {}
    try:
        return tx.flows.get(name).definition.name, {}
    except NotFound:
        flow, _, schedule = name.partition("/")
    try:
        found = tx.schedules.get(schedule)
    except NotFound:
        return flow, {}
    return flow, found.definition.parameters if found.definition.flow == flow else {}


def _moment(text: Any) -> datetime | None:
    if text is None:
        return None
    found = datetime.fromisoformat(str(text))
    if found.utcoffset() is None:
        raise BadParameters(f"{text} needs a time zone")
    return found
