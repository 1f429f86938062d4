"""The housekeeper: a page a second while there is something to look at, then rest."""

from datetime import timedelta
from typing import Final

from schedulerd.domain.retention import Retention
from schedulerd.domain.runs import RunFilter
from schedulerd.scheduler.housekeeping import SWEEP_SECONDS, Housekeeper
from schedulerd.store.database import Database
from schedulerd.store.pruning import PAGE
from tests.builders import NOW
from tests.fakes import FakeClock
from tests.store.scenes import a_scene
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
