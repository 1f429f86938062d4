"""A small installation as somebody finds it one afternoon: flows, and runs in every state, with tasks and logs.

It is the same each time, but for the ids of runs.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from schedulerd.domain.access import Role
from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FlowDefinition
from schedulerd.domain.ids import RunKey
from schedulerd.domain.intakes import Intake
from schedulerd.domain.logs import LogLine, Stream
from schedulerd.domain.runs import Move, Position, Run, Trigger
from schedulerd.domain.schedules import Cron, Interval
from schedulerd.domain.states import UNFINISHED_TASKS, RunState, TaskState
from schedulerd.domain.tasks import TaskAttempt, TaskRun
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from schedulerd.version import __version__
from tests.builders import BOOT, NOW, a_command, a_flow, a_schedule
from tests.cli.scenes import PARAMETERS, put_flow
from tests.store.scenes import add, move

_ETL: Final = a_flow(parameters=PARAMETERS)
_FLOWS: Final[Sequence[FlowDefinition]] = (
    _ETL,
    a_flow("billing.close", tasks=("collect", "post"), edges=((0, 1),)),
    a_flow("일일-정산", tasks=("집계", "전송"), edges=((0, 1),)),
    a_command("dump", "pg_dump app | zstd > /srv/backup/app.zst"),
)
_STEP: Final = timedelta(minutes=37)
_TOOK: Final = timedelta(seconds=192)
_HISTORY: Final = 64
# What became of the runs of the past, the newest first, again and again.
_PATTERN: Final = (
    RunState.COMPLETED,
    RunState.COMPLETED,
    RunState.FAILED,
    RunState.COMPLETED,
    RunState.CANCELLED,
    RunState.COMPLETED,
    RunState.SKIPPED,
    RunState.COMPLETED,
    RunState.TIMED_OUT,
    RunState.COMPLETED,
    RunState.COMPLETED,
    RunState.CRASHED,
)
_TRACEBACK: Final = """Traceback (most recent call last):
  File "/srv/flows/etl.py", line 41, in etl
    load(transform(extract(region)))
  File "/srv/flows/etl.py", line 88, in load
    rows = [row["region"] for row in batch]
KeyError: 'region'
"""
_FAILURE: Final = Failure(
    type="KeyError", message="'region'", file="/srv/flows/etl.py", line=88, task="load", traceback=_TRACEBACK
)
_WHY: Final = {
    RunState.FAILED: _FAILURE,
    RunState.TIMED_OUT: Failure(type="TimedOut", message="it ran longer than 5m"),
    RunState.CRASHED: Failure(type="Killed", message="signal 9 (SIGKILL)", task="load"),
}


_AGENT: Final = AgentBeat(
    name="agent-1",
    host="seoul-1",
    pid=4242,
    version=__version__,
    boot_id=BOOT,
    started_at=NOW - timedelta(days=3),
    beat_at=NOW - timedelta(seconds=4),
    status={"running": 4, "max_running": 8},
)
_NO_FLOW: Final = Failure(
    type="ModuleNotFoundError", message="No module named 'pandas'", file="flows/broken.py", line=3
)


class Gallery:
    """The runs that pages show, by what is to be seen of them."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database
        with database.write() as tx:
            for flow in _FLOWS:
                put_flow(tx, flow)
            _schedules(tx)
            tx.users.add("minji", Role.OPERATOR, "no hash", at=NOW - timedelta(days=30))
            tx.agents.beat(_AGENT)
            tx.agents.beat(
                replace(_AGENT, name="busan-2", host="busan-2", beat_at=NOW - timedelta(minutes=6))
            )
            tx.agents.beat(replace(_AGENT, name="jeju-3", host="jeju-3"))
            tx.agents.drain(
                "jeju-3", at=NOW - timedelta(hours=1), by="minji", reason="until the audit is over"
            )
            tx.flows.set_file_error("flows/broken.py", _NO_FLOW, now=NOW - timedelta(hours=3))
            for back in range(_HISTORY, 0, -1):
                _past(tx, back)
            self.failed: Final = tx.runs.by_key(_failed(tx))
            self.running: Final = tx.runs.by_key(_running(tx))
            _at_work(tx)

    names: Final = frozenset(
        {
            "agent-1",
            "busan-2",
            "jeju-3",
            "seoul-1",
            "minji",
            "run",
            "test",
            "extract",
            "transform",
            "load",
            "nightly",
        }
    ) | {flow.name for flow in _FLOWS}
    """What things of the gallery are called."""

    def run(self, key: RunKey) -> Run:
        """The run as it is now."""
        with self._database.read() as tx:
            return tx.runs.by_key(key)

    def add_running(self, flow: str = "etl") -> Run:
        """A run that has just begun."""
        with self._database.write() as tx:
            key = add(tx, tx.flows.get(flow).key)
            begin(tx, key, NOW)
            return tx.runs.by_key(key)

    def say(self, run: Run, *messages: str, level: int = 20) -> None:
        """Have a run say lines."""
        lines = [LogLine(at=NOW, level=level, stream=Stream.STDOUT, message=message) for message in messages]
        with self._database.write() as tx:
            say(tx, run.key, *lines)

    def end(self, run: Run, state: RunState = RunState.COMPLETED) -> None:
        """Have a run end."""
        with self._database.write() as tx:
            end(
                tx,
                run.key,
                state,
                at=NOW + timedelta(seconds=1),
                tasks=_ended(tx.tasks.tasks(run.key), state),
            )


