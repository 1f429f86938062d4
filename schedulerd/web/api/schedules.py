"""`/api/v1/schedules`: to see them, to pause and to resume them, and to preview an expression, which is what the tick goes by."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRouter
from pydantic import AwareDatetime, ConfigDict, Field, JsonValue

from schedulerd.clock import Clock
from schedulerd.domain.access import Role, Scope
from schedulerd.domain.wording import Language
from schedulerd.errors import BadExpression
from schedulerd.operations.explaining import explain
from schedulerd.operations.operations import Operations
from schedulerd.operations.schedule_shapes import explanation_shape, schedule_shape
from schedulerd.operations.shapes import Shape
from schedulerd.web.api.answers import ExplanationAnswer, Page, ScheduleAnswer
from schedulerd.web.api.bodies import Body
from schedulerd.web.api.etags import IfNoneMatch, tagged
from schedulerd.web.api.listing import PAGE, After, Before, Limit, link_pages, page_by_name
from schedulerd.web.api.routing import Name, actor_of, api_router
from schedulerd.web.needs import needs
from schedulerd.web.principals import principal_of
from schedulerd.web.problems import BadField

_LONGEST_TEXT: Final = 2_000
_MOST_FIRES: Final = 100
_POINTERS: Final = {"zone": "/timezone", "moment": "/after"}
_EXAMPLE: Final[dict[str, JsonValue]] = {
    "expression": "30 2 * * mon-fri",
    "timezone": "Asia/Seoul",
    "limit": 3,
}


class Preview(Body):
    """What to preview: an expression as `schedulerd explain` takes it, in a zone."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    expression: Annotated[str, Field(max_length=_LONGEST_TEXT)]
    timezone: Annotated[str, Field(max_length=100)] = "UTC"
    name: Annotated[str, Field(max_length=250)] = ""
    after: AwareDatetime | None = None
    limit: Annotated[int, Field(ge=1, le=_MOST_FIRES)] = 5
    language: Language = "en"


class PauseBody(Body):
    """Why it is paused."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the source is being rebuilt"}]},
    )

    reason: Annotated[str, Field(max_length=_LONGEST_TEXT)] = ""


_NO_REASON: Final = PauseBody()


def preview_routes(clock: Clock) -> list[APIRouter]:
    """The routes that need no database: `/schedules/preview`, and `/cron/explain`, which is the same by another name."""
    schedules = api_router("/schedules", "schedules")
    cron = api_router("/cron", "schedules")

    @schedules.post(
        "/preview",
        operation_id="preview_schedule",
        response_model=ExplanationAnswer,
        response_model_exclude_unset=True,
    )
    @needs(Role.VIEWER, Scope.FLOWS_READ)
    def preview(wanted: Preview) -> Shape:
        """What an expression says, what may surprise about it, and when it is due next."""
        return _preview(wanted, now=clock.now())

    @cron.post(
        "/explain",
        operation_id="explain_cron",
        response_model=ExplanationAnswer,
        response_model_exclude_unset=True,
    )
    @needs(Role.VIEWER, Scope.FLOWS_READ)
    def explain_cron(wanted: Preview) -> Shape:
        """The same as `preview_schedule`."""
        return _preview(wanted, now=clock.now())

    return [schedules, cron]


def schedule_routes(operations: Operations) -> APIRouter:
    """The routes of schedules in force."""
    router = api_router("/schedules", "schedules")

    @router.get(
        "",
        operation_id="list_schedules",
        response_model=Page[ScheduleAnswer],
        response_model_exclude_unset=True,
    )
    def schedules(
        request: Request,
        response: Response,
        limit: Limit = PAGE,
        after: After = None,
        before: Before = None,
    ) -> dict[str, Any]:
        """The schedules in force, by name."""
        names = [one.name for one in operations.schedules.titles()]
        page = page_by_name(names, str, limit=limit, after=after, before=before)
        link_pages(request, response, next_cursor=page.next_cursor, prev_cursor=page.prev_cursor)
        items = [schedule_shape(one) for one in operations.schedules.named(page.items)]
        return {"items": items, "next_cursor": page.next_cursor, "prev_cursor": page.prev_cursor}

    @router.get("/{schedule}", operation_id="get_schedule", response_model=ScheduleAnswer)
    def schedule(request: Request, schedule: Name, if_none_match: IfNoneMatch = None) -> Response:
        """A schedule in force."""
        return tagged(request, schedule_shape(operations.schedules.get(schedule)))

    @router.post("/{schedule}/pause", operation_id="pause_schedule", response_model=ScheduleAnswer)
    def pause(request: Request, schedule: Name, body: PauseBody = _NO_REASON) -> Response:
        """Have it due no more until it is resumed. What waits or runs already goes on."""
        made = operations.schedules.pause(
            schedule, actor=actor_of(request), reason=body.reason, by=principal_of(request)
        )
        return tagged(request, schedule_shape(made))

    @router.post("/{schedule}/resume", operation_id="resume_schedule", response_model=ScheduleAnswer)
    def resume(request: Request, schedule: Name) -> Response:
        """Have it due again from now on. What was due during the pause is one skipped row, and not caught up."""
        return tagged(
            request, schedule_shape(operations.schedules.resume(schedule, by=principal_of(request)))
        )

    return router


def _preview(wanted: Preview, *, now: datetime) -> Shape:
    try:
        found = explain(
            wanted.expression,
            timezone=wanted.timezone,
            name=wanted.name,
            after=wanted.after or now,
            limit=wanted.limit,
            language=wanted.language,
        )
    except BadExpression as error:
        raise BadField(_POINTERS.get(error.code, "/expression"), error) from error
    return explanation_shape(found)
