"""What the API does with runs: start one, cancel, try again, have another like it, decide about one that waits."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schedulerd.clock import Clock
from schedulerd.domain.child_runs import AnyRun
from schedulerd.domain.pools import HIGHEST_PRIORITY, LOWEST_PRIORITY
from schedulerd.operations.operations import Operations
from schedulerd.operations.runs import Asked
from schedulerd.operations.shapes import run_shape
from schedulerd.web.api.once import LONGEST, Done, Once
from schedulerd.web.api.routing import BASE, actor_of, api_router
from schedulerd.web.api.run_models import AskedOut, RunOut
from schedulerd.web.blocking import Blocking
from schedulerd.web.principals import principal_of

_LONGEST_REASON: Final = 2_000
Reason = Annotated[str, Field(max_length=_LONGEST_REASON)]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Start(_Wish):
    """A run to be started. The same `dedupe_key` twice is one run, whoever asks and whenever."""

    parameters: dict[str, Any] = {}
    due_at: AwareDatetime | None = None
    priority: Annotated[int | None, Field(ge=LOWEST_PRIORITY, le=HIGHEST_PRIORITY)] = None
    dedupe_key: Annotated[str | None, Field(min_length=1, max_length=LONGEST)] = None


class Cancel(_Wish):
    """Why a run is cancelled, or killed."""

    reason: Reason = ""


class Retry(_Wish):
    """With `from_failed` the tasks that completed do not run again."""

    from_failed: bool = False


class Rerun(_Wish):
    """Other values for some of the parameters."""

    parameters: dict[str, Any] = {}


class Resume(_Wish):
    """What a run that waits for a decision is given."""

    reason: Reason = ""
    given: dict[str, Any] | None = None


class Approve(Resume):
    """A decision; it goes on only where that is `approved`."""

    approved: bool = True


def run_action_routes(operations: Operations, clock: Clock) -> APIRouter:
    """The routes. Each takes an `Idempotency-Key`."""
    router = api_router("", "runs")
    deeds, once = _Deeds(operations, clock), Once(operations, Blocking())

    @router.post("/flows/{flow}/runs", status_code=201, response_model=AskedOut)
    async def start(request: Request, flow: str, wish: Start | None = None) -> Response:
        """Ask for a run of a flow. With an `Idempotency-Key` the same request again asks for no other."""
        return await once.answer(request, lambda key: deeds.start(request, flow, wish or Start(), key))

    @router.post("/runs/{run}/cancel", status_code=202, response_model=RunOut)
    async def cancel(request: Request, run: str, wish: Cancel | None = None) -> Response:
        """Ask a run to end."""
        return await once.answer(request, lambda _: deeds.cancel(request, run, wish or Cancel()))

    @router.post("/runs/{run}/kill", status_code=202, response_model=RunOut)
    async def kill(request: Request, run: str, wish: Cancel | None = None) -> Response:
        """Have a run ended at once (SIGKILL), with all that it started and without any grace, also one that is being cancelled."""
        return await once.answer(request, lambda _: deeds.kill(request, run, wish or Cancel()))

    @router.post("/runs/{run}/retry", status_code=202, response_model=RunOut)
    async def retry(request: Request, run: str, wish: Retry | None = None) -> Response:
        """Have a run that has ended tried again, from what completed."""
        return await once.answer(request, lambda _: deeds.retry(request, run, wish or Retry()))

    @router.post("/runs/{run}/rerun", status_code=201, response_model=AskedOut)
    async def rerun(request: Request, run: str, wish: Rerun | None = None) -> Response:
        """Ask for a new run with the parameters of this one, or others."""
        return await once.answer(request, lambda key: deeds.rerun(request, run, wish or Rerun(), key))

    @router.post("/runs/{run}/approve", status_code=202, response_model=RunOut)
    async def approve(request: Request, run: str, wish: Approve | None = None) -> Response:
        """Decide about a run that waits for approval, or answer what it asks for."""
        return await once.answer(request, lambda _: deeds.decide(request, run, wish or Approve()))

    @router.post("/runs/{run}/resume", status_code=202, response_model=RunOut)
    async def resume(request: Request, run: str, wish: Resume | None = None) -> Response:
        """Have a paused run go on."""
        approved = Approve(**(wish or Resume()).model_dump())
        return await once.answer(request, lambda _: deeds.decide(request, run, approved))

    return router


class _Deeds:
    def __init__(self, operations: Operations, clock: Clock) -> None:
        self._operations: Final = operations
        self._clock: Final = clock

    def start(self, request: Request, flow: str, wish: Start, key: str | None) -> Done:
        asked = self._operations.runs.start(
            flow,
            wish.parameters,
            due_at=wish.due_at,
            idempotency_key=wish.dedupe_key or key,
            priority=wish.priority,
            by=principal_of(request),
        )
        return self._asked(asked)

    def rerun(self, request: Request, run: str, wish: Rerun, key: str | None) -> Done:
        by = principal_of(request)
        asked = self._operations.reruns.rerun(run, wish.parameters, idempotency_key=key, by=by)
        return self._asked(asked)

    def cancel(self, request: Request, run: str, wish: Cancel) -> Done:
        actor = actor_of(request)
        return self._taken(
            self._operations.runs.cancel(run, actor=actor, reason=wish.reason, by=principal_of(request))
        )

    def kill(self, request: Request, run: str, wish: Cancel) -> Done:
        actor = actor_of(request)
        found = self._operations.runs.kill(run, actor=actor, reason=wish.reason, by=principal_of(request))
        return self._taken(found)

    def retry(self, request: Request, run: str, wish: Retry) -> Done:
        actor = actor_of(request)
        found = self._operations.reruns.retry(
            run, from_failed=wish.from_failed, actor=actor, by=principal_of(request)
        )
        return self._taken(found)

    def decide(self, request: Request, run: str, wish: Approve) -> Done:
        found = self._operations.approvals.decide(
            run,
            approved=wish.approved,
            actor=actor_of(request),
            reason=wish.reason,
            given=wish.given,
            by=principal_of(request),
        )
        return self._taken(found)

    def _asked(self, asked: Asked) -> Done:
        shape = run_shape(asked.run, now=self._clock.now()) | {"is_new": asked.is_new}
        return Done(status=201 if asked.is_new else 200, shape=shape, location=_address(asked.run))

    def _taken(self, run: AnyRun) -> Done:
        """It was asked for, and the daemon will see to it."""
        return Done(status=202, shape=run_shape(run, now=self._clock.now()), location=_address(run))


def _address(run: AnyRun) -> str:
    return f"{BASE}/runs/{run.id}"
