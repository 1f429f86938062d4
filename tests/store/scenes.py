"""What tests of the store begin with: flows, schedules and runs that are there already."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, update

from schedulerd.domain.access import Means, Role, Scope
from schedulerd.domain.api_tokens import ApiToken
from schedulerd.domain.audit import Change
from schedulerd.domain.ids import FlowKey, RunKey, ScheduleKey
from schedulerd.domain.intakes import Intake
from schedulerd.domain.limits import Limits
from schedulerd.domain.logs import LogLine, Stream
from schedulerd.domain.runs import Move, Position, Run, Trigger
from schedulerd.domain.schedules import Blackout, Cron, Overlap, Policies, ScheduleDefinition
from schedulerd.domain.sessions import SignInCode
from schedulerd.domain.states import UNFINISHED_TASKS, RunState, TaskState
from schedulerd.domain.tasks import TaskRun
from schedulerd.store.tables import flows, runs
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, BOOT, NOW, a_file, a_flow, a_new_run, a_schedule

AGENT: Final = "agent-1"
# How each state is reached from `scheduled`, by legal moves only.
PATHS: Final[dict[RunState, tuple[RunState, ...]]] = {
    RunState.SCHEDULED: (),
    RunState.SKIPPED: (RunState.SKIPPED,),
    RunState.PENDING: (RunState.PENDING,),
    **{
        state: (RunState.PENDING, RunState.RUNNING, state)
        for state in RunState
        if state not in (RunState.SCHEDULED, RunState.SKIPPED, RunState.PENDING, RunState.RUNNING)
    },
    RunState.RUNNING: (RunState.PENDING, RunState.RUNNING),
}
TIMES: Final = {
    "when": a_schedule(when=Cron(expression="0 * * * *")),
    "enabled": a_schedule(enabled=False),
    "start": a_schedule(start=datetime.fromisoformat("2027-01-01")),
    "end": a_schedule(end=datetime.fromisoformat("2027-01-01")),
    "jitter": a_schedule(jitter=A_SECOND),
    "blackout": a_schedule(blackout=Blackout(days=(NOW.date(),))),
}
"""The schedule `etl-morning`, edited so that it is due at other times."""


def a_put(
    tx: Transaction, definition: ScheduleDefinition, *, at: datetime = NOW, next_due: datetime | None = None
) -> int:
    """Put a schedule of `etl` in force, decided up to `at`, and due an hour later where nothing else is said; its key."""
    flow = tx.flows.put_file(a_file(), now=NOW)[0]
    return tx.schedules.put(
        definition, flow=flow, watermark=at, next_due=next_due or at + timedelta(hours=1), now=at
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A flow and a schedule of it."""

    flow: FlowKey
    schedule: ScheduleKey


def a_scene(
    tx: Transaction,
    *,
    name: str = "etl",
    overlap: Overlap = Overlap.SKIP,
    policies: Policies | None = None,
    pool: str | None = None,
    max_running: int | None = None,
    priority: int | None = None,
) -> Scene:
    """A flow with a schedule that is due now; the priority is the schedule's."""
    defined = a_flow(name, pool=pool, max_running=max_running)
    file = a_file(defined, version=name.ljust(64, "0"))
    (flow,) = tx.flows.put_file(file, now=NOW)
    policies = policies or Policies(overlap=overlap)
    definition = a_schedule(f"{name}-morning", flow=name, policies=policies, priority=priority)
    watermark = NOW - timedelta(minutes=1)
    schedule = tx.schedules.put(definition, flow=flow, watermark=watermark, next_due=NOW, now=NOW)
    return Scene(flow=flow, schedule=schedule)


def add(tx: Transaction, flow: FlowKey, **changes: Any) -> RunKey:
    """The key of a new run of the flow."""
    (key,) = tx.runs.add([a_new_run(flow, **changes)])
    assert key is not None
    return key


def add_scheduled(tx: Transaction, scene: Scene, due_at: datetime = NOW, **changes: Any) -> RunKey:
    """The key of a new run of the schedule."""
    return add(
        tx,
        scene.flow,
        trigger=Trigger.SCHEDULE,
        schedule=scene.schedule,
        slot=due_at.isoformat(),
        due_at=due_at,
        **changes,
    )


