"""A long history for benchmarks and tests: many runs of many flows, alike for the same seed, and sound as `db check` sees it."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, create_engine, update

from schedulerd.domain.error_kinds import ErrorKind, error_kind
from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import RANDOM_BITS, uuid7
from schedulerd.domain.runs import Trigger
from schedulerd.domain.schedules import Overlap, Policies
from schedulerd.domain.states import FINAL, RunState
from schedulerd.store.database import Database
from schedulerd.store.error_kinds import put_kinds
from schedulerd.store.run_tables import log_lines, task_runs
from schedulerd.store.tables import flows, moves, runs
from schedulerd.store.tallies import recount
from tests.builders import a_file, a_flow, a_schedule

END: Final = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
SPAN: Final = timedelta(days=90)
FLOWS: Final = 200
RUNS: Final = 1_000_000
TASKS: Final = 500
LINES: Final = 200_000
RARE_ERROR: Final = "no such field: customs_code"
RARE_TAG: Final = "audit"
AGENT: Final = "seoul-1"
BOOT: Final = "5e2a60cd-8c4c-4a0e-9a33-3c6c1e8f1b11"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_BATCH: Final = 20_000
_SECOND: Final = 1_000_000
_NOUNS: Final = (
    "orders",
    "billing",
    "stock",
    "mail",
    "reports",
    "prices",
    "users",
    "events",
    "taxes",
    "maps",
)
_VERBS: Final = ("load", "sync", "check", "export", "clean")
_TAGS: Final = ("prod", "nightly", "finance", "ml", "dev", "eu", "kr", "hourly")
_REGIONS: Final = ("kr", "us", "de", "jp")
_ERRORS: Final = (
    ("KeyError", "'region'"),
    ("ValueError", "could not convert string to float: 'n/a'"),
    ("ConnectionError", "the warehouse at 10.0.3.7:5432 does not answer"),
    ("PermissionError", "[Errno 13] Permission denied: '/srv/in/day.csv'"),
    ("MemoryError", ""),
)
_TRACEBACK: Final = "".join(
    f'  File "flows/etl.py", line {line}, in step_{line}\n    rows = transform(rows, line={line})\n'
    for line in range(10, 60, 10)
)
_ENDS: Final = {
    RunState.COMPLETED: 0.935,
    RunState.FAILED: 0.03,
    RunState.SKIPPED: 0.02,
    RunState.CANCELLED: 0.006,
    RunState.TIMED_OUT: 0.005,
    RunState.CRASHED: 0.004,
}
_GOING_ON: Final = (RunState.RUNNING,) * 12 + (RunState.RETRYING,) * 3 + (RunState.SCHEDULED,) * 5
_LEVELS: Final = (20,) * 90 + (10,) * 6 + (30,) * 3 + (40,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seeded:
    """What is where: the keys of the runs with many tasks, with a long log, and of a flow in the middle."""

    with_tasks: int
    with_log: int
    runs: int
    flow: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Flow:
    key: int
    version: int
    schedule: int
    seconds: float


@dataclass(kw_only=True)
class _Rows:
    runs: list[tuple[Any, ...]] = field(default_factory=list)
    moves: list[tuple[Any, ...]] = field(default_factory=list)
    tasks: list[tuple[Any, ...]] = field(default_factory=list)
    lines: list[tuple[Any, ...]] = field(default_factory=list)


def seed(
    url: str, *, count: int = RUNS, flow_count: int = FLOWS, lines: int = LINES, seed: int = 1
) -> Seeded:
    """Fill an empty database, which is brought up to date first."""
    database = Database(url)
    database.upgrade()
    made = _make_flows(database, flow_count, random.Random(seed))
    database.close()
    engine = create_engine(url)
    try:
        return _History(made, count=count, lines=lines, chance=random.Random(seed)).write(engine)
    finally:
        engine.dispose()


def flow_name(number: int) -> str:
    """What the flow with this number is called."""
    verb, noun = _VERBS[number % len(_VERBS)], _NOUNS[number // len(_VERBS) % len(_NOUNS)]
    return f"{verb}-{noun}-{number // (len(_VERBS) * len(_NOUNS)) + 1}"


def _make_flows(database: Database, count: int, chance: random.Random) -> list[_Flow]:
    before, made = END - SPAN - timedelta(hours=1), []
    with database.write() as tx:
        for number in range(count):
            name = flow_name(number)
            tags = (*chance.sample(_TAGS, k=chance.randint(1, 3)), *([RARE_TAG] if number % 97 == 50 else []))
            file = a_file(a_flow(name, tags=tags), version=f"{number:064x}", source=f"# {name}\n")
            (key,) = tx.flows.put_file(file, now=before)
            policies = Policies(overlap=Overlap.ALLOW)
            planned = a_schedule(f"{name}-schedule", flow=name, policies=policies)
            schedule = tx.schedules.put(
                planned, flow=key, watermark=END, next_due=END + timedelta(minutes=1), now=before
            )
            version = tx.flows.get(name).version
            assert version is not None
            seconds = 10 ** chance.uniform(-0.5, 3)
            made.append(_Flow(key=key, version=version, schedule=schedule, seconds=seconds))
    return made


class _History:
    """Runs from the oldest to the newest, at even distances."""

    def __init__(self, made: Sequence[_Flow], *, count: int, lines: int, chance: random.Random) -> None:
        self._flows: Final = made
        self._weights: Final = [1 / (2 + number) ** 0.7 for number in range(len(made))]
        self._count: Final = count
        self._lines: Final = lines
        self._chance: Final = chance
        self._numbers: Final = dict.fromkeys((flow.key for flow in made), 0)
        self._kinds: Final[dict[str, ErrorKind]] = {}
        self._with_tasks = self._with_log = 0

    def write(self, engine: Engine) -> Seeded:
        writer = _Writer(engine)
        with engine.connect() as connection:
            writer.prepare(connection)
            with connection.begin():
                for rows in self._batches(sqlite=engine.dialect.name == "sqlite"):
                    for table, found in (
                        (runs, rows.runs),
                        (moves, rows.moves),
                        (task_runs, rows.tasks),
                        (log_lines, rows.lines),
                    ):
                        writer.insert(connection, table, found)
                for key, number in self._numbers.items():
                    connection.execute(update(flows).where(flows.c.id == key).values(last_number=number))
                put_kinds(connection, self._kinds.values())
                writer.finish(connection, self._count)
                recount(connection)
            writer.settle(connection)
        return Seeded(
            with_tasks=self._with_tasks,
            with_log=self._with_log,
            runs=self._count,
            flow=flow_name(len(self._flows) // 4),
        )

    def _batches(self, *, sqlite: bool) -> Iterator[_Rows]:
        chance, step = self._chance, SPAN / self._count
        of = chance.choices(self._flows, weights=self._weights, k=self._count)
        states = chance.choices(list(_ENDS), weights=list(_ENDS.values()), k=self._count)
        states[-len(_GOING_ON) :] = _GOING_ON
        big = self._count - 100
        states[big] = states[big + 1] = RunState.COMPLETED
        self._with_tasks, self._with_log = big + 1, big + 2
        rows = _Rows()
        for position in range(self._count):
            key, at = position + 1, END - (self._count - position) * step
            self._add(rows, key, at, of[position], states[position], sqlite=sqlite)
            if len(rows.runs) == _BATCH:
                yield rows
                rows = _Rows()
        yield rows

    def _add(
        self, rows: _Rows, key: int, at: datetime, flow: _Flow, state: RunState, *, sqlite: bool
    ) -> None:
        chance, created = self._chance, (at - _EPOCH) // _MICROSECOND
        self._numbers[flow.key] += 1
        made = uuid7(at, entropy=chance.getrandbits(RANDOM_BITS))
        ran = state not in (RunState.SKIPPED, RunState.SCHEDULED)
        pending = created + chance.randint(10_000, 400_000)
        started = pending + chance.randint(5_000, 60_000)
        length = max(1_000, int(flow.seconds * chance.lognormvariate(0, 0.4) * _SECOND))
        path = _path(state, again=state is RunState.COMPLETED and chance.random() < 0.01)
        ended = started + length if ran else created
        trigger = _trigger(chance) if state in FINAL else Trigger.MANUAL
        tasks = self._tasks(key, ran=ran and state is not RunState.RUNNING)
        lines = self._line_count(key, ran=ran)
        rows.runs.append(
            (
                *(key, made.bytes if sqlite else made, flow.key, self._numbers[flow.key], state.value),
                *(_reason(state, chance), trigger.value),
                flow.schedule if trigger is Trigger.SCHEDULE else None,
                at.isoformat() if trigger is Trigger.SCHEDULE else None,
                *(created, created),
                pending if ran else None,
                started if ran else None,
                ended if state in FINAL else None,
                sum(to is RunState.PENDING for to in path),
                _parameters(chance),
                flow.version if ran else None,
                *((AGENT, BOOT) if ran else (None, None)),
                failure := _failure(state, chance, key),
                self._kind(failure),
                *((length // 4_000, 40 << 20) if state in FINAL and ran else (None, None)),
                *(len(path), lines, 1_000_000, ended + 60 * _SECOND if state is RunState.RETRYING else None),
            )
        )
        was = RunState.SCHEDULED
        times = (pending, started, *[ended] * 10)
        for number, to in enumerate(path):
            rows.moves.append((key, number + 1, times[number], was.value, to.value, AGENT, ""))
            was = to
        rows.tasks.extend(_task(key, number, tasks, started, length) for number in range(tasks))
        rows.lines.extend(_line(key, number, lines, started, length, chance) for number in range(lines))

    def _kind(self, failure: str | None) -> int | None:
        if failure is None:
            return None
        if failure not in self._kinds:
            known = json.loads(failure)
            self._kinds[failure] = error_kind(Failure(type=known["type"], message=known["message"]))
        return self._kinds[failure].key

    def _tasks(self, key: int, *, ran: bool) -> int:
        if key == self._with_tasks:
            return TASKS
        return 3 if ran and key % 20 == 0 else 0

    def _line_count(self, key: int, *, ran: bool) -> int:
        if key == self._with_log:
            return self._lines
        return 12 if ran and key % 50 == 0 else 0


class _Writer:
    """Rows as the driver takes them, many at once."""

    _COLUMNS: Final = {
        "runs": (
            *(
                "id",
                "uuid",
                "flow_id",
                "number",
                "state",
                "reason",
                "trigger",
                "schedule_id",
                "slot",
                "due_at",
            ),
            *("created_at", "pending_at", "started_at", "ended_at", "attempt", "parameters", "version_id"),
            *(
                "agent",
                "boot_id",
                "failure",
                "error_id",
                "cpu_ms",
                "max_rss_bytes",
                "move_count",
                "line_count",
            ),
            *("journal_bytes", "retry_at"),
        ),
        "moves": ("run_id", "number", "at", "was", "to", "actor", "message"),
        "task_runs": (
            *("run_id", "number", "name", "state", "attempt", "map_index", "started_at", "ended_at"),
            *("upstream", "message"),
        ),
        "log_lines": ("run_id", "number", "at", "level", "stream", "logger", "task", "message"),
    }

    def __init__(self, engine: Engine) -> None:
        self._is_sqlite: Final = engine.dialect.name == "sqlite"

    def prepare(self, connection: Connection) -> None:
        if self._is_sqlite:  # a power cut may have it: it is made anew then
            connection.exec_driver_sql("PRAGMA synchronous = OFF")
            connection.exec_driver_sql("PRAGMA cache_size = -400000")
            connection.commit()

    def insert(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        columns = self._COLUMNS[table.name]
        names = ", ".join(f'"{name}"' for name in columns)
        if self._is_sqlite:
            marks = ", ".join("?" * len(columns))
            connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(rows))
        else:
            cursor: Any = connection.connection.cursor()
            with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)

    def finish(self, connection: Connection, count: int) -> None:
        if not self._is_sqlite:
            connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('runs', 'id'), {count})")

    def settle(self, connection: Connection) -> None:
        if self._is_sqlite:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _path(state: RunState, *, again: bool) -> tuple[RunState, ...]:
    if state is RunState.SCHEDULED:
        return ()
    if state is RunState.SKIPPED:
        return (RunState.SKIPPED,)
    began = (RunState.PENDING, RunState.RUNNING)
    if again:
        began = (*began, RunState.RETRYING, *began)  # type: ignore[assignment]
    return began if state is RunState.RUNNING else (*began, state)


def _trigger(chance: random.Random) -> Trigger:
    drawn = chance.random()
    if drawn < 0.93:
        return Trigger.SCHEDULE
    if drawn < 0.96:
        return Trigger.AFTER
    return Trigger.FLOW if drawn < 0.99 else Trigger.MANUAL


def _reason(state: RunState, chance: random.Random) -> str:
    if state is not RunState.SKIPPED:
        return ""
    return chance.choice(("overlap", "misfire", "blackout"))


def _parameters(chance: random.Random) -> str:
    values = (
        {"region": chance.choice(_REGIONS), "day": chance.randint(1, 365)} if chance.random() < 0.5 else {}
    )
    return json.dumps(values, separators=(",", ":"))


def _failure(state: RunState, chance: random.Random, key: int) -> str | None:
    if state not in (RunState.FAILED, RunState.CRASHED, RunState.TIMED_OUT):
        return None
    kind, message = chance.choice(_ERRORS)
    if key % 9_973 < 40 and state is RunState.FAILED and chance.random() < 0.05:
        kind, message = "LookupError", RARE_ERROR
    failure = {"type": kind, "message": message, "file": "flows/etl.py", "line": 88, "traceback": _TRACEBACK}
    return json.dumps(failure, separators=(",", ":"))


def _task(run: int, number: int, count: int, started: int, length: int) -> tuple[Any, ...]:
    each = length // count
    began = started + number * each
    name = f"load[{number}]" if count > 3 else ("extract", "transform", "load")[number]
    upstream = json.dumps([number] if number else [])
    index = number if count > 3 else None
    return (run, number + 1, name, "completed", 1, index, began, began + each, upstream, "")


def _line(
    run: int, number: int, count: int, started: int, length: int, chance: random.Random
) -> tuple[Any, ...]:
    level = chance.choice(_LEVELS)
    at = started + number * length // count
    said = f"loaded partition {number} of {count}: {chance.randint(1, 10**6)} rows in {chance.random():.3f} s"
    if level == 40:
        said = (
            f"partition {number} was refused: {RARE_ERROR}"
            if number % 5 == 0
            else f"partition {number} failed"
        )
    return (run, number + 1, at, level, "logging", "flow.load", None, said)
