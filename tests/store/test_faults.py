"""Faults: a database that is locked, gone or fails in the middle leaves nothing half-written, and says so."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Final, Self

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import NoResultFound, OperationalError

from schedulerd.domain.access import Means, Role
from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.audit import AuditFilter, Change
from schedulerd.domain.causes import Cause
from schedulerd.domain.failures import Failure
from schedulerd.domain.heartbeats import Beat, Ping, PingKey
from schedulerd.domain.ids import RunKey, ScheduleKey
from schedulerd.domain.messages import Message, MessageKey, MessageState, NewMessage
from schedulerd.domain.named_limits import NamedLimit
from schedulerd.domain.notices import Happening, NoticeKind, NoticeRule
from schedulerd.domain.questions import AskedQuestion, Question
from schedulerd.domain.replies import Reply
from schedulerd.domain.retention import Retention
from schedulerd.domain.run_queries import RunQuery
from schedulerd.domain.runs import RunFilter, Trigger
from schedulerd.domain.secrets import SecretUse
from schedulerd.domain.sessions import Session, SignInCode
from schedulerd.domain.states import RunState
from schedulerd.domain.told import EventFilter
from schedulerd.domain.wishes import WishKey
from schedulerd.errors import NotFound, SchedulerdError, StoreUnavailable
from schedulerd.store.database import Database
from schedulerd.store.engines import WRITER_LOCK
from schedulerd.store.log_search import LineQuery
from schedulerd.store.schedule_rows import Advance, Forward
from schedulerd.store.tables import metadata
from schedulerd.store.tallies import ALL_FLOWS
from schedulerd.store.transaction import Transaction
from tests.builders import (
    A_SECOND,
    BOOT,
    NOW,
    a_command,
    a_due_hook,
    a_file,
    a_flow,
    a_new_run,
    a_run_id,
    a_schedule,
)
from tests.conftest import Servers
from tests.store.scenes import (
    AGENT,
    HASH,
    a_scene,
    a_token,
    add,
    add_in,
    add_scheduled,
    an_intake,
    claim,
    move,
)
from tests.waiting import eventually

pytestmark = pytest.mark.each_postgres

SOON: Final = timedelta(milliseconds=50)
Work = Callable[[Transaction], object]


class FailAtStatement:
    """While this is entered, the n-th statement from now fails as if the database had gone; none when n is past."""

    def __init__(self, number: int) -> None:
        self._left = number

    @property
    def has_failed(self) -> bool:
        """Did a statement fail?"""
        return self._left <= 0

    def __enter__(self) -> Self:
        event.listen(Engine, "before_cursor_execute", self._count)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        event.remove(Engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self._left -= 1
        if self._left == 0:
            raise OperationalError("a statement", {}, Exception("injected"))


def tick(tx: Transaction) -> object:
    """What the scheduler does for a due schedule: record a run and a skip, advance, and claim."""
    (schedule,) = tx.schedules.due(NOW)
    run = a_new_run(schedule.flow_key, schedule=schedule.key, slot="06:00", due_at=NOW)
    skip = a_new_run(
        schedule.flow_key, schedule=schedule.key, slot="05:59", state=RunState.SKIPPED, reason="misfire"
    )
    tx.runs.add([run, skip])
    tx.schedules.advance_all(
        [Advance(key=schedule.key, watermark=NOW, next_due=NOW + A_SECOND, last_due=NOW)]
    )
    return claim(tx)


def take_in(tx: Transaction) -> object:
    """An intake of all pending runs."""
    return tx.intake.take([an_intake(run.key) for run in tx.runs.live()])


def crash(tx: Transaction) -> object:
    """The end of all live runs."""
    return [tx.runs.move(run.key, RunState.CRASHED, at=NOW, actor="test") for run in tx.runs.live()]


def reload_file(tx: Transaction) -> object:
    """A changed file: one flow stays, one is new, one is gone."""
    return tx.flows.put_file(
        a_file(a_flow("etl"), a_flow("new", file="flows/etl.py"), version="changed"), now=NOW
    )


WORK: dict[str, Work] = {
    "tick": tick,
    "claim": claim,
    "intake": take_in,
    "move": crash,
    "file": reload_file,
}


def everything(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    engine = create_engine(url)
    rows = rows_of(engine)
    engine.dispose()
    return rows


def rows_of(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """The same, by whoever looks again and again."""
    with engine.connect() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(table.select().order_by(*table.primary_key))
            ]
            for table in metadata.sorted_tables
        }


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_a_failure_at_any_statement_leaves_everything_as_it_was(
    database: Database, database_url: str, work: Work
) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        add_in(tx, scene.flow, RunState.PENDING)
        for second in (1, 2):
            add_scheduled(tx, scene, NOW - second * A_SECOND)
    looking = create_engine(database_url)
    before = rows_of(looking)

    statements = 0
    while True:
        statements += 1
        with FailAtStatement(statements) as fault:
            try:
                with database.write() as tx:
                    work(tx)
            except StoreUnavailable:
                assert rows_of(looking) == before
                with database.read() as tx:
                    assert tx.broken_invariants() == []
        if not fault.has_failed:
            break

    after = rows_of(looking)
    looking.dispose()

    assert statements > 3
    assert after != before


OF_FIRST: Final = LineQuery(run=RunKey(1))
READS: dict[str, Work] = {
    "logs.last_of": lambda tx: tx.logs.last_of([RunKey(1)]),
    "snapshots.take": lambda tx: tx.snapshots.take([a_run_id()]),
    "snapshots.totals": lambda tx: tx.snapshots.totals(),
    "history.of_keys": lambda tx: tx.history.of_keys([RunKey(1)]),
    "snapshots.watch": lambda tx: tx.snapshots.watch([a_run_id()]),
    "runs.beside": lambda tx: tx.runs.beside(tx.runs.by_key(RunKey(1))),
    "flows.all": lambda tx: tx.flows.all(),
    "variables.find": lambda tx: tx.variables.find("region"),
    "flows.named": lambda tx: tx.flows.named(),
    "schedules.names": lambda tx: tx.schedules.names(),
    "flows.get": lambda tx: tx.flows.get("etl"),
    "flows.by_key": lambda tx: tx.flows.by_key(tx.flows.get("etl").key),
    "flows.of_file": lambda tx: tx.flows.of_file("flows/etl.py"),
    "flows.names": lambda tx: tx.flows.names(),
    "flows.definitions": lambda tx: tx.flows.definitions(),
    "flows.errors": lambda tx: tx.flows.errors(),
    "flows.version_source": lambda tx: tx.flows.version_source("etl".ljust(64, "0")),
    "schedules.all": lambda tx: tx.schedules.all(),
    "schedules.coming": lambda tx: tx.schedules.coming(NOW, limit=3),
    "schedules.of_flows": lambda tx: tx.schedules.of_flows(first=2),
    "schedules.running": lambda tx: tx.schedules.running("etl"),
    "schedules.titles": lambda tx: tx.schedules.titles(),
    "schedules.get": lambda tx: tx.schedules.get("etl-morning"),
    "schedules.due": lambda tx: tx.schedules.due(NOW),
    "schedules.next_due": lambda tx: tx.schedules.next_due(),
    "schedules.not_booted": lambda tx: tx.schedules.not_booted(BOOT),
    "schedules.caused_by": lambda tx: tx.schedules.caused_by("after"),
    "causes.ended": lambda tx: tx.causes.ended(limit=5),
    "causes.known": lambda tx: tx.causes.known(tx.schedules.get("etl-morning").key, ["a"]),
    "schedules.ahead_of": lambda tx: tx.schedules.ahead_of(NOW),
    "runs.get": lambda tx: tx.runs.get(tx.runs.by_key(RunKey(1)).id),
    "runs.by_key": lambda tx: tx.runs.by_key(RunKey(1)),
    "runs.present": lambda tx: tx.runs.present([a_run_id()]),
    "runs.by_idempotency_key": lambda tx: tx.runs.by_idempotency_key("known"),
    "runs.by_number": lambda tx: tx.runs.by_number("etl", 1),
    "runs.of_ids": lambda tx: tx.runs.of_ids([a_run_id()]),
    "runs.numbered": lambda tx: tx.runs.numbered(1, limit=3),
    "runs.by_slot": lambda tx: tx.runs.by_slot(tx.schedules.get("etl-morning").key, "06:00"),
    "runs.find": lambda tx: tx.runs.find("01"),
    "runs.last": lambda tx: tx.runs.last("etl"),
    "runs.list": lambda tx: tx.runs.list(RunFilter()),
    "runs.live": lambda tx: tx.runs.live(AGENT),
    "waiting.told": lambda tx: tx.waiting.told(tx.runs.list(RunFilter()), now=NOW + A_SECOND),
    "runs.moves": lambda tx: tx.runs.moves(RunKey(1)),
    "runs.cancel_wishes": lambda tx: tx.runs.cancel_wishes(),
    "results.of_tasks": lambda tx: tx.results.of_tasks(RunKey(1)),
    "results.of_call": lambda tx: tx.results.of_call(RunKey(1), "extract 1"),
    "results.of_flow": lambda tx: tx.results.of_flow(RunKey(1)),
    "runs.end_matters": lambda tx: tx.runs.end_matters(),
    "runs.some_wait": lambda tx: tx.runs.some_wait(),
    "runs.next_retry": lambda tx: tx.runs.next_retry(NOW),
    "child_runs.of": lambda tx: tx.child_runs.of(tx.runs.by_key(RunKey(1))),
    "child_runs.numbered": lambda tx: tx.child_runs.numbered(tx.runs.by_key(RunKey(1)), 1),
    "child_runs.find": lambda tx: tx.child_runs.find("01"),
    "child_runs.newest": lambda tx: tx.child_runs.newest(RunFilter()),
    "child_runs.count": lambda tx: tx.child_runs.count(RunKey(1)),
    "runs.to_prepare": lambda tx: tx.runs.to_prepare(RunKey(1)),
    "runs.asked_for_by": lambda tx: tx.runs.asked_for_by(RunKey(1)),
    "tasks.tasks": lambda tx: tx.tasks.tasks(RunKey(1)),
    "tasks.sums": lambda tx: tx.tasks.sums([RunKey(1)]),
    "logs.lines": lambda tx: tx.logs.lines(RunKey(1), limit=1),
    "log_search.lines": lambda tx: tx.log_search.lines(OF_FIRST, after=0, limit=1, tail=True),
    "log_search.matches": lambda tx: tx.log_search.matches(OF_FIRST, limit=1),
    "log_search.next_match": lambda tx: tx.log_search.next_match(OF_FIRST, line=1, backward=True),
    "log_search.levels": lambda tx: tx.log_search.levels(OF_FIRST),
    "logs.count": lambda tx: tx.logs.count(RunKey(1)),
    "runs.late": lambda tx: tx.runs.late(NOW),
    "runs.took_each": lambda tx: tx.runs.took_each([tx.flows.get("etl").key]),
    "runs.took": lambda tx: tx.runs.took(tx.flows.get("etl").key),
    "notices.waiting": lambda tx: tx.notices.waiting("ops"),
    "notices.first": lambda tx: tx.notices.first("ops", 10),
    "pings.waiting": lambda tx: tx.pings.waiting(10),
    "messages.unsent": lambda tx: tx.messages.unsent(10),
    "messages.made": lambda tx: tx.messages.made("ops", since=NOW),
    "messages.lately": lambda tx: tx.messages.lately(10),
    "agents.all": lambda tx: tx.agents.all(),
    "agents.get": lambda tx: tx.agents.get(AGENT),
    "agents.drain_of": lambda tx: tx.agents.drain_of(AGENT),
    "agents.marks": lambda tx: tx.agents.marks(now=NOW),
    "questions.all": lambda tx: tx.questions.all(),
    "questions.of_run": lambda tx: tx.questions.of_run(RunKey(1)),
    "secrets.all": lambda tx: tx.secrets.all(),
    "secrets.get": lambda tx: tx.secrets.get("key"),
    "secrets.uses": lambda tx: tx.secrets.uses(),
    "told.artifacts": lambda tx: tx.told.artifacts(RunKey(1)),
    "told.events": lambda tx: tx.told.events(EventFilter(name="a*", since=NOW)),
    "named_limits.all": lambda tx: tx.named_limits.all(),
    "named_limits.find": lambda tx: tx.named_limits.find("db"),
    "named_limits.get": lambda tx: tx.named_limits.get("db"),
    "named_limits.taken": lambda tx: tx.named_limits.taken("db"),
    "approvals.find": lambda tx: tx.approvals.find(RunKey(1), "1"),
    "users.all": lambda tx: tx.users.all(),
    "users.find": lambda tx: tx.users.find("kim"),
    "users.get": lambda tx: tx.users.get("kim"),
    "users.password_hash": lambda tx: tx.users.password_hash("kim"),
    "users.can_sign_in": lambda tx: tx.users.can_sign_in(),
    "users.admins": lambda tx: tx.users.admins(),
    "sessions.find": lambda tx: tx.sessions.find(b"s" * 32),
    "sessions.by_keys": lambda tx: tx.sessions.by_keys([1]),
    "api_tokens.by_ids": lambda tx: tx.api_tokens.by_ids(["0123456789ab"]),
    "sessions.all": lambda tx: tx.sessions.all("kim"),
    "api_tokens.all": lambda tx: tx.api_tokens.all("kim"),
    "api_tokens.find": lambda tx: tx.api_tokens.find("0123456789ab"),
    "api_tokens.get": lambda tx: tx.api_tokens.get("0123456789ab"),
    "audit.list": lambda tx: tx.audit.list(AuditFilter()),
    "variables.all": lambda tx: tx.variables.all(),
    "variables.get": lambda tx: tx.variables.get("bucket"),
    "facts.get": lambda tx: tx.facts.get("tzdata"),
    "hooks.are_due": lambda tx: tx.hooks.are_due(RunKey(1)),
    "hooks.due": lambda tx: tx.hooks.due(AGENT, limit=10),
    "tallies.of_flows": lambda tx: tx.tallies.of_flows([ALL_FLOWS], since=NOW, until=NOW),
    "size.in_bytes": lambda tx: tx.size.in_bytes(),
    "tallies.ended": lambda tx: tx.tallies.ended(),
    "tallies.of_hours": lambda tx: tx.tallies.of_hours(ALL_FLOWS, since=NOW, until=NOW),
    "history.strips": lambda tx: tx.history.strips([tx.flows.get("etl").key], count=3),
    "flows.keys": lambda tx: tx.flows.keys(["etl"]),
    "history.page": lambda tx: tx.history.page(RunQuery(), now=NOW, limit=10),
    "history.count": lambda tx: tx.history.count(RunQuery(), now=NOW),
    "history.counts": lambda tx: tx.history.counts(RunQuery(), now=NOW),
}
BEAT: Final = AgentBeat(
    name=AGENT, host="host", pid=1, version="1", boot_id=BOOT, started_at=NOW, beat_at=NOW
)
A_MESSAGE: Final = NewMessage(rule="ops", target="t", shown="json://…", made_at=NOW, title="a", body="b")
A_KNOWN_MESSAGE: Final = Message(
    key=MessageKey(1),
    rule="ops",
    target="t",
    shown="json://…",
    made_at=NOW,
    title="a",
    body="b",
    state=MessageState.SENT,
    tries=1,
    next_at=None,
    done_at=NOW,
    answer="",
)
A_SESSION: Final = Session(
    key=1,
    who="kim",
    role=Role.OPERATOR,
    user="kim",
    created_at=NOW,
    seen_at=NOW,
    agent="Firefox",
    address="192.0.2.1",
)
A_PING: Final = Ping(
    key=PingKey(1),
    schedule_key=ScheduleKey(1),
    schedule="etl-morning",
    run="etl#1",
    beat=Beat.SUCCESS,
    at=NOW,
    url=None,
    tries=1,
    next_at=NOW,
    answer="no",
)
WRITES: dict[str, Work] = {
    "flows.put_file": lambda tx: tx.flows.put_file(a_file(), now=NOW),
    "flows.put_command": lambda tx: tx.flows.put_command(a_command(), now=NOW),
    "flows.put_commands": lambda tx: tx.flows.put_commands(
        [a_command(name, command=name) for name in ("dump", "load")], now=NOW
    ),
    "flows.remove_commands": lambda tx: tx.flows.remove_commands(["dump", "etl"], now=NOW),
    "flows.set_file_error": lambda tx: tx.flows.set_file_error(
        "a.py", Failure(type="E", message="m"), now=NOW
    ),
    "flows.remove_file": lambda tx: tx.flows.remove_file("flows/etl.py", now=NOW),
    "flows.remove_command": lambda tx: tx.flows.remove_command("dump", now=NOW),
    "schedules.put": lambda tx: tx.schedules.put(
        a_schedule(), flow=tx.flows.get("etl").key, watermark=NOW, next_due=None, now=NOW
    ),
    "schedules.put_all": lambda tx: tx.schedules.put_all(
        [
            Forward(definition=a_schedule(name), flow=tx.flows.get("etl").key, watermark=NOW, next_due=None)
            for name in ("etl-morning", "etl-evening")
        ],
        now=NOW,
    ),
    "schedules.touched": lambda tx: tx.schedules.touched(tx.schedules.get("etl-morning").key, last_due=NOW),
    "causes.followed": lambda tx: tx.causes.followed([RunKey(1)]),
    "causes.all_followed": lambda tx: tx.causes.all_followed(),
    "causes.forget": lambda tx: tx.causes.forget(NOW),
    "causes.decided": lambda tx: tx.causes.decided(
        tx.schedules.get("etl-morning").key,
        [Cause(mark="m", subject="s", trigger=Trigger.FILE, parameters={})],
        at=NOW,
    ),
    "schedules.remove": lambda tx: tx.schedules.remove("etl-morning", now=NOW),
    "schedules.reopen": lambda tx: tx.schedules.reopen(
        tx.schedules.get("etl-morning").key, watermark=NOW, next_due=None, first_seen=NOW
    ),
    "schedules.advance": lambda tx: tx.schedules.advance(
        tx.schedules.get("etl-morning").key, watermark=NOW, next_due=None, last_due=None
    ),
    "schedules.advance_all": lambda tx: tx.schedules.advance_all(
        [Advance(key=tx.schedules.get("etl-morning").key, watermark=NOW, next_due=None, last_due=None)]
    ),
    "schedules.pause": lambda tx: tx.schedules.pause("etl-morning", at=NOW, by="kim", reason=""),
    "schedules.resume": lambda tx: tx.schedules.resume(
        tx.schedules.get("etl-morning").key, paused_at=NOW, watermark=NOW, next_due=None, last_due=None
    ),
    "schedules.set_boot": lambda tx: tx.schedules.set_boot(
        tx.schedules.get("etl-morning").key, BOOT, last_due=NOW
    ),
    "schedules.set_next_due": lambda tx: tx.schedules.set_next_due(
        {tx.schedules.get("etl-morning").key: NOW}
    ),
    "runs.add": lambda tx: tx.runs.add([a_new_run(tx.flows.get("etl").key, id=a_run_id())]),
    "runs.claim": claim,
    "runs.move": lambda tx: tx.runs.move(RunKey(1), RunState.CANCELLED, at=NOW, actor="test"),
    "results.forget": lambda tx: tx.results.forget(RunKey(1)),
    "runs.try_again": lambda tx: tx.runs.try_again(RunKey(1), at=NOW, actor="kim", message=""),
    "runs.ask_cancel": lambda tx: tx.runs.ask_cancel(RunKey(1), at=NOW, actor="kim", reason=""),
    "runs.ask_kill": lambda tx: tx.runs.ask_kill(RunKey(1), at=NOW, actor="kim", reason=""),
    "runs.forget_wish": lambda tx: tx.runs.forget_wish(WishKey(1)),
    "intake.take": lambda tx: tx.intake.take([an_intake(RunKey(1))]),
    "agents.beat": lambda tx: tx.agents.beat(BEAT),
    "agents.drain": lambda tx: tx.agents.drain(AGENT, at=NOW, by="kim", reason="why"),
    "agents.remove": lambda tx: tx.agents.remove(AGENT),
    "agents.resume": lambda tx: tx.agents.resume(AGENT),
    "pruning.kinds": lambda tx: tx.pruning.kinds(),
    "pruning.page": lambda tx: tx.pruning.page(Retention(), now=NOW),
    "questions.answer": lambda tx: tx.questions.answer(an_open_question(), {"value": 1}),
    "questions.forget": lambda tx: tx.questions.forget([an_open_question()]),
    "secrets.set": lambda tx: tx.secrets.set("key", b"x", at=NOW),
    "secrets.remove": lambda tx: tx.secrets.remove("key"),
    "secrets.note_use": lambda tx: tx.secrets.note_use(
        SecretUse(run=RunKey(1), attempt=1, name="key", sealed=b"x")
    ),
    "facts.unset": lambda tx: tx.facts.unset("tzdata"),
    "named_limits.put": lambda tx: tx.named_limits.put(NamedLimit(name="db", slots=1)),
    "named_limits.remove": lambda tx: tx.named_limits.remove("db"),
    "named_limits.hold": lambda tx: tx.named_limits.hold(an_open_question(), ["db"], 1),
    "approvals.put": lambda tx: tx.approvals.put(RunKey(1), "1", {"approved": True}, at=NOW),
    "users.remove": lambda tx: tx.users.remove("kim"),
    "users.add": lambda tx: tx.users.add("lee", Role.VIEWER, HASH, at=NOW),
    "users.set_role": lambda tx: tx.users.set_role("kim", Role.ADMIN),
    "users.set_password": lambda tx: tx.users.set_password("kim", HASH),
    "users.set_disabled": lambda tx: tx.users.set_disabled("kim", NOW),
    "sessions.open": lambda tx: tx.sessions.open(
        b"o" * 32, who="root", user=None, role=Role.ADMIN, at=NOW, agent="", address=""
    ),
    "sessions.seen": lambda tx: tx.sessions.seen(A_SESSION, at=NOW + A_SECOND),
    "sessions.close": lambda tx: tx.sessions.close(1),
    "sessions.close_all": lambda tx: tx.sessions.close_all("kim"),
    "sessions.add_code": lambda tx: tx.sessions.add_code(
        b"d" * 32, SignInCode(who="root", role=Role.ADMIN, made_at=NOW)
    ),
    "sessions.use_code": lambda tx: tx.sessions.use_code(b"c" * 32, at=NOW),
    "sessions.forget": lambda tx: tx.sessions.forget(NOW),
    "api_tokens.add": lambda tx: tx.api_tokens.add(a_token("ba9876543210"), b"u" * 32),
    "api_tokens.used": lambda tx: tx.api_tokens.used("0123456789ab", at=NOW),
    "api_tokens.remove": lambda tx: tx.api_tokens.remove("0123456789ab"),
    "api_tokens.forget": lambda tx: tx.api_tokens.forget(NOW),
    "audit.add": lambda tx: tx.audit.add(
        Change(what="users.add"), at=NOW, who="root", means=Means.ACCOUNT, address=""
    ),
    "audit.forget": lambda tx: tx.audit.forget(NOW),
    "variables.set": lambda tx: tx.variables.set("bucket", "b", at=NOW),
    "variables.remove": lambda tx: tx.variables.remove("bucket"),
    "notices.tell": lambda tx: tx.notices.tell(
        [Happening(kind=NoticeKind.TROUBLE, at=NOW, subject="disk", mark="a")]
    ),
    "pings.tell": lambda tx: tx.pings.tell([(RunKey(1), RunState.COMPLETED, NOW)]),
    "pings.note": lambda tx: tx.pings.note(A_PING),
    "pings.done": lambda tx: tx.pings.done([PingKey(1)]),
    "notices.told": lambda tx: tx.notices.told("ops", 1, now=NOW),
    "notices.forget": lambda tx: tx.notices.forget(NOW),
    "messages.add": lambda tx: tx.messages.add([A_MESSAGE]),
    "messages.note": lambda tx: tx.messages.note(A_KNOWN_MESSAGE),
    "messages.forget": lambda tx: tx.messages.forget(NOW),
    "facts.set": lambda tx: tx.facts.set("tzdata", "2026f"),
    "replies.begin": lambda tx: tx.replies.begin("key", "print", at=NOW),
    "replies.finish": lambda tx: tx.replies.finish("key", Reply(status=200, body="{}")),
    "replies.drop": lambda tx: tx.replies.drop("key"),
    "replies.forget": lambda tx: tx.replies.forget(NOW),
    "tallies.forget": lambda tx: tx.tallies.forget(NOW),
    "hooks.take": lambda tx: tx.hooks.take([a_due_hook()], boot_id=BOOT),
    "hooks.done": lambda tx: tx.hooks.done(a_due_hook()),
}


def an_open_question() -> AskedQuestion:
    """A question of the first run."""
    return AskedQuestion(run=RunKey(1), attempt=1, question=Question(id="1.1", kind="x", asked_at=NOW))


def test_the_two_tables_above_name_every_method(sqlite_database: Database) -> None:
    with sqlite_database.read() as tx:
        members = {name: getattr(tx, name) for name in dir(tx) if not name.startswith("_")}
    nouns = {name: value for name, value in members.items() if not callable(value)}
    methods = {
        f"{noun}.{name}" for noun, value in nouns.items() for name in dir(value) if not name.startswith("_")
    }

    assert methods == READS.keys() | WRITES.keys()


def test_each_method_is_understood_by_the_database(database: Database) -> None:
    with database.write() as tx:
        add(tx, a_scene(tx).flow)
    misunderstood: dict[str, StoreUnavailable] = {}

    for name, work in {**READS, **WRITES}.items():
        try:
            with database.write() as tx:
                work(tx)
                raise NotFound("what this wrote", name)
        except StoreUnavailable as error:
            misunderstood[name] = error
        except (SchedulerdError, NoResultFound):
            pass  # there is nothing of that name, or it was not kept

    assert misunderstood == {}


@contextmanager
def locked(url: str, *, against_readers: bool) -> Iterator[None]:
    """Somebody else holds the database, and does not let go."""
    if url.startswith("sqlite"):
        other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        if against_readers:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.close()
        return
    engine = create_engine(url)
    with engine.connect() as connection, connection.begin():
        connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"))
        if against_readers:
            for table in metadata.tables:
                connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield
    engine.dispose()


@pytest.fixture
def impatient(database: Database, database_url: str) -> Iterator[Database]:
    """A database with a run in it, whose every wait is short."""
    with database.write() as tx:
        add(tx, a_scene(tx).flow)
    database.close()
    opened = Database(database_url, timeout=SOON, rules=[NoticeRule(name="ops")])
    yield opened
    opened.close()


def _is_refused(begin: Callable[[], AbstractContextManager[Transaction]], work: Work) -> bool:
    """Is a transaction that does this work given up, and said to be?"""
    try:
        with begin() as tx:
            work(tx)
    except StoreUnavailable:
        return True
    return False


def test_no_write_waits_long_for_another_writer(impatient: Database, database_url: str) -> None:
    before = everything(database_url)

    with locked(database_url, against_readers=False):
        done = [name for name, work in WRITES.items() if not _is_refused(impatient.write, work)]

    assert done == []
    assert everything(database_url) == before
    # one that has so little patience may be given up by the server on a busy machine, at any statement
    eventually(lambda: _moves(impatient))


def _moves(database: Database) -> bool:
    """Can a run be moved by this database, now?"""
    try:
        with database.write() as tx:
            return move(tx, tx.runs.list(RunFilter())[0].key, RunState.PENDING)
    except StoreUnavailable:
        return False


def test_no_read_waits_long_for_a_lock_on_all(impatient: Database, database_url: str) -> None:
    # PostgreSQL knows its size without a look at any table.
    of_tables = {name: work for name, work in READS.items() if name != "size.in_bytes"}

    with locked(database_url, against_readers=True):
        done = [name for name, work in of_tables.items() if not _is_refused(impatient.read, work)]

    assert done == []


def test_readers_go_on_beside_a_writer_and_see_what_was_committed(
    database: Database, open_database: Callable[..., Database]
) -> None:
    reader = open_database()
    with database.write() as tx:
        add(tx, a_scene(tx).flow)

    with database.write() as tx, reader.read() as snapshot:
        add(tx, tx.flows.get("etl").key)
        seen_during = len(snapshot.runs.list(RunFilter()))

    with reader.read() as later:
        assert seen_during == 1
        assert len(later.runs.list(RunFilter())) == 2


def test_a_read_is_one_snapshot(database: Database, open_database: Callable[..., Database]) -> None:
    reader = open_database()
    with reader.read() as snapshot:
        before = snapshot.flows.names()
        with database.write() as tx:
            a_scene(tx)

        assert snapshot.flows.names() == before == []


def test_a_read_cannot_write(database: Database) -> None:
    if database.url.startswith("sqlite"):
        pytest.skip("SQLite lets a snapshot become a writer; nothing in the store does so")

    with pytest.raises(StoreUnavailable, match="read-only"), database.read() as tx:
        tx.agents.beat(BEAT)


def test_after_the_server_was_away_the_next_transaction_works(
    database: Database, database_kind: str, postgres_servers: Servers
) -> None:
    if database_kind == "sqlite":
        pytest.skip("there is no server to go away")
    with database.write() as tx:
        a_scene(tx)

    postgres_servers.get(database_kind).execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'schedulerd'"
    )

    with database.read() as tx:
        assert tx.flows.names() == ["etl"]


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"postgresql+psycopg://postgres@/app?host={tmp_path}")

    with pytest.raises(StoreUnavailable), database.read():
        pass


# All is imported before it becomes somebody else, who may not be able to enter the interpreter's folder.
_READ_AS_A_STRANGER: Final = """
import os, sys
from sqlalchemy import create_engine, text
from schedulerd.errors import StoreUnavailable
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
Transaction.load()
create_engine("sqlite://").connect().execute(text("SELECT 1"))
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    with Database(sys.argv[1]).read() as tx:
        print("read", tx.flows.names())
except StoreUnavailable as error:
    print("refused", error.mend)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(
    ("folder_mode", "answer"),
    [(0o777, "read ['etl']"), (0o755, "refused SQLite needs write access to")],
    ids=["a folder that it may write", "a folder that it may only read"],
)
def test_another_user_reads_history_or_is_told_what_it_needs(
    migrated_sqlite: Path, folder_mode: int, answer: str
) -> None:
    with TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder, "schedulerd.db")
        path.write_bytes(migrated_sqlite.read_bytes())
        database = Database(f"sqlite:///{path}")
        with database.write() as tx:
            a_scene(tx)
        database.close()
        path.chmod(0o644)
        Path(folder).chmod(folder_mode)

        done = subprocess.run(
            [sys.executable, "-c", _READ_AS_A_STRANGER, f"sqlite:///{path}"],
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    assert done.stdout.startswith(answer), done.stderr
