"""Races: many at once, in threads and in processes, and each thing happens once."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.limits import Limits
from schedulerd.domain.runs import RunFilter
from schedulerd.domain.states import RunState
from schedulerd.store.database import Database
from tests.builders import A_SECOND, BOOT, NOW, a_new_run
from tests.store.scenes import a_scene, add, an_intake, move

pytestmark = pytest.mark.each_postgres

PATIENT = timedelta(seconds=20)


def claim_until_none_is_left(url: str, agent: str) -> list[RunKey]:
    """What this agent could take, a few at a time."""
    database = Database(url, timeout=PATIENT)
    taken: list[RunKey] = []
    while True:
        with database.write() as tx:
            runs = tx.runs.claim(7, now=NOW, agent=agent, boot_id=BOOT, limits=Limits(max_running=1_000))
        taken += [run.key for run in runs]
        if not runs:
            database.close()
            return taken


def record_seconds(url: str, start: int) -> int:
    """How many of a schedule's 60 seconds this process recorded, one transaction each."""
    database = Database(url, timeout=PATIENT)
    recorded = 0
    for second in range(60):
        at = NOW + ((start + second) % 60) * A_SECOND
        with database.write() as tx:
            schedule = tx.schedules.get("etl-morning")
            run = a_new_run(schedule.flow_key, schedule=schedule.key, slot=at.isoformat(), due_at=at)
            recorded += tx.runs.add([run]) != [None]
    database.close()
    return recorded


def test_processes_that_claim_at_once_take_each_run_once(database: Database, database_url: str) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        keys = tx.runs.add([a_new_run(scene.flow) for _ in range(100)])

    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        taken = list(pool.map(claim_until_none_is_left, [database_url] * 2, ["agent-1", "agent-2"]))

    assert sorted(taken[0] + taken[1]) == sorted(key for key in keys if key is not None)


def test_threads_that_claim_at_once_take_each_run_once(database: Database, database_url: str) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        keys = tx.runs.add([a_new_run(scene.flow) for _ in range(100)])

    with ThreadPoolExecutor(4) as pool:
        taken = list(
            pool.map(
                claim_until_none_is_left, [database_url] * 4, ["agent-1", "agent-1", "agent-2", "agent-3"]
            )
        )

    assert sorted(key for part in taken for key in part) == sorted(key for key in keys if key is not None)


def test_two_daemons_that_tick_at_once_record_each_slot_once(database: Database, database_url: str) -> None:
    with database.write() as tx:
        a_scene(tx)

    with ThreadPoolExecutor(3) as pool:
        recorded = list(pool.map(record_seconds, [database_url] * 3, [0, 20, 40]))

    with database.read() as tx:
        runs = tx.runs.list(RunFilter(limit=1_000))
    assert sum(recorded) == len(runs) == len({run.slot for run in runs}) == 60
    assert sorted(run.number for run in runs) == list(range(1, 61))


def test_of_many_movers_exactly_one_wins(database: Database, open_database: Callable[..., Database]) -> None:
    with database.write() as tx:
        key = add(tx, a_scene(tx).flow)
    together = Barrier(4)

    def move(to: RunState) -> bool:
        mine = open_database(timeout=PATIENT)
        together.wait()
        with mine.write() as tx:
            return tx.runs.move(key, to, at=NOW, actor=to.value, reason="overlap")

    with ThreadPoolExecutor(4) as pool:
        moved = list(pool.map(move, [RunState.CANCELLED, RunState.SKIPPED] * 2))

    assert moved.count(True) == 1


def test_of_many_takers_exactly_one_takes_a_batch(
    database: Database, open_database: Callable[..., Database]
) -> None:
    with database.write() as tx:
        key = add(tx, a_scene(tx).flow)
        move(tx, key, RunState.PENDING)
    together = Barrier(4)

    def take(_: int) -> set[RunKey]:
        mine = open_database(timeout=PATIENT)
        together.wait()
        with mine.write() as tx:
            return tx.intake.take([an_intake(key)])

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(take, range(4)))

    assert sorted(taken, key=len) == [set(), set(), set(), {key}]
