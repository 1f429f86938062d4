"""What can be asked about runs that have ended: what they came to, and to have them again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schedulerd.authoring.storages import read_from
from schedulerd.clock import Clock
from schedulerd.domain.access import Principal
from schedulerd.domain.audit import Change
from schedulerd.domain.child_runs import AnyRun, ChildRun
from schedulerd.domain.results import Result, ResultKind
from schedulerd.domain.runs import Run
from schedulerd.domain.states import FINAL, TRIED_AGAIN, RunState
from schedulerd.errors import Conflict, NotFound
from schedulerd.operations.audit import keep
from schedulerd.operations.runs import Asked, Runs, place_of
from schedulerd.operations.selectors import find_run, find_whole
from schedulerd.sentences import said
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """A value as it is kept: JSON as text, or the bytes of a pickle, which only user code should read."""

    kind: ResultKind
    content: bytes

    @property
    def is_json(self) -> bool:
        """Is its content JSON?"""
        return self.kind is not ResultKind.PICKLE


class Reruns:
    """Runs that have ended, as somebody at an edge sees them. `results` is the folder of large values."""

    def __init__(
        self, database: Database, clock: Clock, runs: Runs, *, results: Path, wake: Callable[[], bool]
    ) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._runs: Final = runs
        self._results: Final = results
        self._wake: Final = wake

    def result(self, selector: str, *, task: str | None = None) -> Value:
        """What the run, or a task of it, returned.

        `task` is a task's name or number. Raises `NotFound` where it returned nothing, or its value was not kept.
        """
        with self._database.read() as tx:
            run = find_run(tx, selector)
            found = _of_flow(tx, run) if task is None else self._of_task(tx, run, task)
        if found is None:
            what = (
                said("{run} returned nothing", run=run.selector)
                if run.state is RunState.COMPLETED
                else said("{run} is {state}", run=run.selector, state=said(run.state.value))
            )
            raise NotFound(
                "result",
                run.selector,
                mend=said("{what}, or its value was not kept (`max_result`)", what=what),
            )
        return Value(kind=found.kind, content=self._content(place_of(run)[0], found))

    def of_call(self, run: AnyRun, call: str | None) -> Value | None:
        """What a call within the run came to; None where it came to nothing, or its value was not kept."""
        root, _ = place_of(run)
        with self._database.read() as tx:
            found = None if call is None else tx.results.of_call(root.key, call)
        return None if found is None else Value(kind=found.kind, content=self._content(root, found))

    def retry(self, selector: str, *, from_failed: bool, actor: str, by: Principal | None = None) -> Run:
        """Have the same run tried again as its next attempt, and wake the daemon; the audit tells that `by` did.

        With `from_failed` the tasks that completed do not run again. Raises `Conflict` for a run that completed, or has
        not ended.
        """
        now = self._clock.now()
        with self._database.write() as tx:
            run = find_whole(tx, selector, instead="runs retry --from-failed")
            if run.state not in TRIED_AGAIN:
                raise Conflict(_refusal(run), mend=_instead(run))
            if not from_failed:
                tx.results.forget(run.key)
            message = f"asked for by {actor}" + (", with what completed" if from_failed else "")
            tx.runs.try_again(run.key, at=now, actor=actor, message=message)
            change = Change(what="runs.retry", target=run.selector, after={"from_failed": from_failed})
            keep(tx, by, change, at=now)
            asked = tx.runs.by_key(run.key)
        self._wake()
        return asked

    def rerun(
        self,
        selector: str,
        changes: Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
        by: Principal | None = None,
    ) -> Asked:
        """Record a new run of the same flow with the same parameters, but for `changes`; the audit tells that `by` asked for it.
        Raises as `start` does.
        """
        run = self._runs.get_whole(selector, instead="runs rerun")
        parameters = {**run.parameters, **changes}
        return self._runs.start(run.flow, parameters, idempotency_key=idempotency_key, by=by, of=run.selector)

    def _of_task(self, tx: Transaction, run: AnyRun, task: str) -> Result | None:
        root, child = place_of(run)
        of_run = tx.tasks.tasks(root.key, child=child)
        tasks = [one for one in of_run if task in (one.name, str(one.number))]
        if not tasks:
            known: Sequence[str] = sorted({one.name for one in of_run})
            raise NotFound("task", task, near=known)
        calls = {one.call for one in tasks if one.call is not None}
        if len(tasks) > 1:
            numbers = ", ".join(str(one.number) for one in tasks[:10])
            raise Conflict(
                said(
                    "{selector} has {count} tasks {task!r}",
                    selector=run.selector,
                    count=len(tasks),
                    task=task,
                ),
                mend=said("name one by its number: {numbers}", numbers=numbers),
            )
        return next((tx.results.of_call(root.key, call) for call in calls), None)

    def _content(self, run: Run, result: Result) -> bytes:
        if not result.file:
            return result.content
        try:
            if "/" in result.file:
                return _from_elsewhere(run, result.file)
            return (self._results / str(run.id) / result.file).read_bytes()
        except OSError as error:
            raise NotFound(
                "result", run.selector, mend=said("its file cannot be read: {error}", error=error)
            ) from error


def _of_flow(tx: Transaction, run: AnyRun) -> Result | None:
    """What the flow returned; of a child run it is kept as of a task of its root."""
    if not isinstance(run, ChildRun):
        return tx.results.of_flow(run.key)
    return None if run.call is None else tx.results.of_call(run.root.key, run.call)


def _from_elsewhere(run: Run, where: str) -> bytes:
    """What is kept in another place. What the run wrote down must be a file of its own: the reader may be root, and it is not."""
    if where.split("/")[-2] != str(run.id) or where.startswith(_LOCAL) or "::" in where:
        raise OSError(f"{where} is no place of this run")
    return read_from(where)


_LOCAL: Final = ("file:", "local:", "dir:", "reference:")


def _refusal(run: Run) -> str:
    if run.state in FINAL:
        return said(
            "{run} is {state}: only what ended badly is tried again",
            run=run.selector,
            state=said(run.state.value),
        )
    return said("{run} has not ended: it is {state}", run=run.selector, state=said(run.state.value))


def _instead(run: Run) -> str:
    if run.state in FINAL:
        return said("for another run like it: `schedulerd runs rerun {run}`", run=run.selector)
    return said("wait for it (`schedulerd runs wait {run}`), or cancel it first", run=run.selector)
