"""`/api/v1/schedules`: to make, change and delete them. A body has the keys of a schedule file, and is judged as one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Final

from fastapi import Body, Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRouter
from pydantic import BaseModel, ConfigDict, JsonValue

from schedulerd.domain.own_files import OwnFile
from schedulerd.errors import BadExpression, Conflict, Stale
from schedulerd.operations.definitions import BadValue, Saved
from schedulerd.operations.operations import Operations
from schedulerd.operations.schedule_shapes import schedule_shape
from schedulerd.operations.shapes import time_text
from schedulerd.web.api.etags import IfMatch, condition_of
from schedulerd.web.api.routing import BASE, Name, api_router
from schedulerd.web.problems import BadField
from schedulerd.web.roles import must_be_operator
from schedulerd.web.segments import segment

_EXAMPLE: Final[dict[str, JsonValue]] = {
    "name": "etl-morning",
    "flow": "etl",
    "cron": "0 6 * * mon-fri",
    "timezone": "Asia/Seoul",
}
Keys = Annotated[
    dict[str, Any],
    Body(description="The keys of a schedule file (docs/reference/schedule-files.md).", examples=[_EXAMPLE]),
]


class DefinitionAnswer(BaseModel):
    """How a schedule is defined. `keys` are those of its file where that may be changed from here (`own`), else null."""

    model_config = ConfigDict(extra="forbid")

    name: str
    origin: str
    own: bool
    keys: dict[str, Any] | None
    saved_by: str | None
    saved_at: str | None


class SavedAnswer(BaseModel):
    """What was saved. `waits_for` says why it is not in force yet, and is empty when it is."""

    model_config = ConfigDict(extra="forbid")

    name: str
    in_force: bool
    waits_for: str


_NOT_YET: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": SavedAnswer, "description": "It is saved, and not in force yet."}
}


def definition_routes(operations: Operations) -> APIRouter:
    """The routes."""
    router = api_router("/schedules", "schedules")

    @router.get("/{schedule}/definition", operation_id="get_definition", response_model=DefinitionAnswer)
    def definition(schedule: Name) -> Response:
        """How it is defined, with the ETag that a change has to show where it may be changed from here."""
        place = operations.definitions.place(schedule)
        headers = {} if place.own is None else {"ETag": f'"{place.own.etag}"'}
        return JSONResponse(_definition_shape(schedule, place.origin, place.own), headers=headers)

    @router.post(
        "",
        operation_id="create_schedule",
        status_code=201,
        response_model=SavedAnswer,
        responses=_NOT_YET,
    )
    def create(request: Request, keys: Keys) -> Response:
        """Save a new schedule, as a file of its own; it is in force when this answers."""
        with _pointing():
            saved = operations.definitions.create(keys, by=must_be_operator(request))
        return _told(saved, status=201)

    @router.put(
        "/{schedule}", operation_id="replace_schedule", response_model=SavedAnswer, responses=_NOT_YET
    )
    def replace(request: Request, schedule: Name, keys: Keys, if_match: IfMatch = None) -> Response:
        """Save the schedule anew, whole. `name` may be left out, and stays."""
        own = _own(operations, schedule, if_match)
        return _change(operations, request, schedule, {"name": schedule, **keys}, own)

    @router.patch(
        "/{schedule}", operation_id="change_schedule", response_model=SavedAnswer, responses=_NOT_YET
    )
    def change(request: Request, schedule: Name, keys: Keys, if_match: IfMatch = None) -> Response:
        """Change some keys (JSON Merge Patch, RFC 7396): null takes one away."""
        own = _own(operations, schedule, if_match)
        return _change(operations, request, schedule, merged(own.values, keys), own)

    @router.delete(
        "/{schedule}",
        operation_id="delete_schedule",
        status_code=204,
        responses={202: {"model": SavedAnswer, "description": "Its file is gone, and it is still in force."}},
    )
    def delete(request: Request, schedule: Name, if_match: IfMatch = None) -> Response:
        """Take the schedule out of force, with its file. Its runs stay."""
        by, own = must_be_operator(request), _own(operations, schedule, if_match)
        gone = operations.definitions.delete(schedule, etag=own.etag, by=by)
        return _told(gone, status=202) if gone.waits_for else Response(status_code=204)

    return router


def merged(target: Any, patch: Any) -> Any:
    """The target with the patch in it (RFC 7396)."""
    if not isinstance(patch, Mapping):
        return patch
    kept = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = merged(kept.get(name), value)
    return kept


def _change(
    operations: Operations, request: Request, schedule: str, values: Mapping[str, Any], own: OwnFile
) -> Response:
    with _pointing():
        saved = operations.definitions.change(schedule, values, etag=own.etag, by=must_be_operator(request))
    return _told(saved, status=200)


def _own(operations: Operations, schedule: str, if_match: str | None) -> OwnFile:
    """The file that `If-Match` means: by its own ETag, or by that of the schedule as it was read."""
    place = operations.definitions.place(schedule)
    if place.own is None:
        raise Conflict(
            f"{schedule!r} is defined in {place.origin}, which people write",
            mend=f"change it there: {place.origin}",
        )
    condition = condition_of(if_match, None)
    shape = schedule_shape(operations.schedules.get(schedule))
    if not condition.holds(shape) and f'"{place.own.etag}"' not in condition.etags:
        raise Stale("schedule", schedule, is_there=True, by=place.own.by, when=place.own.at)
    return place.own


@contextmanager
def _pointing() -> Iterator[None]:
    """What is wrong is told with a pointer to its key."""
    try:
        yield
    except BadValue as error:
        pointer = f"/{error.key}" if error.key else ""
        raise BadField(pointer, BadExpression(error.reason, expression="", code="value")) from error


def _told(saved: Saved, *, status: int) -> Response:
    shape = {"name": saved.name, "in_force": not saved.waits_for, "waits_for": saved.waits_for}
    headers = {"Location": f"{BASE}/schedules/{segment(saved.name)}"} if status == 201 else {}
    if saved.etag:
        headers["ETag"] = f'"{saved.etag}"'
    return JSONResponse(shape, 202 if saved.waits_for else status, headers=headers)


def _definition_shape(name: str, origin: str, own: OwnFile | None) -> Mapping[str, Any]:
    return {
        "name": name,
        "origin": origin,
        "own": own is not None,
        "keys": None if own is None else _plain(own.values),
        "saved_by": None if own is None else own.by,
        "saved_at": None if own is None else time_text(own.at),
    }


def _plain(value: Any) -> Any:
    """As JSON has it: dates and times are texts, which a schedule file takes too."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
