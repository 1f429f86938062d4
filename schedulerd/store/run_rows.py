"""A run between its row and its value."""

from typing import Final

from sqlalchemy import select

from schedulerd.domain.hooks import read_hooks
from schedulerd.domain.ids import FlowKey, RunId, RunKey, ScheduleKey
from schedulerd.domain.runs import Position, Run, Trigger
from schedulerd.domain.states import RunState
from schedulerd.store.documents import read_failure
from schedulerd.store.tables import AnyRow, AnySelect, flows, runs, schedules, versions

_PARENTS: Final = runs.alias("parents")
_WITHOUT: Final = frozenset({"parent_id", "idempotency_key", "move_count", "line_count", "result_kept"})

RUNS: Final[AnySelect] = select(
    *(column for column in runs.c if column.name not in _WITHOUT),
    flows.c.name.label("flow"),
    schedules.c.name.label("schedule"),
    versions.c.hash.label("version_hash"),
    _PARENTS.c.uuid.label("parent_uuid"),
).select_from(
    runs.join(flows, flows.c.id == runs.c.flow_id)
    .outerjoin(schedules, schedules.c.id == runs.c.schedule_id)
    .outerjoin(versions, versions.c.id == runs.c.version_id)
    .outerjoin(_PARENTS, _PARENTS.c.id == runs.c.parent_id)
)


def run_of(row: AnyRow) -> Run:
    """The value of a row of `RUNS`."""
    return Run(
        key=RunKey(row.id),
        id=RunId(row.uuid),
        flow=row.flow,
        flow_key=FlowKey(row.flow_id),
        number=row.number,
        state=RunState(row.state),
        reason=row.reason,
        trigger=Trigger(row.trigger),
        schedule=row.schedule,
        schedule_key=None if row.schedule_id is None else ScheduleKey(row.schedule_id),
        slot=row.slot,
        due_at=row.due_at,
        created_at=row.created_at,
        pending_at=row.pending_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        attempt=row.attempt,
        parameters=row.parameters,
        version=row.version_id,
        version_hash=row.version_hash,
        agent=row.agent,
        boot_id=row.boot_id,
        pid=row.pid,
        failure=read_failure(row.failure),
        cpu_ms=row.cpu_ms,
        max_rss_bytes=row.max_rss_bytes,
        position=Position(journal=row.journal_bytes, stdout=row.stdout_bytes, stderr=row.stderr_bytes),
        result_preview=row.result_preview,
        caught_up=bool(row.caught_up),
        log_removed=bool(row.log_removed),
        queued=bool(row.queued),
        pool=row.pool or None,
        priority=row.priority,
        retry_at=row.retry_at,
        parent=None if row.parent_uuid is None else RunId(row.parent_uuid),
        hooks=read_hooks(row.hooks),
    )