def _schedules(tx: Transaction) -> None:
    """At a time of day in another zone, now and then, and one that is paused."""
    nightly = Cron(expression="30 2 * * *", timezone="Europe/Berlin")
    for name, flow, when, next_due in (
        ("nightly", "etl", nightly, NOW + timedelta(hours=19, minutes=30)),
        ("often", "dump", Interval(every=timedelta(minutes=15), anchor=NOW), NOW + timedelta(minutes=15)),
        ("month-end", "billing.close", Cron(expression="0 6 1 * *"), NOW + timedelta(days=9)),
    ):
        definition = a_schedule(name, flow=flow, when=when, origin=f"config/schedules/{flow}.toml:1")
        key = tx.flows.get(flow).key
        tx.schedules.put(definition, flow=key, watermark=NOW, next_due=next_due, now=NOW)
    tx.schedules.pause("month-end", at=NOW, by="minji", reason="until the audit is over")


def _past(tx: Transaction, back: int) -> None:
    """A run that is over."""
    state, flow = _PATTERN[back % len(_PATTERN)], _FLOWS[back % len(_FLOWS)]
    began = NOW - back * _STEP
    key = add(tx, tx.flows.get(flow.name).key, created_at=began, due_at=began)
    if state is RunState.SKIPPED:
        reason = "misfire" if back % 8 else "overlap"
        assert move(tx, key, state, at=began, reason=reason)
        return
    begin(tx, key, began)
    end(tx, key, state, at=began + _TOOK * (1 + back % 5) / 3, tasks=[])


def _failed(tx: Transaction) -> RunKey:
    """A run that failed, with all that is known about why."""
    began = NOW - timedelta(minutes=20)
    key = add(
        tx,
        tx.flows.get("etl").key,
        created_at=began,
        due_at=began,
        parameters={"region": "kr", "rows": 20_000},
    )
    begin(tx, key, began)
    again = (
        TaskAttempt(number=2, attempt=1, ended_at=began + _TOOK / 2),
        TaskAttempt(number=2, attempt=2, started_at=began + _TOOK * 5 / 8),
    )
    over = began + _TOOK
    end(tx, key, RunState.FAILED, at=over, tasks=_tasks(began), attempts=again, lines=_lines(began))
    return key


def _running(tx: Transaction) -> RunKey:
    """A run that has done half of its work."""
    began = NOW - timedelta(minutes=2, seconds=10)
    flow = tx.flows.get("etl").key
    key = add(tx, flow, created_at=began, due_at=began, parameters={"region": "us"})
    begin(tx, key, began)
    done, *_ = _tasks(began)
    now = TaskRun(
        number=2, name="transform", state=TaskState.RUNNING, started_at=done.ended_at, upstream=(1,)
    )
    say(tx, key, *_lines(began)[:6], tasks=[done, now])
    return key


def _at_work(tx: Transaction) -> None:
    """One run in each of the states of what is not over."""
    for name, state in (
        ("billing.close", RunState.SCHEDULED),
        ("billing.close", RunState.PENDING),
        ("dump", RunState.RUNNING),
        ("일일-정산", RunState.RUNNING),
        ("dump", RunState.CANCELLING),
    ):
        key = add(tx, tx.flows.get(name).key, due_at=NOW - timedelta(seconds=5), trigger=Trigger.MANUAL)
        began = NOW - timedelta(seconds=4)
        if state is RunState.PENDING:
            assert move(tx, key, RunState.PENDING, at=began)
        elif state is not RunState.SCHEDULED:
            begin(tx, key, began)
        if state is RunState.CANCELLING:
            assert move(tx, key, state, at=NOW, actor="minji")


