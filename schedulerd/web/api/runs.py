"""`/api/v1/runs`: the history, and what one run is made of. To be read; what changes runs is in run_actions.py."""

import json
from dataclasses import asdict
from datetime import UTC
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from schedulerd.clock import Clock
from schedulerd.domain.run_filters import Term
from schedulerd.errors import BadExpression, Conflict
from schedulerd.operations.history import MOST, HistoryPage
from schedulerd.operations.operations import Operations
from schedulerd.operations.shapes import (
    Shape,
    move_shape,
    run_details_shape,
    run_shape,
    task_shape,
    time_text,
)
from schedulerd.operations.told_shapes import artifact_shape
from schedulerd.store.history import Count
from schedulerd.web.api.asking import FILTERS, compact, filter_terms, only, sparse, tagged
from schedulerd.web.api.run_models import (
    ArtifactOut,
    MoveOut,
    ParamsOut,
    RunDetailsOut,
    RunOut,
    RunsOut,
    TaskOut,
)
from schedulerd.web.problems import BadQuery

_PAGING: Final = ("q", "limit", "after", "before", "fields", "count")
_CURSORS: Final = ("after", "before")
Text = Annotated[str, Query(max_length=2_000)]
Cursor = Annotated[str | None, Query(max_length=400)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
_NOTHING: Final = Depends(only(()))
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


def runs(operations: Operations, clock: Clock) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1", tags=["runs"])
    views = _Views(operations, clock)
    listing = Depends(only((*FILTERS, *_PAGING), parameters=True))

    @router.get("/runs", response_model=RunsOut, dependencies=[listing], openapi_extra=_FILTERS_TOLD)
    def list_runs(
        request: Request,
        q: Text = "",
        limit: Limit = 50,
        after: Cursor = None,
        before: Cursor = None,
        fields: Text = "",
        count: Literal["capped"] | None = None,
    ) -> Response:
        return views.page(request, q, limit=limit, after=after, before=before, fields=fields, count=count)

    @router.get("/flows/{flow}/runs", response_model=RunsOut, dependencies=[listing])
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
        of = Term(
            key="flow", values=(operations.flows.get(flow).flow.definition.name,), text=flow, start=0, end=0
        )
        return views.page(request, q, of, limit=limit, after=after, before=before, fields=fields, count=count)

    @router.get("/runs/{run}", response_model=RunDetailsOut, dependencies=[_NOTHING])
    def get_run(request: Request, run: str) -> Response:
        details = operations.runs.details(run)
        return tagged(request, run_details_shape(details, now=clock.now()))

    @router.get("/runs/{run}/tasks", dependencies=[_NOTHING])
    def tasks(run: str) -> list[TaskOut]:
        found = operations.runs.details(run).tasks
        return [TaskOut(**task_shape(task, now=clock.now())) for task in found]

    @router.get("/runs/{run}/moves", dependencies=[_NOTHING])
    def moves(run: str) -> list[MoveOut]:
        return [MoveOut(**move_shape(move)) for move in operations.runs.details(run).moves]

    @router.get("/runs/{run}/params", dependencies=[_NOTHING])
    def params(run: str) -> ParamsOut:
        return ParamsOut(parameters=dict(operations.runs.get(run).parameters))

    @router.get("/runs/{run}/artifacts", dependencies=[_NOTHING])
    def artifacts(run: str) -> list[ArtifactOut]:
        _, found = operations.told.artifacts(run)
        return [ArtifactOut(**artifact_shape(one)) for one in found]

    @router.get("/runs/{run}/result", response_model=Any, dependencies=[Depends(only(("task",)))])
    def result(run: str, task: Annotated[str | None, Query(max_length=250)] = None) -> Response:
        return views.result(run, task)

    return router


class _Views:
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
        if after is not None and before is not None:
            raise BadQuery("before", BadExpression("give after or before, not both", expression=before))
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
        shape = self._shape(found, fields)
        if count is not None:
            shape |= _counted(history.count(query)) | {
                "counts": {name: _counted(one) for name, one in history.counts(query).items()}
            }
        return _linked(request, shape)

    def result(self, run: str, task: str | None) -> Response:
        value = self._operations.reruns.result(run, task=task)
        if not value.is_json:
            raise Conflict(
                f"the value is a pickle of {len(value.content):,} bytes, which only the flow's own code should read",
                mend="have the flow return JSON, or save it: `schedulerd runs result RUN --save FILE`",
            )
        return Response(compact(json.loads(value.content)), media_type="application/json")

    def _shape(self, found: HistoryPage, fields: str) -> Shape:
        now = self._clock.now()
        items = [run_shape(run, now=now) for run in found.runs]
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


def _linked(request: Request, shape: Shape) -> Response:
    """The page, with the addresses of those beside it."""
    answer = Response(compact(shape), media_type="application/json")
    kept = [pair for pair in request.query_params.multi_items() if pair[0] not in _CURSORS]
    links = []
    for name, relation, cursor in (("after", "next", "next_cursor"), ("before", "prev", "prev_cursor")):
        if shape[cursor] is not None:
            query = urlencode([*kept, (name, shape[cursor])])
            links.append(f'<{request.url.path}?{query}>; rel="{relation}"')
    if links:
        answer.headers["Link"] = ", ".join(links)
    return answer
