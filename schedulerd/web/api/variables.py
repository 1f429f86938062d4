"""`/api/v1/variables`: values that flows share. Whoever changes one says which version is meant."""

from typing import Annotated, Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRouter
from pydantic import ConfigDict, Field

from schedulerd.domain.variables import Variable
from schedulerd.operations.operations import Operations
from schedulerd.operations.setting_shapes import variable_shape
from schedulerd.web.api.answers import Page, VariableAnswer
from schedulerd.web.api.bodies import Body
from schedulerd.web.api.etags import IfMatch, IfNoneMatch, condition_of, tagged
from schedulerd.web.api.listing import PAGE, After, Before, Limit, link_pages, page_by_name
from schedulerd.web.api.routing import Name, SettingName, api_router
from schedulerd.web.principals import principal_of

_MOST_TAGS: Final = 50


class VariableBody(Body):
    """What a variable is to be: any JSON, of at most 64 KiB."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"value": {"region": "kr"}, "tags": []}]})

    value: Any
    tags: Annotated[tuple[Annotated[str, Field(max_length=250)], ...], Field(max_length=_MOST_TAGS)] = ()


def variable_routes(operations: Operations) -> APIRouter:
    """The routes."""
    router = api_router("/variables", "settings")

    @router.get("", operation_id="list_variables", response_model=Page[VariableAnswer])
    def variables(
        request: Request,
        response: Response,
        limit: Limit = PAGE,
        after: After = None,
        before: Before = None,
    ) -> dict[str, Any]:
        """The variables, by name."""
        found = operations.variables.list()
        page = page_by_name(found, lambda one: one.name, limit=limit, after=after, before=before)
        link_pages(request, response, next_cursor=page.next_cursor, prev_cursor=page.prev_cursor)
        items = [variable_shape(one) for one in page.items]
        return {"items": items, "next_cursor": page.next_cursor, "prev_cursor": page.prev_cursor}

    @router.get("/{name}", operation_id="get_variable", response_model=VariableAnswer)
    def variable(request: Request, name: Name, if_none_match: IfNoneMatch = None) -> Response:
        """A variable."""
        return tagged(request, variable_shape(operations.variables.get(name)))

    @router.put(
        "/{name}",
        operation_id="set_variable",
        response_model=VariableAnswer,
        responses={201: {"model": VariableAnswer, "description": "It is new."}},
    )
    def set_(
        request: Request,
        name: SettingName,
        body: VariableBody,
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
    ) -> Response:
        """Set a variable: the one that `If-Match` means, or with `If-None-Match: *` a new one."""
        condition = condition_of(if_match, if_none_match)
        made = operations.variables.set(
            name,
            body.value,
            tags=body.tags,
            only_if=lambda there: condition.holds(_shape(there)),
            by=principal_of(request),
        )
        return tagged(request, variable_shape(made), status=201 if condition.is_new else 200)

    @router.delete("/{name}", operation_id="delete_variable", status_code=204)
    def unset(request: Request, name: Name, if_match: IfMatch = None) -> Response:
        """Remove the variable that `If-Match` means."""
        condition = condition_of(if_match, None)
        operations.variables.unset(
            name, only_if=lambda there: condition.holds(_shape(there)), by=principal_of(request)
        )
        return Response(status_code=204)

    return router


def _shape(there: Variable | None) -> dict[str, Any] | None:
    """What is there, as a program sees it."""
    return None if there is None else variable_shape(there)
