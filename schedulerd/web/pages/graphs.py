"""`/runs/{id}/graph` and `/flows/{flow}/graph`: which task came after which, drawn."""

from typing import Final

from fastapi import APIRouter, Request, Response

from schedulerd.domain.states import FINAL
from schedulerd.operations.operations import Operations
from schedulerd.web.graph_views import view_of_flow, view_of_run
from schedulerd.web.pages.flows import flow_values
from schedulerd.web.pages.run import RunHead
from schedulerd.web.rendering import Pages
from schedulerd.web.routers import page_router


def graph_pages(operations: Operations, pages: Pages) -> APIRouter:
    """The routes."""
    router = page_router()
    views = _Views(operations, pages)

    @router.get("/runs/{run}/graph")
    def of_run(request: Request, run: str) -> Response:
        return views.of_run(request, run)

    @router.get("/flows/{flow}/graph")
    def of_flow(request: Request, flow: str) -> Response:
        return views.of_flow(request, flow)

    return router


class _Views:
    def __init__(self, operations: Operations, pages: Pages) -> None:
        self._operations: Final = operations
        self._pages: Final = pages
        self._head: Final = RunHead(operations)

    def of_run(self, request: Request, selector: str) -> Response:
        details, seen = self._head.look(selector)
        graph = self._operations.graphs.of_details(details)
        return self._pages.render(
            request,
            "run_graph.html",
            seen=seen,
            details=details,
            tab="graph",
            view=view_of_run(graph, is_over=details.run.state in FINAL),
            **self._head.values(details),
        )

    def of_flow(self, request: Request, name: str) -> Response:
        details = self._operations.flows.get(name)
        found = self._operations.graphs.of_flow(name)
        return self._pages.render(
            request,
            "flow_graph.html",
            tab="graph",
            found=found,
            view=view_of_flow(found),
            names=tuple(dict.fromkeys(node.name for node in found.graph.nodes)),
            **flow_values(details),
        )
