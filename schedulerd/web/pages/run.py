"""`/runs/{id}`: one run, with its tasks over time, what it returned, its parameters, and what it has gone through."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from schedulerd.clock import Clock
from schedulerd.domain.child_runs import ChildRun
from schedulerd.domain.runs import Run
from schedulerd.domain.states import FINAL, LIVE, TRIED_AGAIN, RunState
from schedulerd.errors import Conflict, NotFound
from schedulerd.operations.operations import Operations
from schedulerd.operations.runs import RunDetails, place_of
from schedulerd.web.artifact_views import ArtifactView, artifact_views
from schedulerd.web.numbers import MOST
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import page_router
from schedulerd.web.task_rows import timeline

_MOST_SHOWN: Final = 256 * 1024


def run_pages(operations: Operations, pages: Pages, clock: Clock) -> APIRouter:
    """The routes."""
    router = page_router()
    views = _Views(operations, pages, clock)

    @router.get("/flows/{flow}/runs/{number}")
    def by_number(flow: str, number: Annotated[int, Path(ge=0, le=MOST)]) -> Response:
        run = operations.runs.get_whole(f"{flow}#{number}")
        return RedirectResponse(f"/runs/{run.id}", 302)

    @router.get("/runs/{run}")
    def overview(
        request: Request,
        run: str,
        unfold: Annotated[str, Query(max_length=250)] = "",
        skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        return views.overview(request, run, unfold, skip)

    @router.get("/runs/{run}/result")
    def result(request: Request, run: str) -> Response:
        return views.result(request, run)

    @router.get("/runs/{run}/params")
    def params(request: Request, run: str) -> Response:
        return views.params(request, run)

    @router.get("/runs/{run}/moves")
    def moves(request: Request, run: str) -> Response:
        return views.moves(request, run)

    return router


class RunHead:
    """What stands above each page of a run."""

    def __init__(self, operations: Operations) -> None:
        self._operations: Final = operations

    def look(self, selector: str) -> tuple[RunDetails, str]:
        """The run, and the fingerprint of what its page shows of it: of what changes afterwards its reader is told, and
        fetches it again."""
        return self._operations.runs.details_seen(selector)

    def values(self, details: RunDetails) -> dict[str, Any]:
        """For the template `run_base.html`."""
        run = details.run
        root, _ = place_of(run)
        whole = run if isinstance(run, Run) else None
        newer, older = (None, None) if whole is None else self._operations.runs.beside(whole)
        return {
            "run": run,
            "root": root,
            "is_child": isinstance(run, ChildRun),
            "newer": newer,
            "older": older,
            "usual": None if whole is None else self._operations.runs.usual(whole),
            "can": possible(whole),
            "task_count": len(details.tasks),
        }


def possible(run: Run | None) -> frozenset[str]:
    """What can be done with the run as it is now."""
    if run is None:
        return frozenset()
    can = set[str]()
    if run.state in LIVE | {RunState.SCHEDULED, RunState.RETRYING}:
        can.add("kill" if run.state is RunState.CANCELLING else "cancel")
    if run.state in TRIED_AGAIN:
        can.add("retry")
    if run.state in FINAL:
        can.add("rerun")
    if run.state is RunState.PAUSED:
        can.add("approve")
    return frozenset(can)


class _Views:
    def __init__(self, operations: Operations, pages: Pages, clock: Clock) -> None:
        self._operations: Final = operations
        self._pages: Final = pages
        self._clock: Final = clock
        self._head: Final = RunHead(operations)

    def overview(self, request: Request, selector: str, unfolded: str, skip: int) -> Response:
        details, seen = self._head.look(selector)
        found = timeline(details.tasks, now=self._clock.now(), unfolded=unfolded, skip=skip)
        return self._render(request, "run.html", details, seen, tab="", timeline=found, unfolded=unfolded)

    def result(self, request: Request, selector: str) -> Response:
        details, seen = self._head.look(selector)
        return self._render(
            request,
            "run_result.html",
            details,
            seen,
            tab="result",
            artifacts=self._artifacts(details),
            **self._value(details),
        )

    def params(self, request: Request, selector: str) -> Response:
        details, seen = self._head.look(selector)
        text = json.dumps(dict(details.run.parameters), indent=2, ensure_ascii=False)
        return self._render(request, "run_params.html", details, seen, tab="params", text=text)

    def moves(self, request: Request, selector: str) -> Response:
        details, seen = self._head.look(selector)
        return self._render(request, "run_moves.html", details, seen, tab="moves", moves=details.moves)

    def _render(
        self, request: Request, template: str, details: RunDetails, seen: str, **values: Any
    ) -> Response:
        return self._pages.render(
            request, template, seen=seen, details=details, **self._head.values(details), **values
        )

    def _artifacts(self, details: RunDetails) -> Sequence[ArtifactView]:
        if not isinstance(details.run, Run):
            return ()  # those of a child run are with its root
        return artifact_views(self._operations.told.artifacts_of(details.run))

    def _value(self, details: RunDetails) -> dict[str, Any]:
        """What it returned, as text; or why there is nothing to show."""
        try:
            value = self._operations.reruns.result(str(details.run.id))
        except (NotFound, Conflict) as error:
            return {"text": None, "why": error.mend or error.message}
        if not value.is_json:
            return {"text": None, "why": "pickle", "size": len(value.content)}
        if len(value.content) > _MOST_SHOWN:
            return {"text": None, "why": "large", "size": len(value.content)}
        return {"text": _pretty(value.content), "why": ""}


def _pretty(content: bytes) -> str:
    """The JSON, laid out."""
    try:
        return json.dumps(json.loads(content), indent=2, ensure_ascii=False)
    except RecursionError:  # too deep for that
        return content.decode("utf-8", "replace")
