"""What has to be true of runs that are looked for, as conditions of a query; and the flows that they can be of."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, ColumnElement, Connection, Text, cast, func, literal, or_, select

from schedulerd.domain.ids import FlowKey
from schedulerd.domain.near import near
from schedulerd.domain.run_queries import RunQuery, fits, is_pattern
from schedulerd.errors import NotFound
from schedulerd.store.containing import contains
from schedulerd.store.tables import flows, runs, schedules

_NAMES: Final = select(flows.c.id, flows.c.name)
_SCHEDULES: Final = select(schedules.c.id, schedules.c.name, schedules.c.flow_id)
# What Python strips of both ends.
_SPACES: Final = "".join(one for one in map(chr, range(0x3001)) if one.isspace())


def flow_keys(connection: Connection, query: RunQuery) -> frozenset[FlowKey] | None:
    """The flows that the runs are of; None for any. Raises `NotFound` for a flow, tag or schedule that nobody knows."""
    found: list[frozenset[FlowKey]] = []
    if query.flows:
        found.append(_named(connection, query.flows))
    found += [_tagged(connection, tag) for tag in query.tags]
    if query.schedules:
        found.append(frozenset(FlowKey(row.flow_id) for row in _scheduled(connection, query.schedules)))
    return frozenset.intersection(*found) if found else None


def conditions(
    connection: Connection,
    query: RunQuery,
    of: Collection[FlowKey] | None,
    *,
    now: datetime,
    given: Collection[str],
) -> tuple[ColumnElement[bool], ...]:
    """All that has to be true, but for what is said of the columns in `given`, and for when it was recorded."""
    found: list[ColumnElement[bool]] = []
    if query.states and "state" not in given:
        found.append(runs.c.state.in_(sorted(query.states)))
    if of is not None and "flow_id" not in given:
        found.append(runs.c.flow_id.in_(sorted(of)))
    if query.triggers and "trigger" not in given:
        found.append(runs.c.trigger.in_(sorted(query.triggers)))
    if query.agents:
        found.append(runs.c.agent.in_(query.agents))
    if query.schedules:
        keys = sorted(row.id for row in _scheduled(connection, query.schedules))
        found.append(runs.c.schedule_id.in_(keys))
    found += _lengths(query, now=now)
    found += [runs.c.failure.is_not(None)] if query.errors else []
    if query.errors:
        line = _error_line(connection)
        found += [contains(line, error) for error in query.errors]
    found += [_has(connection, name, value) for name, value in query.parameters]
    found += [_says(connection, word) for word in query.words]
    return tuple(found)


def _named(connection: Connection, patterns: tuple[str, ...]) -> frozenset[FlowKey]:
    rows = connection.execute(_NAMES).all()
    known = {row.name for row in rows}
    for name in patterns:
        if not is_pattern(name) and not any(fits(one, (name,)) for one in known):
            raise NotFound("flow", name, near=near(name, known))
    return frozenset(FlowKey(row.id) for row in rows if fits(row.name, patterns))


def _tagged(connection: Connection, tag: str) -> frozenset[FlowKey]:
    quoted = json.dumps(tag, ensure_ascii=False)
    rows = connection.execute(
        select(flows.c.id, flows.c.definition).where(
            cast(flows.c.definition, Text).contains(quoted, autoescape=True)
        )
    )
    found = frozenset(FlowKey(row.id) for row in rows if tag in row.definition.tags)
    if not found:
        definitions = connection.scalars(select(flows.c.definition))
        known = {one for definition in definitions for one in definition.tags}
        raise NotFound("tag", tag, near=near(tag, known))
    return found


def _scheduled(connection: Connection, names: tuple[str, ...]) -> "list[Any]":
    rows = connection.execute(_SCHEDULES.where(schedules.c.name.in_(names))).all()
    known = {row.name for row in rows}
    for name in names:
        if name not in known:
            every = connection.scalars(select(schedules.c.name))
            raise NotFound("schedule", name, near=near(name, every))
    return list(rows)


def _lengths(query: RunQuery, *, now: datetime) -> Iterable[ColumnElement[bool]]:
    """How long it ran; one that goes on has run until now."""
    if query.at_least is None and query.at_most is None:
        return
    ended = func.coalesce(cast(runs.c.ended_at, runs.c.id.type), literal(now, runs.c.ended_at.type))
    ran = ended - cast(runs.c.started_at, runs.c.id.type)
    for bound, is_least in ((query.at_least, True), (query.at_most, False)):
        if bound is not None:
            microseconds = round(bound.total_seconds() * 1_000_000)
            yield ran >= microseconds if is_least else ran <= microseconds


def _has(connection: Connection, name: str, value: str) -> ColumnElement[bool]:
    """Is this the value of the parameter, as text or as JSON?"""
    if connection.dialect.name == "sqlite":
        path = f"$.{json.dumps(name, ensure_ascii=False)}"
        found: ColumnElement[Any] = cast(runs.c.parameters, Text).op("->")(path)
    else:
        found = cast(cast(cast(runs.c.parameters, Text), JSON).op("->")(name), Text)
    return found.in_([value, json.dumps(value, ensure_ascii=False)])


def _says(connection: Connection, word: str) -> ColumnElement[bool]:
    """Is the word in the flow's name, the parameters, the reason or the error?"""
    rows = connection.execute(_NAMES)
    named = [row.id for row in rows if word.casefold() in row.name.casefold()]
    documents = (runs.c.parameters, runs.c.failure)
    return or_(
        runs.c.flow_id.in_(named),
        contains(runs.c.reason, word),
        *(_contains_json(place, word) for place in documents),
    )


def _error_line(connection: Connection) -> ColumnElement[str]:
    """The type and the first line of the error, as its kind is made of them."""
    document = func.replace(cast(runs.c.failure, Text), "\\u0000", "\ufffd")  # it is no text to PostgreSQL
    kind: ColumnElement[str]
    message: ColumnElement[str]
    if connection.dialect.name == "sqlite":
        kind, message = (func.json_extract(document, f"$.{name}") for name in ("type", "message"))
        find: Any = func.instr
    else:
        kind, message = (cast(cast(document, JSON).op("->>")(name), Text) for name in ("type", "message"))
        find = func.strpos
    stripped = func.trim(message, _SPACES)
    first = func.substr(stripped, 1, find(stripped.concat("\n"), "\n") - 1)
    return cast(kind, Text).concat(": ").concat(first)


def _contains_json(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Is the text in a document, as it is written there?"""
    written = json.dumps(text, ensure_ascii=False)[1:-1]
    return contains(cast(column, Text), written)
