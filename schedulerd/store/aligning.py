"""Runs that wait get the pool and the priority that their schedule, or their flow, says now."""

from typing import Final

from sqlalchemy import Connection, bindparam, case, func, literal, select, update

from schedulerd.store.tables import IS_QUEUED, IS_UNDECIDED, flows, runs, schedules

_FLOW: Final = flows.c.id == runs.c.flow_id
_SCHEDULE: Final = schedules.c.id == runs.c.schedule_id
_ALIGN: Final = update(runs).values(
    pool=func.coalesce(
        select(schedules.c.pool).where(_SCHEDULE).scalar_subquery(),
        select(flows.c.pool).where(_FLOW).scalar_subquery(),
        literal(""),
    ),
    # what somebody asked a run with goes on counting
    priority=case(
        (runs.c.schedule_id.is_(None), runs.c.priority),
        else_=func.coalesce(
            select(schedules.c.priority).where(_SCHEDULE).scalar_subquery(),
            select(flows.c.priority).where(_FLOW).scalar_subquery(),
        ),
    ),
)
# By the indexes of those that wait: by that of the flows all of its history would be read.
_OF_FLOW: Final = (
    _ALIGN.where(IS_UNDECIDED, runs.c.flow_id == bindparam("key")),
    _ALIGN.where(IS_QUEUED, runs.c.flow_id + 0 == bindparam("key")),
)
_OF_SCHEDULE: Final = tuple(
    _ALIGN.where(waits, runs.c.schedule_id == bindparam("key")) for waits in (IS_UNDECIDED, IS_QUEUED)
)


def align_with_flow(connection: Connection, flow: int) -> None:
    """The pool of a flow, or its priority, is another one."""
    for statement in _OF_FLOW:
        connection.execute(statement, {"key": flow})


def align_with_schedule(connection: Connection, schedule: int) -> None:
    """The pool of a schedule, its priority, or its flow, is another one."""
    for statement in _OF_SCHEDULE:
        connection.execute(statement, {"key": schedule})
