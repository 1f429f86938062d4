"""The housekeeper: a page a second while there is something to look at, then rest."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from schedulerd.domain.audit import AuditFilter
from schedulerd.domain.causes import Cause
from schedulerd.domain.error_kinds import ErrorKind
from schedulerd.domain.retention import Retention
from schedulerd.domain.runs import RunFilter, Trigger
from schedulerd.scheduler.housekeeping import SWEEP_SECONDS, Housekeeper
from schedulerd.store.database import Database
from schedulerd.store.error_kinds import put_kinds
from schedulerd.store.error_table import error_kinds
from schedulerd.store.pruning import PAGE, PAGE_OF_KINDS
from tests.builders import NOW, a_run_id
from tests.fakes import FakeClock
from tests.store.scenes import a_scene, let_in
from tests.store.test_pruning import add_old

OLD: Final = timedelta(days=100)


def count(database: Database) -> int:
    with database.read() as tx:
        return len(tx.runs.list(RunFilter(limit=10_000)))


def test_old_runs_go_page_by_page_and_then_it_rests(sqlite_database: Database) -> None:
    clock = FakeClock(NOW)
    with sqlite_database.write() as tx:
        flow = a_scene(tx).flow
        for number in range(PAGE + 10):
            add_old(tx, flow, age=OLD - timedelta(minutes=number))
    keeper = Housekeeper(sqlite_database, clock, Retention(keep_per_flow=0))

    left = []
    for _ in range(4):
        keeper.look()
        left.append(count(sqlite_database))
        clock.advance(seconds=1)

    assert left == [PAGE + 10, 10, 0, 0]


def test_what_lets_nobody_in_any_more_and_the_old_audit_go_with_the_last_page(
    sqlite_database: Database,
) -> None:
    clock = FakeClock(NOW)
    with sqlite_database.write() as tx:
        let_in(tx)
    keeper = Housekeeper(sqlite_database, clock, Retention(audit=timedelta(days=20)))

    left = []
    for days in (0, 15, 5):
        clock.advance(seconds=SWEEP_SECONDS, days=days)
        keeper.look()
        with sqlite_database.read() as tx:
            counts = (len(tx.sessions.all()), len(tx.api_tokens.all()), len(tx.audit.list(AuditFilter())))
        left.append(counts)

    assert left == [(1, 1, 1), (0, 0, 1), (0, 0, 0)]


def test_it_looks_again_after_its_rest(sqlite_database: Database) -> None:
    clock = FakeClock(NOW)
    keeper = Housekeeper(sqlite_database, clock, Retention(keep_per_flow=0))
    clock.advance(seconds=1)
    keeper.look()
    with sqlite_database.write() as tx:
        add_old(tx, a_scene(tx).flow, age=OLD)

    clock.advance(seconds=SWEEP_SECONDS - 1)
    keeper.look()
    before = count(sqlite_database)
    clock.advance(seconds=1)
    keeper.look()

    assert (before, count(sqlite_database)) == (1, 0)


def test_large_values_of_runs_that_are_no_more_go_some_at_a_time(
    sqlite_database: Database, tmp_path: Path
) -> None:
    clock, results = FakeClock(NOW), tmp_path / "results"
    with sqlite_database.write() as tx:
        flow = a_scene(tx).flow
        add_old(tx, flow, age=timedelta(days=1))
    with sqlite_database.read() as tx:
        (kept,) = tx.runs.list(RunFilter())
    gone = [str(a_run_id()) for _ in range(150)]
    for name in (str(kept.id), "of-cached-tasks", *gone):
        (results / name).mkdir(parents=True)
    keeper = Housekeeper(sqlite_database, clock, Retention(keep_per_flow=0), results=results)

    left = []
    for _ in range(5):
        clock.advance(seconds=1)
        keeper.look()
        left.append(len(list(results.iterdir())))

    assert left[0] == 152  # the history first
    assert left[1] in (52, 53)  # one of the hundred may be that which is kept
    assert left[2:] == [2, 2, 2]
    assert {path.name for path in results.iterdir()} == {str(kept.id), "of-cached-tasks"}


def test_what_was_decided_of_causes_is_known_for_as_long_as_runs_are_kept_and_a_month(
    sqlite_database: Database,
) -> None:
    clock = FakeClock(NOW)
    with sqlite_database.write() as tx:
        key = a_scene(tx).schedule
        for days in (29, 31, 91):
            cause = Cause(mark=f"{days}", subject="", trigger=Trigger.WEBHOOK, parameters={})
            tx.causes.decided(key, [cause], at=NOW - timedelta(days=days))

    left = []
    for kept in (90, 1):
        clock.advance(seconds=SWEEP_SECONDS)
        keeper = Housekeeper(sqlite_database, clock, Retention(runs=timedelta(days=kept)))
        clock.advance(seconds=1)
        keeper.look()
        with sqlite_database.read() as tx:
            left.append(tx.causes.known(key, ["29", "31", "91"]))

    assert left == [{"29", "31"}, {"29"}]


def test_kinds_of_errors_that_no_run_has_go_after_the_history_page_by_page(sqlite_database: Database) -> None:
    clock = FakeClock(NOW)
    with sqlite_database.write() as tx:
        kinds = [ErrorKind(text=f"E: {'x' * number}") for number in range(PAGE_OF_KINDS + 10)]
        put_kinds(tx._connection, kinds)
    keeper = Housekeeper(sqlite_database, clock, Retention())

    left = []
    for _ in range(3):
        clock.advance(seconds=1)
        keeper.look()
        with sqlite_database.read() as tx:
            left.append(tx._connection.scalar(select(func.count()).select_from(error_kinds)))

    assert left == [10, 0, 0]
