"""What a person does with a run: start, cancel, retry, run again, approve. Each is a page that says what will happen, and a form."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from schedulerd.domain.runs import Run
from schedulerd.errors import BadParameters
from schedulerd.operations.operations import Operations
from schedulerd.sentences import joined
from schedulerd.web.blocking import Blocking
from schedulerd.web.forms import actor_of, go_on, new_key, text, texts
from schedulerd.web.parameter_forms import PREFIX, Filled, fields, read
from schedulerd.web.principals import principal_of
from schedulerd.web.rendering import Pages
from schedulerd.web.roles import must_be_operator
from schedulerd.web.routers import page_router


def run_action_pages(operations: Operations, pages: Pages) -> APIRouter:
    """The routes."""
    router = page_router()
    deeds = _Deeds(operations, pages)

    @router.get("/flows/{flow}/run")
    def run_form(request: Request, flow: str) -> Response:
        must_be_operator(request)
        return deeds.form(request, flow, values={})

    @router.post("/flows/{flow}/run")
    async def run(request: Request, flow: str) -> Response:
        form = await request.form()
        return await deeds.blocking.run(lambda: deeds.start(request, flow, form))

    @router.get("/runs/{run}/rerun")
    def rerun_form(request: Request, run: str) -> Response:
        must_be_operator(request)
        of = operations.runs.get_whole(run, instead="runs rerun")
        return deeds.form(request, of.flow, values=of.parameters, of=of)

    @router.post("/runs/{run}/rerun")
    async def rerun(request: Request, run: str) -> Response:
        form = await request.form()
        return await deeds.blocking.run(lambda: deeds.rerun(request, run, form))

    @router.get("/runs/{run}/cancel")
    @router.get("/runs/{run}/kill")
    @router.get("/runs/{run}/retry")
    @router.get("/runs/{run}/approve")
    def ask(request: Request, run: str) -> Response:
        must_be_operator(request)
        return deeds.ask(request, run, what=request.url.path.rpartition("/")[2])

    @router.post("/runs/{run}/cancel")
    async def cancel(request: Request, run: str) -> Response:
        form = await request.form()
        return await deeds.blocking.run(lambda: deeds.cancel(request, run, reason=text(form, "reason")))

    @router.post("/runs/{run}/kill")
    async def kill(request: Request, run: str) -> Response:
        form = await request.form()
        return await deeds.blocking.run(lambda: deeds.kill(request, run, reason=text(form, "reason")))

    @router.post("/runs/{run}/retry")
    async def retry(request: Request, run: str) -> Response:
        form = await request.form()
        from_failed = text(form, "from") != "start"
        return await deeds.blocking.run(lambda: deeds.retry(request, run, from_failed=from_failed))

    @router.post("/runs/{run}/approve")
    async def approve(request: Request, run: str) -> Response:
        form = await request.form()
        return await deeds.blocking.run(lambda: deeds.approve(request, run, form))

    return router


class _Deeds:
    def __init__(self, operations: Operations, pages: Pages) -> None:
        self._operations: Final = operations
        self._pages: Final = pages
        self.blocking: Final = Blocking()

    def form(
        self,
        request: Request,
        flow: str,
        *,
        values: Mapping[str, Any],
        of: Run | None = None,
        typed: Mapping[str, str] | None = None,
        troubles: Mapping[str, str] | None = None,
        key: str = "",
    ) -> Response:
        found = self._operations.flows.get(flow).flow
        schema = found.definition.parameters
        return self._pages.render(
            request,
            "run_form.html",
            status=422 if troubles else 200,
            flow=found,
            of=of,
            fields=fields(schema, values=values, typed=typed, troubles=troubles),
            troubles=troubles or {},
            key=key or new_key(),
        )

    def start(self, request: Request, flow: str, form: FormData) -> Response:
        return self._start(request, flow, form, values={})

    def rerun(self, request: Request, selector: str, form: FormData) -> Response:
        of = self._operations.runs.get_whole(selector, instead="runs rerun")
        return self._start(request, of.flow, form, values=of.parameters, of=of)

    def _start(
        self, request: Request, flow: str, form: FormData, *, values: Mapping[str, Any], of: Run | None = None
    ) -> Response:
        typed, key = texts(form, PREFIX), text(form, "key")
        filled = self._fill(flow, typed)
        if not filled.troubles:
            try:
                asked = self._operations.runs.start(
                    flow,
                    filled.parameters,
                    idempotency_key=key or None,
                    by=principal_of(request),
                    of="" if of is None else of.selector,
                )
                return go_on(f"/runs/{asked.run.id}", "started", asked.run.selector)
            except BadParameters as error:
                filled = Filled(parameters={}, troubles={"": error.message})
        return self.form(request, flow, values=values, of=of, typed=typed, troubles=filled.troubles, key=key)

    def _fill(self, flow: str, typed: Mapping[str, str]) -> Filled:
        return read(self._operations.flows.get(flow).flow.definition.parameters, typed)

    def ask(
        self, request: Request, selector: str, *, what: str, form: FormData | None = None, trouble: str = ""
    ) -> Response:
        details = self._operations.runs.details(selector)
        question = self._operations.approvals.question(selector).question.body if what == "approve" else {}
        schema = question.get("schema") or {}
        typed = None if form is None else texts(form, PREFIX)
        return self._pages.render(
            request,
            f"run_{what}.html",
            status=422 if trouble else 200,
            details=details,
            run=details.run,
            has_schedule=isinstance(details.run, Run) and self._has_schedule(details.run),
            question=question,
            fields=fields(schema, values={}, typed=typed),
            trouble=trouble,
        )

    def _has_schedule(self, run: Run) -> bool:
        """Is there one that makes its flow due whatever becomes of this run?"""
        return self._operations.flows.get(run.flow).schedules.next_due is not None

    def cancel(self, request: Request, selector: str, *, reason: str) -> Response:
        actor = actor_of(request)
        run = self._operations.runs.cancel(selector, actor=actor, reason=reason, by=principal_of(request))
        return go_on(f"/runs/{run.id}", "cancelling", run.selector)

    def kill(self, request: Request, selector: str, *, reason: str) -> Response:
        actor = actor_of(request)
        run = self._operations.runs.kill(selector, actor=actor, reason=reason, by=principal_of(request))
        return go_on(f"/runs/{run.id}", "killed", run.selector)

    def retry(self, request: Request, selector: str, *, from_failed: bool) -> Response:
        actor = actor_of(request)
        run = self._operations.reruns.retry(
            selector, from_failed=from_failed, actor=actor, by=principal_of(request)
        )
        return go_on(f"/runs/{run.id}", "retrying", run.selector)

    def approve(self, request: Request, selector: str, form: FormData) -> Response:
        approved = text(form, "decision") == "approve"
        schema = self._operations.approvals.question(selector).question.body.get("schema") or {}
        given = dict(read(schema, texts(form, PREFIX)).parameters) if approved else {}
        try:
            run = self._operations.approvals.decide(
                selector,
                approved=approved,
                actor=actor_of(request),
                reason=text(form, "reason"),
                given=given or None,
                by=principal_of(request),
            )
        except BadParameters as error:
            trouble = joined(". ", (error.message, error.mend)) if error.mend else error.message
            return self.ask(request, selector, what="approve", form=form, trouble=trouble)
        return go_on(f"/runs/{run.id}", "approved" if approved else "rejected", run.selector)
