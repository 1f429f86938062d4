"""Values for tests: each has all that it needs, and a test names only what it is about."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from schedulerd.domain.flows import FileDefinition, FlowDefinition, FlowKind
from schedulerd.domain.hooks import DueHooks
from schedulerd.domain.ids import RANDOM_BITS, FlowKey, RunId, RunKey, uuid7
from schedulerd.domain.runs import NewRun, Position, Run, Trigger
from schedulerd.domain.schedules import Cron, ScheduleDefinition
from schedulerd.domain.states import RunState

NOW: Final = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
A_SECOND: Final = timedelta(seconds=1)
BOOT: Final = "5e2a60cd-8c4c-4a0e-9a33-3c6c1e8f1b11"
# The system's: pytest seeds the usual one alike in each test, and ids must differ within a session.
_entropy: Final = random.SystemRandom()


def a_flow(name: str = "etl", **changes: Any) -> FlowDefinition:
    """A flow of three tasks, defined by `flows/<name>.py`."""
    flow = FlowDefinition(
        name=name,
        kind=FlowKind.PYTHON,
        file=f"flows/{name}.py",
        entrypoint="flow",
        tasks=("extract", "transform", "load"),
        edges=((0, 1), (1, 2)),
    )
    return replace(flow, **changes)


def a_command(name: str = "dump", command: str = "pg_dump app", **changes: Any) -> FlowDefinition:
    """A shell command as a flow."""
    flow = FlowDefinition(
        name=name, kind=FlowKind.COMMAND, file="config/schedules/dump.toml", command=command
    )
    return replace(flow, **changes)


def a_file(*flows: FlowDefinition, **changes: Any) -> FileDefinition:
    """The file that defines these flows, or one flow `etl`."""
    flows = flows or (a_flow(),)
    file = FileDefinition(file=flows[0].file, version="ab" * 32, source="flow = 1\n", flows=flows)
    return replace(file, **changes)


def a_schedule(name: str = "etl-morning", **changes: Any) -> ScheduleDefinition:
    """A schedule of the flow `etl` at each full minute, which skips overlaps."""
    schedule = ScheduleDefinition(
        name=name,
        when=Cron(expression="* * * * *"),
        flow="etl",
        origin="config/schedules/etl.toml:1",
    )
    return replace(schedule, **changes)


def a_run_id(at: datetime = NOW) -> RunId:
    """An id that no other run has."""
    return RunId(uuid7(at, entropy=_entropy.getrandbits(RANDOM_BITS)))


def a_new_run(flow: FlowKey, **changes: Any) -> NewRun:
    """A run asked for by hand, due now."""
    run = NewRun(id=a_run_id(), flow=flow, created_at=NOW, trigger=Trigger.MANUAL, due_at=NOW)
    return replace(run, **changes)


def a_due_hook(**changes: Any) -> DueHooks:
    """That the hooks of the first run are to be called, which failed by its third move."""
    due = DueHooks(
        run=RunKey(1),
        id=RunId(UUID("01aab6c2-c580-7000-8000-000000000001")),
        selector="etl#1",
        number=3,
        attempt=1,
        state=RunState.FAILED,
        message="ValueError: x",
        at=NOW,
        version_hash="ab" * 32,
    )
    return replace(due, **changes)


def a_run(**changes: Any) -> Run:
    """A run as the store gives it: `etl#1`, scheduled."""
    run = Run(
        key=RunKey(1),
        id=RunId(UUID("01aab6c2-c580-7000-8000-000000000001")),
        flow="etl",
        flow_key=FlowKey(1),
        number=1,
        state=RunState.SCHEDULED,
        reason="",
        trigger=Trigger.MANUAL,
        schedule=None,
        schedule_key=None,
        slot=None,
        due_at=NOW,
        created_at=NOW,
        pending_at=None,
        started_at=None,
        ended_at=None,
        attempt=0,
        parameters={},
        version=None,
        version_hash=None,
        agent=None,
        boot_id=None,
        pid=None,
        failure=None,
        cpu_ms=None,
        max_rss_bytes=None,
        position=Position(),
    )
    return replace(run, **changes)
