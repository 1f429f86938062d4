"""`/api/v1/flows`: which flows there are, what each is, its versions, tasks and schedules."""

from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.routing import APIRouter

from schedulerd.clock import Clock
from schedulerd.domain.flows import FlowDefinition
from schedulerd.operations.flows import FlowDetails
from schedulerd.operations.operations import Operations
from schedulerd.operations.schedule_shapes import schedule_shape
from schedulerd.operations.shapes import Shape, flow_shape, graph_shape, strip_shape, version_shape
from schedulerd.web.api.answers import (
    FlowAnswer,
    GraphAnswer,
    Items,
    Page,
    ScheduleAnswer,
    StripAnswer,
    VersionAnswer,
)
from schedulerd.web.api.etags import IfNoneMatch, tagged
from schedulerd.web.api.listing import PAGE, After, Before, Limit, link_pages, page_by_name
from schedulerd.web.api.routing import Name, api_router


def flow_routes(operations: Operations, clock: Clock) -> APIRouter:
    """The routes."""
    router = api_router("/flows", "flows")

    @router.get("", operation_id="list_flows", response_model=Page[FlowAnswer])
    def flows(
        request: Request,
        response: Response,
        q: Annotated[
            str, Query(max_length=500, description="Words that are in its name, description or tags.")
        ] = "",
        tag: Annotated[list[str], Query(max_length=50, description="A tag; of several all.")] = [],  # noqa: B006  FastAPI copies it
        limit: Limit = PAGE,
        after: After = None,
        before: Before = None,
    ) -> dict[str, Any]:
        """The flows in force, by name."""
        found = [one.name for one in operations.flows.definitions() if _fits(one, q, tag)]
        page = page_by_name(found, str, limit=limit, after=after, before=before)
        link_pages(request, response, next_cursor=page.next_cursor, prev_cursor=page.prev_cursor)
        items = [_shape(one) for one in operations.flows.named(page.items)]
        return {"items": items, "next_cursor": page.next_cursor, "prev_cursor": page.prev_cursor}

    @router.get("/{flow}", operation_id="get_flow", response_model=FlowAnswer)
    def flow(request: Request, flow: Name, if_none_match: IfNoneMatch = None) -> Response:
        """A flow, in force or removed."""
        return tagged(request, _shape(operations.flows.get(flow)))

    @router.get("/{flow}/versions", operation_id="list_flow_versions", response_model=Items[VersionAnswer])
    def versions(flow: Name) -> dict[str, Any]:
        """The version of its code that is in force, then those of its newest 1,000 runs."""
        return {"items": [version_shape(one) for one in operations.flows.versions(flow)]}

    @router.get("/{flow}/graph", operation_id="get_flow_graph", response_model=GraphAnswer)
    def graph(request: Request, flow: Name, if_none_match: IfNoneMatch = None) -> Response:
        """The tasks that are known before a run, and which needs which."""
        return tagged(request, graph_shape(operations.flows.get(flow).flow))

    @router.get("/{flow}/strip", operation_id="get_flow_strip", response_model=StripAnswer)
    def last_runs(flow: Name) -> dict[str, Any]:
        """Its last runs, as the pages draw them."""
        name = _name(operations.flows.get(flow))
        return strip_shape(name, operations.figures.strips([name])[name], now=clock.now())

    @router.get(
        "/{flow}/schedules",
        operation_id="list_flow_schedules",
        response_model=Items[ScheduleAnswer],
        response_model_exclude_unset=True,
    )
    def schedules(flow: Name) -> dict[str, Any]:
        """The schedules in force that run it."""
        return {"items": [schedule_shape(one) for one in operations.flows.schedules(flow)]}

    return router


def _shape(details: FlowDetails) -> Shape:
    return flow_shape(details.flow, details.schedules.names)


def _name(details: FlowDetails) -> str:
    return details.flow.definition.name


def _fits(definition: FlowDefinition, q: str, tags: list[str]) -> bool:
    """Has it all the tags, and each word in its name, its description or a tag?"""
    text = " ".join((definition.name, definition.description, *definition.tags)).casefold()
    return set(tags) <= set(definition.tags) and all(word in text for word in q.casefold().split())
