"""`/api/v1/schedules`: for now the preview of an expression, which is the one that the tick goes by."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schedulerd.clock import Clock
from schedulerd.domain.wording import Language
from schedulerd.errors import BadExpression
from schedulerd.operations.explaining import explain
from schedulerd.operations.schedule_shapes import explanation_shape
from schedulerd.web.problems import BadField

_LONGEST_TEXT = 2_000
_MOST_FIRES = 100
_POINTERS = {"zone": "/timezone", "moment": "/after"}


class Preview(BaseModel):
    """What to preview: an expression as `schedulerd explain` takes it, in a zone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    expression: Annotated[str, Field(max_length=_LONGEST_TEXT)]
    timezone: Annotated[str, Field(max_length=100)] = "UTC"
    name: Annotated[str, Field(max_length=250)] = ""
    after: AwareDatetime | None = None
    limit: Annotated[int, Field(ge=1, le=_MOST_FIRES)] = 5
    language: Language = "en"


def schedules(clock: Clock) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1/schedules")

    @router.post("/preview")
    def preview(wanted: Preview) -> dict[str, Any]:
        return dict(_preview(wanted, now=clock.now()))

    return router


def _preview(wanted: Preview, *, now: datetime) -> Any:
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
