"""What stands in the editor of a schedule: of a new one, of one that is there, or as somebody typed it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from starlette.datastructures import FormData, QueryParams

from schedulerd.domain.flows import FlowKind
from schedulerd.domain.schedules import Catchup, Overlap
from schedulerd.domain.zones import zone_names
from schedulerd.errors import Conflict, NotFound
from schedulerd.operations.operations import Operations
from schedulerd.sentences import said
from schedulerd.web.forms import texts
from schedulerd.web.parameter_forms import PREFIX, ParameterField, fields, read
from schedulerd.web.schedule_forms import FIELDS, KEPT, KINDS, Typed, texts_of

_USUAL: Final = {
    "kind": "simple",
    "rhythm": "day",
    "time": "06:00",
    "weekday": "1",
    "day": "1",
    "cron": "",
    "every": "",
    "overlap": Overlap.SKIP.value,
    "catchup": Catchup.LATEST.value,
}
_MOST_TRIED: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """`name` is that of the schedule that is there, empty for a new one; `values` the keys that it has, as seen at `etag`.

    `troubles` are what is wrong with what was typed for parameters.
    """

    name: str
    typed: Typed
    is_command: bool
    zones: tuple[str, ...]
    flows: tuple[str, ...]
    parameters: tuple[ParameterField, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    etag: str = ""
    by: str = ""
    troubles: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """What stands in a field."""
        return self.typed.of(name)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of time that it may have."""
        return (*KINDS, KEPT) if self["kind"] == KEPT else KINDS


def empty_sheet(operations: Operations, asked: QueryParams) -> Sheet:
    """For a new schedule, filled with what the address says. Raises `NotFound` for a flow that is not there."""
    given = {name: value for name, value in asked.items() if name in FIELDS and value}
    is_command = "command" in given or asked.get("what") == "command"
    if "cron" in given or "every" in given or "at" in given:
        given.setdefault("kind", "cron" if "cron" in given else "interval" if "every" in given else "once")
    if not is_command and "flow" in given:
        operations.flows.get(given["flow"])  # which says what comes near
        given.setdefault("name", _free_name(operations, given["flow"]))
    parameters = {
        name.removeprefix(PREFIX): value for name, value in asked.items() if name.startswith(PREFIX)
    }
    sheet = _sheet(
        operations,
        {**_defaults(operations), **given},
        is_command=is_command,
        typed_parameters=parameters or None,
    )
    shown = tuple(replace(one, trouble="") for one in sheet.parameters)  # nobody has sent them yet
    return replace(sheet, parameters=shown, troubles={})


def sheet_of(operations: Operations, name: str) -> Sheet:
    """For a schedule that is there. Raises `NotFound`, and `Conflict` where it is in a file that people write."""
    place = operations.definitions.place(name)
    if place.own is None:
        raise Conflict(
            said(
                "{name!r} is defined in {origin}, which people write: it is not changed from here",
                name=name,
                origin=place.origin,
            ),
            mend=said("change it there: {origin}", origin=place.origin),
        )
    values = place.own.values
    return _sheet(
        operations,
        {**_defaults(operations), **texts_of(values)},
        name=name,
        values=values,
        etag=place.own.etag,
        by=place.own.by,
        is_command="command" in values,
        parameters=values.get("parameters", {}),
    )


def typed_sheet(
    operations: Operations,
    form: FormData,
    *,
    name: str = "",
    was: Mapping[str, Any] | None = None,
    etag: str = "",
) -> Sheet:
    """As it was typed; a schedule that is there keeps its name, and runs what it runs."""
    given = {key: value for key, value in texts(form, "").items() if key in FIELDS}
    was = was or {}
    if name:
        given |= {"name": name, "flow": str(was.get("flow", ""))}
        if "command" not in was:
            given.pop("command", None)
    is_command = "command" in given or "command" in was
    return _sheet(
        operations,
        given,
        name=name,
        values=was,
        etag=etag,
        is_command=is_command,
        typed_parameters=texts(form, PREFIX),
    )


def _sheet(
    operations: Operations,
    given: Mapping[str, str],
    *,
    is_command: bool,
    name: str = "",
    values: Mapping[str, Any] | None = None,
    etag: str = "",
    by: str = "",
    parameters: Mapping[str, Any] | None = None,
    typed_parameters: Mapping[str, str] | None = None,
) -> Sheet:
    flow = "" if is_command else given.get("flow", "")
    schema = _schema(operations, flow)
    filled = None if typed_parameters is None else read(schema, typed_parameters)
    return Sheet(
        name=name,
        typed=Typed(texts=given, parameters=(parameters or {}) if filled is None else filled.parameters),
        is_command=is_command,
        zones=tuple(sorted(zone_names())),
        flows=() if is_command or flow else _flow_names(operations),
        parameters=tuple(
            fields(
                schema,
                values=parameters or (values or {}).get("parameters", {}),
                typed=typed_parameters,
                troubles={} if filled is None else filled.troubles,
            )
        ),
        values=values or {},
        etag=etag,
        by=by,
        troubles={} if filled is None else filled.troubles,
    )


def _defaults(operations: Operations) -> Mapping[str, str]:
    return {**_USUAL, "timezone": operations.definitions.places.timezone}


def _schema(operations: Operations, flow: str) -> Mapping[str, Any]:
    """Of the flow's parameters; of none that is not there, which saving complains of."""
    if not flow:
        return {}
    try:
        return operations.flows.get(flow).flow.definition.parameters
    except NotFound:
        return {}


def _flow_names(operations: Operations) -> tuple[str, ...]:
    return tuple(
        one.flow.definition.name
        for one in operations.flows.list()
        if one.flow.definition.kind is not FlowKind.COMMAND
    )


def _free_name(operations: Operations, flow: str) -> str:
    """The flow's own name, or with the first number that is free."""
    taken = {one.definition.name for one in operations.schedules.list()}
    names = (flow, *(f"{flow}-{number}" for number in range(2, _MOST_TRIED)))
    return next((name for name in names if name not in taken), "")
