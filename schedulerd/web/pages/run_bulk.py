"""`/runs/bulk/cancel` and `/retry`: several runs that were picked are changed, after it was said of each what will become of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import FormData

from schedulerd.domain.ids import RunId, ids_with
from schedulerd.domain.runs import Run
from schedulerd.errors import SchedulerdError, Unreachable
from schedulerd.operations.operations import Operations
from schedulerd.web.blocking import Blocking
from schedulerd.web.forms import actor_of, text
from schedulerd.web.pages.run import possible
from schedulerd.web.principals import principal_of
from schedulerd.web.rendering import Pages
from schedulerd.web.roles import must_be_operator
from schedulerd.web.routers import page_router

_MOST: Final = 50
"""As many as a page of the list has."""

Deed = Literal["cancel", "retry"]
Picked = Annotated[list[str], Query(max_length=_MOST)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """A run, and why nothing was done with it; empty where it was."""

    run: Run
    trouble: str = ""


def run_bulk_pages(operations: Operations, pages: Pages) -> APIRouter:
    """The routes, whose paths say what is done: so a token is for it or not. They come before those of a run's own page,
    whose name may be anything."""
    router = page_router()
    blocking = Blocking()
    bulk = _Bulk(operations, pages)

    @router.get("/runs/bulk/cancel")
    def ask_cancel(request: Request, run: Picked = []) -> Response:  # noqa: B006 - FastAPI copies it
        return bulk.ask(request, run, "cancel")

    @router.get("/runs/bulk/retry")
    def ask_retry(request: Request, run: Picked = []) -> Response:  # noqa: B006 - FastAPI copies it
        return bulk.ask(request, run, "retry")

    @router.post("/runs/bulk/cancel")
    async def cancel(request: Request) -> Response:
        form = await request.form()
        reason = text(form, "reason")
        return await blocking.run(lambda: bulk.carry_out(request, _picked(form), "cancel", reason=reason))

    @router.post("/runs/bulk/retry")
    async def retry(request: Request) -> Response:
        form = await request.form()
        return await blocking.run(lambda: bulk.carry_out(request, _picked(form), "retry"))

    return router


class _Bulk:
    def __init__(self, operations: Operations, pages: Pages) -> None:
        self._operations: Final = operations
        self._pages: Final = pages

    def ask(self, request: Request, picked: list[str], deed: Deed) -> Response:
        must_be_operator(request)
        runs = self._runs(picked)
        can = [run for run in runs if deed in possible(run)]
        others = [run for run in runs if deed not in possible(run)]
        return self._pages.render(request, "run_bulk.html", do=deed, runs=can, others=others, outcomes=None)

    def carry_out(self, request: Request, picked: list[str], deed: Deed, *, reason: str = "") -> Response:
        outcomes = self._each(request, self._runs(picked), deed, reason=reason)
        return self._pages.render(request, "run_bulk.html", do=deed, runs=(), others=(), outcomes=outcomes)

    def _runs(self, picked: list[str]) -> Sequence[Run]:
        """Those that are there, each once; what is no id, or was removed with age meanwhile, is passed over."""
        ids = [found[0] for one in picked if (found := ids_with(one)) is not None]
        return self._operations.runs.several([RunId(one) for one in ids])

    def _each(self, request: Request, runs: Sequence[Run], deed: Deed, *, reason: str) -> list[Outcome]:
        """One that cannot be changed does not keep the others from it. Without the database none can: it is not asked again."""
        outcomes: list[Outcome] = []
        for run in runs:
            try:
                outcomes.append(self._do(request, run, deed, reason=reason))
            except Unreachable as error:
                left = runs[len(outcomes) :]
                return [*outcomes, *(Outcome(run=one, trouble=error.message) for one in left)]
        return outcomes

    def _do(self, request: Request, run: Run, deed: Deed, *, reason: str) -> Outcome:
        """What became of this one. Raises `Unreachable`."""
        actor, by = actor_of(request), principal_of(request)
        try:
            if deed == "cancel":
                self._operations.runs.cancel(str(run.id), actor=actor, reason=reason, by=by)
            else:
                self._operations.reruns.retry(str(run.id), from_failed=True, actor=actor, by=by)
        except Unreachable:
            raise
        except SchedulerdError as error:
            return Outcome(run=run, trouble=error.message)
        return Outcome(run=run)


def _picked(form: FormData) -> list[str]:
    return [str(one) for one in form.getlist("run")][:_MOST]
