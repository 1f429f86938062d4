"""The last runs of many flows, in one query: what a page of flows draws a bar for."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text

from schedulerd.domain.ids import FlowKey, RunId, RunKey
from schedulerd.domain.states import RunState
from schedulerd.store.columns import Moment
from schedulerd.store.tables import AnyRow

# In the one database a list for each flow, in the other a join with what is found for each: both seek in the index of a flow.
_LISTS: Final = text(
    """SELECT k.value AS flow, r.value AS row FROM json_each(:flows) AS k, json_each((
    SELECT json_group_array(json_array(id, hex(uuid), number, state, reason, created_at, started_at, ended_at))
    FROM (SELECT * FROM runs INDEXED BY ix_runs_flow WHERE flow_id = k.value ORDER BY id DESC LIMIT :count)
    )) AS r"""
)
_LATERAL: Final = text(
    """SELECT k.flow, r.* FROM unnest(CAST(:flows AS BIGINT[])) AS k(flow) CROSS JOIN LATERAL (
    SELECT id, uuid, number, state, reason, created_at, started_at, ended_at FROM runs
    WHERE flow_id = k.flow ORDER BY id DESC LIMIT :count) AS r"""
)
_MOMENT: Final = Moment()


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A run, as much of it as a bar shows."""

    key: RunKey
    id: RunId
    number: int
    state: RunState
    reason: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    def duration(self, *, now: datetime) -> timedelta | None:
        """How long it has been running, or ran; None when it never started."""
        if self.started_at is None:
            return None
        return max((self.ended_at or now) - self.started_at, timedelta())


def strips(
    connection: Connection, flows: Collection[FlowKey], *, count: int
) -> Mapping[FlowKey, Sequence[Mark]]:
    """The last `count` runs of each flow, the newest last."""
    found: dict[FlowKey, list[Mark]] = {key: [] for key in flows}
    if connection.dialect.name == "sqlite":
        rows = connection.execute(_LISTS, {"flows": json.dumps(list(flows)), "count": count})
        marks = [(row.flow, _mark(*json.loads(row.row))) for row in rows]
    else:
        rows = connection.execute(_LATERAL, {"flows": list(flows), "count": count})
        marks = [(row.flow, _of_row(row)) for row in rows]
    for flow, mark in marks:
        found[FlowKey(flow)].append(mark)
    return {key: sorted(of, key=lambda mark: mark.key) for key, of in found.items()}


def _of_row(row: AnyRow) -> Mark:
    times = (row.created_at, row.started_at, row.ended_at)
    return _mark(row.id, row.uuid.hex, row.number, row.state, row.reason, *times)


def _mark(
    key: int,
    uuid: str,
    number: int,
    state: str,
    reason: str,
    created_at: int,
    started_at: int | None,
    ended_at: int | None,
) -> Mark:
    created = _moment(created_at)
    assert created is not None  # no run is without it
    return Mark(
        key=RunKey(key),
        id=RunId(UUID(hex=uuid)),
        number=number,
        state=RunState(state),
        reason=reason,
        created_at=created,
        started_at=_moment(started_at),
        ended_at=_moment(ended_at),
    )


def _moment(stored: int | None) -> datetime | None:
    return _MOMENT.process_result_value(stored, None)  # type: ignore[arg-type]  # it does not look at the dialect
