"""The last runs of many flows, in one query: what a page of flows draws a bar for."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from schedulerd.domain.ids import FlowKey, RunId, RunKey
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.states import RunState
from schedulerd.store.columns import Moment
from schedulerd.store.tables import AnyRow

# In the one database a list for each flow, in the other a join with what is found for each: both seek in the index of a flow.
_LISTS: Final = text(
    """SELECT k.value AS flow, (
    SELECT json_group_array(json_array(id, hex(uuid), number, state, reason, started_at, ended_at))
    FROM (SELECT * FROM runs INDEXED BY ix_runs_flow WHERE flow_id = k.value ORDER BY id DESC LIMIT :count)
    ) AS runs FROM json_each(:flows) AS k"""
)
_LATERAL: Final = text(
    """SELECT k.flow, r.* FROM unnest(CAST(:flows AS BIGINT[])) AS k(flow) CROSS JOIN LATERAL (
    SELECT id, uuid, number, state, reason, started_at, ended_at FROM runs
    WHERE flow_id = k.flow ORDER BY id DESC LIMIT :count) AS r"""
)
_MOMENT: Final = Moment()
_STATES: Final = {state.value: state for state in RunState}
_MOST_KEPT: Final = 512


class Mark(NamedTuple):  # a page has more than a thousand, and a dataclass takes three times as long to make
    """A run, as much of it as a bar shows."""

    key: RunKey
    id: RunId
    number: int
    state: RunState
    reason: str
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def shown(self) -> str:
        """Its state; of one that was skipped because nobody was there to start it: missed."""
        is_missed = self.state is RunState.SKIPPED and self.reason == SkipReason.MISFIRE
        return "missed" if is_missed else self.state.value

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
        return found | {FlowKey(row.flow): list(_marks(row.runs)) for row in rows}
    for row in connection.execute(_LATERAL, {"flows": list(flows), "count": count}):
        found[FlowKey(row.flow)].append(_of_row(row))
    return {key: sorted(of) for key, of in found.items()}


@lru_cache(_MOST_KEPT)  # the last runs of most flows are what they were when somebody last looked
def _marks(text: str) -> Sequence[Mark]:
    return sorted(_mark(*one) for one in json.loads(text))


def _of_row(row: AnyRow) -> Mark:
    return _mark(row.id, row.uuid.hex, row.number, row.state, row.reason, row.started_at, row.ended_at)


def _mark(
    key: int,
    uuid: str,
    number: int,
    state: str,
    reason: str,
    started_at: int | None,
    ended_at: int | None,
) -> Mark:
    return Mark(
        key=RunKey(key),
        id=RunId(UUID(hex=uuid)),
        number=number,
        state=_STATES[state],
        reason=reason,
        started_at=_moment(started_at),
        ended_at=_moment(ended_at),
    )


def _moment(stored: int | None) -> datetime | None:
    return _MOMENT.process_result_value(stored, None)  # type: ignore[arg-type]  # it does not look at the dialect
