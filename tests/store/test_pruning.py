"""Old history is removed, page by page, and never what is young, live, or among the newest of its flow."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import select

from schedulerd.domain.error_kinds import ErrorKind
from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import RunKey
from schedulerd.domain.intakes import Intake
from schedulerd.domain.limits import Limits
from schedulerd.domain.logs import LogLine, Stream
from schedulerd.domain.retention import Retention
from schedulerd.domain.runs import Position, RunFilter
from schedulerd.domain.states import FINAL, RunState
from schedulerd.operations.pruning import prune
from schedulerd.store.database import Database
from schedulerd.store.error_kinds import put_kinds
from schedulerd.store.error_table import error_kinds
from schedulerd.store.transaction import Transaction
from tests.builders import BOOT, NOW, a_run_id
from tests.store.scenes import PATHS, a_scene, add, move

A_DAY = timedelta(days=1)
NONE_KEPT = Retention(keep_per_flow=0)


def add_old(tx: Transaction, flow: int, *, age: timedelta, state: RunState = RunState.COMPLETED) -> RunKey:
    """A run that was recorded and ended so long ago, with a line in its log."""
    at = NOW - age
    key = add(tx, flow, id=a_run_id(at), created_at=at, due_at=at)  # type: ignore[arg-type]
    line = LogLine(at=at, level=20, message="hello", stream=Stream.LOGGING)
    tx.intake.take([Intake(run=key, was=Position(), now=Position(journal=9), lines=(line,))])
    move_at(tx, key, state, at)
    return key


def move_at(tx: Transaction, key: RunKey, state: RunState, at: datetime) -> None:
    for to in PATHS[state]:
        move(tx, key, to, at=at, reason="overlap" if to is RunState.SKIPPED else "")


def numbers(tx: Transaction) -> list[int]:
    return sorted(run.number for run in tx.runs.list(RunFilter(limit=1_000)))


def test_runs_go_after_their_time_and_logs_before_them(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        old, middle, young = (add_old(tx, flow, age=age * A_DAY) for age in (91, 31, 29))

        pruned = tx.pruning.page(NONE_KEPT, now=NOW)

        assert (pruned.runs, pruned.logs, pruned.after) == (1, 1, None)
        assert numbers(tx) == [2, 3]
        assert [tx.logs.lines(key, limit=9) != [] for key in (old, middle, young)] == [False, False, True]
        assert [tx.runs.by_key(key).log_removed for key in (middle, young)] == [True, False]


def test_a_second_time_there_is_nothing_to_do(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        add_old(tx, flow, age=31 * A_DAY)
        tx.pruning.page(NONE_KEPT, now=NOW)

        again = tx.pruning.page(NONE_KEPT, now=NOW)

    assert (again.runs, again.logs) == (0, 0)


def test_the_newest_runs_of_a_flow_stay_with_their_logs_however_old(database: Database) -> None:
    with database.write() as tx:
        busy, rare = (a_scene(tx, name=name).flow for name in ("busy", "rare"))
        for age in range(400, 394, -1):
            add_old(tx, busy, age=age * A_DAY)
        kept = add_old(tx, rare, age=900 * A_DAY)

        pruned = tx.pruning.page(Retention(keep_per_flow=2), now=NOW)

        assert (pruned.runs, pruned.logs) == (4, 0)
        assert len(tx.logs.lines(kept, limit=9)) == 1
        left = [(run.flow, run.number) for run in tx.runs.list(RunFilter(limit=99))]
        assert sorted(left) == [("busy", 5), ("busy", 6), ("rare", 1)]


@pytest.mark.parametrize("state", [state for state in RunState if state not in FINAL])
def test_a_run_that_has_not_ended_is_never_too_old(database: Database, state: RunState) -> None:
    with database.write() as tx:
        add_old(tx, a_scene(tx).flow, age=900 * A_DAY, state=state)

        pruned = tx.pruning.page(NONE_KEPT, now=NOW)

        assert (pruned.runs, pruned.logs) == (0, 0)


def test_a_run_that_ended_lately_is_young_whenever_it_began(database: Database) -> None:
    with database.write() as tx:
        key = add_old(tx, a_scene(tx).flow, age=200 * A_DAY, state=RunState.RUNNING)
        tx.runs.move(key, RunState.COMPLETED, at=NOW - A_DAY, actor="test")

        pruned = tx.pruning.page(NONE_KEPT, now=NOW)

    assert (pruned.runs, pruned.logs) == (0, 0)


def test_pages_go_through_all_of_it_and_count_the_same_without_removing(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        for age in range(110, 85, -1):
            add_old(tx, flow, age=age * A_DAY)

    counts = []
    for dry_run in (True, False):
        total, after = 0, None
        while True:
            with database.write() as tx:
                pruned = tx.pruning.page(NONE_KEPT, now=NOW, after=after, limit=4, dry_run=dry_run)
            total, after = total + pruned.runs, pruned.after
            if after is None:
                break
        counts.append(total)

    assert counts == [20, 20]
    with database.read() as tx:
        assert numbers(tx) == [21, 22, 23, 24, 25]


def fail(tx: Transaction, key: RunKey, kind: str, *, at: datetime = NOW) -> None:
    failure = Failure(type=kind, message="no")
    assert tx.runs.move(key, RunState.FAILED, at=at, actor="test", failure=failure)


def start_again(tx: Transaction, key: RunKey) -> None:
    assert move(tx, key, RunState.RETRYING)
    (run,) = tx.runs.claim(1, now=NOW, agent="seoul-1", boot_id=BOOT, limits=Limits(max_running=9))
    assert run.key == key
    assert move(tx, key, RunState.RUNNING)


def test_a_kind_of_error_goes_when_no_run_has_it_be_they_gone_or_tried_again(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        for age, kind in ((110, "KeyError"), (109, "KeyError"), (108, "ValueError"), (1, "ValueError")):
            key = add_old(tx, flow, age=age * A_DAY, state=RunState.RUNNING)
            fail(tx, key, kind, at=NOW - age * A_DAY)
        again = add_old(tx, flow, age=A_DAY, state=RunState.RUNNING)
        fail(tx, again, "OSError")
        start_again(tx, again)
        fail(tx, again, "IndexError")
        assert kinds(tx) == {"KeyError: no", "OSError: no", "IndexError: no", "ValueError: no"}

    pruned = list(prune(database, NONE_KEPT, now=NOW))

    with database.read() as tx:
        assert sum(page.runs for page in pruned) == 3
        assert kinds(tx) == {"IndexError: no", "ValueError: no"}
        assert tx.broken_invariants() == []


def test_kinds_are_looked_through_a_page_at_a_time(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        kept = add_old(tx, flow, age=A_DAY, state=RunState.RUNNING)
        fail(tx, kept, "KeyError")
        put_kinds(tx._connection, [ErrorKind(text=f"Old{number}: no") for number in range(8)])

    left, after = [], None
    while True:
        with database.write() as tx:
            after = tx.pruning.kinds(after=after, limit=3)
            left.append(len(kinds(tx)))
        if after is None:
            break

    assert len(left) == 4
    assert left == sorted(left, reverse=True)
    assert left[0] >= 6
    with database.read() as tx:
        assert kinds(tx) == {"KeyError: no"}


def test_a_run_that_fails_meanwhile_keeps_its_kind(
    database: Database, open_database: Callable[..., Database]
) -> None:
    other = open_database(timeout=timedelta(seconds=20))
    with database.write() as tx:
        key = add_old(tx, a_scene(tx).flow, age=A_DAY, state=RunState.RUNNING)
        put_kinds(tx._connection, [ErrorKind(text="KeyError: no")])  # as an attempt before left it

    has_begun = Event()

    def forget() -> None:
        has_begun.set()
        with other.write() as tx:
            tx.pruning.kinds()

    with ThreadPoolExecutor(1) as pool:
        with database.write() as tx:
            fail(tx, key, "KeyError")
            forgotten = pool.submit(forget)
            assert has_begun.wait(20)
        forgotten.result(timeout=20)

    with database.read() as tx:
        assert kinds(tx) == {"KeyError: no"}
        assert tx.broken_invariants() == []


def kinds(tx: Transaction) -> set[str]:
    return set(tx._connection.scalars(select(error_kinds.c.text)))
