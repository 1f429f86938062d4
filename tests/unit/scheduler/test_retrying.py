"""Runs that are tried again, under a whole core."""

from datetime import timedelta
from pathlib import Path

import pytest

from schedulerd.domain.retrying import RetryPolicy
from schedulerd.domain.states import RunState
from schedulerd.store.database import Database
from tests.unit.scheduler.scenes import World, a_command

TWICE = RetryPolicy(retries=1, delays=(timedelta(seconds=30),))


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    world = World(sqlite_database, tmp_path / "state")
    world.define(a_command(retrying=TWICE))
    return world


def test_a_run_that_failed_is_tried_again_in_a_folder_of_its_own(world: World) -> None:
    key = world.started()
    world.turn(world.spawner.end(world.run(key).folder, status=3))
    waiting = world.run(key)
    world.turn(seconds=29)
    assert world.run(key).state is RunState.RETRYING
    world.turn(seconds=2)
    again = world.run(key)
    world.turn(world.spawner.begin(again.folder))
    world.says(key, '{"k":"start","t":1795327260000000,"pid":4712}')
    world.turn(world.spawner.end(again.folder))
    world.turn()

    assert waiting.state is RunState.RETRYING
    assert waiting.reason == "retry 1 of 1 in 30s, since attempt 1 failed: exit status 3"
    assert (again.attempt, again.state, again.folder) == (2, RunState.PENDING, f"{again.id}.2")
    assert world.run(key).state is RunState.COMPLETED
    assert world.folder_names() == set()
    assert len(world.settled) == 1


def test_the_last_attempt_is_the_end(world: World) -> None:
    key = world.started()
    world.turn(world.spawner.end(world.run(key).folder, status=3))
    world.turn(seconds=31)
    world.turn(world.spawner.begin(world.run(key).folder))
    world.turn(world.spawner.end(world.run(key).folder, status=4))
    world.turn()

    run = world.run(key)
    assert (run.state, run.reason, run.attempt) == (RunState.FAILED, "exit status 4", 2)


def test_a_new_daemon_tries_again_at_the_time_that_was_set(world: World) -> None:
    key = world.started()
    world.turn(world.spawner.end(world.run(key).folder, status=3))

    world.start_again()
    world.define(a_command(retrying=TWICE))
    world.turn(seconds=10)
    assert world.run(key).state is RunState.RETRYING
    world.turn(seconds=20)

    assert (world.run(key).state, world.run(key).attempt) == (RunState.PENDING, 2)


def test_one_that_waits_for_its_retry_is_cancelled_at_once(world: World) -> None:
    key = world.started()
    world.turn(world.spawner.end(world.run(key).folder, status=3))

    world.ask_cancel(key)
    world.turn()
    world.turn(seconds=60)

    assert (world.run(key).state, world.run(key).attempt) == (RunState.CANCELLED, 1)


def test_a_run_that_was_cancelled_is_not_tried_again(world: World) -> None:
    key = world.started()
    world.ask_cancel(key)
    world.turn()
    world.turn(world.spawner.end(world.run(key).folder, status=3))
    world.turn()

    assert world.run(key).state is RunState.CANCELLED


@pytest.mark.parametrize(("on_crash", "state"), [(True, RunState.PENDING), (False, RunState.CRASHED)])
def test_a_run_that_was_lost_with_the_machine_is_tried_again_where_crashes_are(
    sqlite_database: Database, tmp_path: Path, on_crash: bool, state: RunState
) -> None:
    world = World(sqlite_database, tmp_path / "state")
    again = a_command(retrying=RetryPolicy(retries=1, on_crash=on_crash))
    world.define(again)
    key = world.started()

    world.boot = "00000000-0000-4000-8000-000000000002"
    world.spawner.die()
    world.folders.remove(world.run(key).folder)
    world.start_again()
    world.define(again)
    for _ in range(12):
        world.turn()

    assert (world.run(key).state, world.run(key).attempt) == (state, 2 if on_crash else 1)