def begin(tx: Transaction, key: RunKey, at: datetime) -> None:
    """Have a run claimed and started."""
    assert move(tx, key, RunState.PENDING, at=at)
    started = Move(at=at, was=RunState.PENDING, to=RunState.RUNNING, actor="run")
    take(tx, Intake(run=key, was=Position(), now=Position(), moves=(started,), started_at=at))


def say(tx: Transaction, key: RunKey, *lines: LogLine, tasks: Sequence[TaskRun] = ()) -> None:
    """Have it say lines, and tell of its tasks."""
    take(tx, Intake(run=key, was=Position(), now=Position(), lines=lines, tasks=tuple(tasks)))


def end(
    tx: Transaction,
    key: RunKey,
    state: RunState,
    *,
    at: datetime,
    tasks: Sequence[TaskRun] = (),
    attempts: Sequence[TaskAttempt] = (),
    lines: Sequence[LogLine] = (),
) -> None:
    """Have it come to its end."""
    if state is RunState.CANCELLED:
        assert move(tx, key, RunState.CANCELLING, at=at, actor="minji")
    ended = Move(at=at, was=RunState.RUNNING, to=state, actor="run")
    take(
        tx,
        Intake(
            run=key,
            was=Position(),
            now=Position(),
            moves=(ended,),
            ended_at=at,
            failure=_WHY.get(state),
            tasks=tuple(tasks),
            attempts=tuple(attempts),
            lines=tuple(lines),
        ),
    )


def take(tx: Transaction, batch: Intake) -> None:
    """Take it from where the run is."""
    was = tx.runs.by_key(batch.run).position
    taken = tx.intake.take([replace(batch, was=was, now=Position(journal=was.journal + 100))])
    assert taken == {batch.run}


def _ended(tasks: Sequence[TaskRun], state: RunState) -> list[TaskRun]:
    """The tasks that have not ended, when their run ends so."""
    to = TaskState.COMPLETED if state is RunState.COMPLETED else TaskState.CANCELLED
    at = NOW + timedelta(seconds=1)
    return [replace(one, state=to, ended_at=at) for one in tasks if one.state in UNFINISHED_TASKS]


def _tasks(began: datetime) -> list[TaskRun]:
    middle, late = began + _TOOK / 4, began + _TOOK * 3 / 4
    return [
        TaskRun(number=1, name="extract", state=TaskState.COMPLETED, started_at=began, ended_at=middle),
        TaskRun(
            number=2,
            name="transform",
            state=TaskState.COMPLETED,
            attempt=2,
            started_at=middle,
            ended_at=late,
            upstream=(1,),
        ),
        TaskRun(
            number=3,
            name="load",
            state=TaskState.FAILED,
            started_at=late,
            ended_at=began + _TOOK,
            upstream=(2,),
            failure=_FAILURE,
        ),
    ]


def _lines(began: datetime) -> list[LogLine]:
    said = [
        (20, Stream.LOGGING, 1, "reading from s3://warehouse/kr/2026-11-22"),
        (20, Stream.STDOUT, 1, "\x1b[1mrows\x1b[0m \x1b[32m20000\x1b[0m"),
        (20, Stream.STDOUT, 1, "\x1b[31;1mwrong rows\x1b[0m 3, see <script>alert('not run')</script>"),
        (10, Stream.LOGGING, 2, "grouping by region"),
        (30, Stream.LOGGING, 2, "the column 'region' is empty in 3 rows"),
        (20, Stream.STDERR, 2, "progress 10%\rprogress 55%\rprogress 100%"),
        (20, Stream.LOGGING, 3, "정산 결과를 보냅니다: 서울, 부산, 제주"),
        (40, Stream.LOGGING, 3, _TRACEBACK.strip()),
        (40, Stream.SYSTEM, None, "etl failed: KeyError: 'region' at /srv/flows/etl.py:88 in load"),
    ]
    return [
        LogLine(
            at=began + timedelta(seconds=number),
            level=level,
            stream=stream,
            logger="flow" if stream is Stream.LOGGING else "",
            task=task,
            message=message,
        )
        for number, (level, stream, task, message) in enumerate(said)
    ]
