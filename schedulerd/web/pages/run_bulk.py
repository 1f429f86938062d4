"""`/runs/bulk`: several runs that were picked are cancelled or tried again, after it was said of each what will become of it."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from schedulerd.domain.runs import Run
from schedulerd.errors import Conflict, NotFound
from schedulerd.operations.operations import Operations
from schedulerd.web.audit_notes import is_told, tell_audit
from schedulerd.web.blocking import Blocking
from schedulerd.web.forms import actor_of, text
from schedulerd.web.pages.run import possible
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
    """The routes. They come before those of a run's own page, whose name may be anything."""
    router = page_router()
    blocking = Blocking()
    bulk = _Bulk(operations, pages)

    @router.get("/runs/bulk")
    def ask(request: Request, run: Picked = [], do: Deed = "cancel") -> Response:  # noqa: B006 - FastAPI copies it
        return bulk.ask(request, run, do)

    @router.post("/runs/bulk")
    async def carry_out(request: Request) -> Response:
        form = await request.form()
        picked = [str(one) for one in form.getlist("run")][:_MOST]
        deed: Deed = "retry" if text(form, "do") == "retry" else "cancel"
        reason = text(form, "reason")
        return await blocking.run(lambda: bulk.carry_out(request, picked, deed, reason=reason))

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

    def carry_out(self, request: Request, picked: list[str], deed: Deed, *, reason: str) -> Response:
        outcomes = [self._do(run, deed, actor=actor_of(request), reason=reason) for run in self._runs(picked)]
        if done := [one.run.selector for one in outcomes if not one.trouble]:
            tell_audit(
                request, ", ".join(done), what=f"runs.{deed}", after={"reason": reason} if reason else None
            )
        else:
            is_told(request)  # nothing was changed
        return self._pages.render(request, "run_bulk.html", do=deed, runs=(), others=(), outcomes=outcomes)

    def _runs(self, picked: list[str]) -> list[Run]:
        """Those that are there, each once, in the order of the list."""
        found = []
        for selector in dict.fromkeys(picked):
            try:
                found.append(self._operations.runs.get_whole(selector))
            except (NotFound, Conflict):  # it was removed with age meanwhile, or is a part of another
                continue
        return found

    def _do(self, run: Run, deed: Deed, *, actor: str, reason: str) -> Outcome:
        """One that cannot be changed does not keep the others from it."""
        try:
            if deed == "cancel":
                self._operations.runs.cancel(str(run.id), actor=actor, reason=reason)
            else:
                self._operations.reruns.retry(str(run.id), from_failed=True, actor=actor)
        except (Conflict, NotFound) as error:
            return Outcome(run=run, trouble=error.message)
        return Outcome(run=run)
