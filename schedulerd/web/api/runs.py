"""`/api/v1/runs`: the history, and what one run is made of. To be read; what changes runs is in run_actions.py."""

import json
from dataclasses import asdict
from datetime import UTC
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from schedulerd.clock import Clock
from schedulerd.domain.run_filters import Term
from schedulerd.errors import BadExpression, Conflict
from schedulerd.operations.history import MOST, HistoryPage
from schedulerd.operations.operations import Operations
from schedulerd.operations.shapes import (
    Shape,
    move_shape,
    run_details_shape,
    run_graph_shape,
    run_shape,
    task_shape,
    time_text,
)
from schedulerd.operations.told_shapes import artifact_shape
from schedulerd.store.history import Count
from schedulerd.web.api.asking import FILTERS, compact, filter_terms, filters_and, sparse
from schedulerd.web.api.etags import tagged
from schedulerd.web.api.listing import link_pages, require_one_side
from schedulerd.web.api.routing import BASE, api_router
from schedulerd.web.api.run_models import (
    ArtifactOut,
    MoveOut,
    ParamsOut,
    RunDetailsOut,
    RunGraphOut,
    RunOut,
    RunsOut,
    TaskOut,
)
from schedulerd.web.code_sight import as_seen
from schedulerd.web.problems import BadQuery
from schedulerd.web.routers import documented_router

_PAGING: Final = ("q", "limit", "after", "before", "fields", "count")
Text = Annotated[str, Query(max_length=2_000)]
Cursor = Annotated[str | None, Query(max_length=400)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
_FILTERS_TOLD: Final = {
    "parameters": [
        {
            "name": name,
            "in": "query",
            "schema": {"type": "array", "items": {"type": "string"}},
            "description": f"As `{name}:` of a filter.",
        }
        for name in FILTERS
    ]
}


def run_list_routes(operations: Operations, clock: Clock) -> APIRouter:
    """The routes of the history. What they take has names that are not all known, those of parameters of flows."""
    router = documented_router("runs", prefix=BASE, needs=[filters_and(_PAGING)])
    views = _Lists(operations, clock)

    @router.get("/runs", response_model=RunsOut, openapi_extra=_FILTERS_TOLD)
    def list_runs(
        request: Request,
        q: Text = "",
        limit: Limit = 50,
        after: Cursor = None,
        before: Cursor = None,
        fields: Text = "",
        count: Literal["capped"] | None = None,
    ) -> Response:
        """The runs of a filter, newest first."""
        return views.page(request, q, limit=limit, after=after, before=before, fields=fields, count=count)

    @router.get("/flows/{flow}/runs", response_model=RunsOut, openapi_extra=_FILTERS_TOLD)
    def list_runs_of_flow(
        request: Request,
        flow: str,
        q: Text = "",
        limit: Limit = 50,
        after: Cursor = None,
        before: Cursor = None,
        fields: Text = "",
        count: Literal["capped"] | None = None,
    ) -> Response:
        """The runs of a flow, newest first."""
        of = Term(
            key="flow", values=(operations.flows.get(flow).flow.definition.name,), text=flow, start=0, end=0
        )
        return views.page(request, q, of, limit=limit, after=after, before=before, fields=fields, count=count)

    return router


def run_routes(operations: Operations, clock: Clock) -> APIRouter:
    """The routes of one run."""
    router = api_router("/runs/{run}", "runs")

    @router.get("", response_model=RunDetailsOut)
    def get_run(request: Request, run: str) -> Response:
        """A run with its tasks, its changes of state and its child runs."""
        details = operations.runs.details(run)
        return tagged(request, as_seen(request, run_details_shape(details, now=clock.now())))

    @router.get("/tasks")
    def tasks(request: Request, run: str) -> list[TaskOut]:
        """The task runs of a run."""
        found = operations.runs.details(run).tasks
        return [TaskOut(**as_seen(request, task_shape(task, now=clock.now()))) for task in found]

    @router.get("/graph")
    def run_graph(run: str) -> RunGraphOut:
        """The tasks of a run, those of a mapped task together, and which came after which."""
        _, graph = operations.graphs.of_run(run)
        return RunGraphOut(**run_graph_shape(graph))

    @router.get("/moves")
    def moves(run: str) -> list[MoveOut]:
        """The changes of state of a run: when, from what to what, and by whom."""
        return [MoveOut(**move_shape(move)) for move in operations.runs.details(run).moves]

    @router.get("/params")
    def params(run: str) -> ParamsOut:
        """The parameters that a run was given."""
        return ParamsOut(parameters=dict(operations.runs.get(run).parameters))

    @router.get("/artifacts")
    def artifacts(run: str) -> list[ArtifactOut]:
        """What a run made to be looked at: links, tables, texts."""
        _, found = operations.told.artifacts(run)
        return [ArtifactOut(**artifact_shape(one)) for one in found]

    @router.get("/result", response_model=Any)
    def result(run: str, task: Annotated[str | None, Query(max_length=250)] = None) -> Response:
        """What a run, or with `task` a task of it, returned."""
        return _result(operations, run, task)

    return router


class _Lists:
    def __init__(self, operations: Operations, clock: Clock) -> None:
        self._operations: Final = operations
        self._clock: Final = clock

    def page(
        self,
        request: Request,
        q: str,
        *more: Term,
        limit: int,
        after: str | None,
        before: str | None,
        fields: str,
        count: str | None,
    ) -> Response:
        """A page of the history; a time that names no zone is meant in UTC."""
        require_one_side(after, before)
        history = self._operations.history
        terms = (*more, *filter_terms(request))
        try:
            query = history.query(q, zone=UTC, more=terms)
        except BadExpression as error:
            raise BadQuery(_place(error, q, terms), error) from error
        try:
            found = history.page(query, limit=limit, after=after, before=before)
        except BadExpression as error:
            raise BadQuery("after" if before is None else "before", error) from error
        shape = self._shape(request, found, fields)
        if count is not None:
            shape |= _counted(history.count(query)) | {
                "counts": {name: _counted(one) for name, one in history.counts(query).items()}
            }
        answer = Response(compact(shape), media_type="application/json")
        link_pages(request, answer, next_cursor=found.older, prev_cursor=found.newer)
        return answer

    def _shape(self, request: Request, found: HistoryPage, fields: str) -> Shape:
        now = self._clock.now()
        items = [as_seen(request, run_shape(run, now=now)) for run in found.runs]
        return {
            "items": sparse(items, fields, RunOut.model_fields) if fields else items,
            "next_cursor": found.older,
            "prev_cursor": found.newer,
            "searched_to": time_text(found.searched_to),
        }


def _place(error: BadExpression, q: str, terms: tuple[Term, ...]) -> str:
    """The name in the query of which the error speaks."""
    return next((term.key for term in terms if term.text is error.expression), "q")


def _counted(count: Count) -> Shape:
    told = asdict(count)
    return {"count": told["number"], "count_is": "at_least" if told["at_least"] else "exact"}


def _result(operations: Operations, run: str, task: str | None) -> Response:
    value = operations.reruns.result(run, task=task)
    if not value.is_json:
        raise Conflict(
            f"the value is a pickle of {len(value.content):,} bytes, which only the flow's own code should read",
            mend="have the flow return JSON, or save it: `schedulerd runs result RUN --save FILE`",
        )
    return Response(_compacted(value.content), media_type="application/json")


def _compacted(content: bytes) -> str | bytes:
    try:
        return compact(json.loads(content))
    except RecursionError:  # too deep for that
        return content