def add_in(tx: Transaction, flow: FlowKey, state: RunState) -> RunKey:
    """The key of a new run that has come to `state`."""
    key = add(tx, flow)
    for step in PATHS[state]:
        assert move(tx, key, step, reason="overlap" if step is state else "")
    return key


def move(tx: Transaction, key: RunKey, to: RunState, *, at: datetime = NOW, **more: Any) -> bool:
    """Move this run; one that is pending then has an owner, as after a claim, which chooses for itself what it takes."""
    moved = tx.runs.move(key, to, at=at, **({"actor": "test"} | more))
    if moved and to is RunState.PENDING:
        version = select(flows.c.version_id).where(flows.c.id == runs.c.flow_id).scalar_subquery()
        owned = {"agent": AGENT, "boot_id": BOOT, "attempt": runs.c.attempt + 1, "version_id": version}
        tx._connection.execute(update(runs).where(runs.c.id == key).values(owned))
    return moved


def claim(
    tx: Transaction,
    limit: int = 100,
    *,
    now: datetime = NOW,
    agent: str = AGENT,
    max_running: int = 100,
    pools: Mapping[str, int] | None = None,
) -> list[Run]:
    """What this agent takes."""
    limits = Limits(max_running=max_running, pools=pools or {})
    return tx.runs.claim(limit, now=now, agent=agent, boot_id=BOOT, limits=limits)


def a_running_run(tx: Transaction, scene: Scene) -> Run:
    """A run that was claimed and runs."""
    key = add(tx, scene.flow)
    assert key in [run.key for run in claim(tx)]
    assert tx.runs.move(key, RunState.RUNNING, at=NOW, actor="test")
    return tx.runs.by_key(key)


HASH: Final = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA"


def a_token(key: str = "0123456789ab", **changes: Any) -> ApiToken:
    """A token of the account `root`, for looking at runs, that lasts a day."""
    values: dict[str, Any] = {"name": "ci", "owner": "root", "user": None, "role": Role.ADMIN}
    values |= {
        "scopes": frozenset({Scope.RUNS_READ}),
        "created_at": NOW,
        "expires_at": NOW + timedelta(days=1),
    }
    return ApiToken(id=key, **(values | changes))


def let_in(tx: Transaction) -> None:
    """A user who has signed in, a token, a sign-in code and an audit entry."""
    tx.users.add("kim", Role.OPERATOR, HASH, at=NOW)
    tx.sessions.open(
        b"s" * 32, who="kim", user="kim", role=Role.OPERATOR, at=NOW, agent="Firefox", address="192.0.2.1"
    )
    tx.api_tokens.add(a_token(), b"t" * 32)
    tx.sessions.add_code(b"c" * 32, SignInCode(who="root", role=Role.ADMIN, made_at=NOW))
    tx.audit.add(Change(what="users.add", target="kim"), at=NOW, who="root", means=Means.ACCOUNT, address="")


def an_intake(run: RunKey, **changes: Any) -> Intake:
    """The first 100 bytes of the run's journal: it started, a task runs, and it said a line."""
    values: dict[str, Any] = {
        "was": Position(),
        "now": Position(journal=100),
        "moves": (a_move(RunState.RUNNING),),
        "tasks": (a_task(),),
        "lines": (a_line(),),
    }
    return Intake(run=run, **(values | changes))


def a_move(to: RunState, *, at: datetime = NOW, message: str = "") -> Move:
    """A move as a journal tells it; what it comes from is found by the store."""
    return Move(at=at, was=RunState.SCHEDULED, to=to, actor="run", message=message)


def a_task(number: int = 1, state: TaskState = TaskState.RUNNING, **changes: Any) -> TaskRun:
    """A task run called `extract`."""
    ended_at = None if state in UNFINISHED_TASKS else NOW
    values: dict[str, Any] = {"name": "extract", "started_at": NOW, "ended_at": ended_at}
    return TaskRun(number=number, state=state, **(values | changes))


def a_line(message: str = "hello", **changes: Any) -> LogLine:
    """A line of logging."""
    values: dict[str, Any] = {"at": NOW, "level": 20, "stream": Stream.LOGGING, "logger": "flow"}
    return LogLine(message=message, **(values | changes))
