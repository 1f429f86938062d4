"""Overlap in the whole core: the runs of a schedule follow one another at once, and no two of them go on together."""

from datetime import timedelta
from pathlib import Path

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.schedules import Catchup, Overlap, Policies
from schedulerd.domain.states import RunState
from schedulerd.scheduler.messages import Tick, Woken
from schedulerd.store.database import Database
from tests.unit.scheduler.scenes import World, each_minute

START = '{"k":"start","t":1795327200000000,"pid":4711}'
AN_INSTANT = 0.001


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    """A core with nothing in force."""
    return World(sqlite_database, tmp_path / "state")


def begin(world: World, run: RunKey) -> None:
    """The run starts."""
    world.turn(world.spawner.begin(world.run(run).folder), seconds=AN_INSTANT)
    world.says(run, START)


def end(world: World, run: RunKey) -> None:
    """The run ends by itself, and nothing else happens in that turn."""
    world.turn(world.spawner.end(world.run(run).folder), seconds=AN_INSTANT)


def due_twice(world: World, overlap: Overlap) -> tuple[RunKey, RunKey]:
    """A run that has started, and the next, whose time has come."""
    world.define(each_minute(policies=Policies(overlap=overlap)))
    world.turn(Tick(), minutes=1)
    (first,) = world.runs()
    begin(world, first.key)
    world.turn(Tick(), minutes=1)
    return first.key, world.runs()[1].key


def test_a_queued_run_starts_in_the_turn_in_which_the_one_before_it_ends(world: World) -> None:
    first, second = due_twice(world, Overlap.QUEUE)
    assert (world.run(second).state, world.run(second).reason) == ("scheduled", "queued behind dump#1")

    end(world, first)

    assert world.run(first).state is RunState.COMPLETED
    assert world.run(second).state is RunState.PENDING
    assert world.spawner.keys[-1] == world.run(second).folder


def test_a_run_is_told_to_end_in_the_turn_in_which_the_next_is_due(world: World) -> None:
    first, second = due_twice(world, Overlap.REPLACE)

    assert [stop.key for stop in world.spawner.stops] == [world.run(first).folder]
    assert (world.run(first).state, world.run(first).reason) == ("cancelling", "replaced by dump#2")
    assert (world.run(second).state, world.run(second).reason) == ("scheduled", "replaces dump#1")


def test_the_new_run_starts_when_the_old_one_has_ended_and_not_before(world: World) -> None:
    first, second = due_twice(world, Overlap.REPLACE)
    for _ in range(3):
        world.turn(seconds=1)
    assert world.run(second).state is RunState.SCHEDULED

    world.turn(
        world.spawner.end(world.run(first).folder, status=None, signal=15, stopped="cancel"),
        seconds=AN_INSTANT,
    )

    assert (world.run(first).state, world.run(first).reason) == ("cancelled", "replaced by dump#2")
    assert world.run(second).state is RunState.PENDING


def test_a_run_that_waits_for_its_retry_is_replaced_at_once(world: World) -> None:
    world.define(each_minute(policies=Policies(overlap=Overlap.REPLACE)))
    world.turn(Tick(), minutes=1)
    (first,) = world.runs()
    begin(world, first.key)
    with world.database.write() as tx:
        assert tx.runs.move(first.key, RunState.RUNNING, at=world.clock.now(), actor="test")
        assert tx.runs.move(first.key, RunState.RETRYING, at=world.clock.now(), actor="test")

    world.turn(Tick(), minutes=1)
    world.turn(seconds=AN_INSTANT)

    assert world.run(first.key).state is RunState.CANCELLED
    assert world.runs()[1].state is RunState.PENDING


def test_a_newer_run_waits_across_a_restart_of_the_daemon(world: World) -> None:
    first, second = due_twice(world, Overlap.QUEUE)

    world.start_again()
    world.define(each_minute(policies=Policies(overlap=Overlap.QUEUE)))
    world.turn(seconds=1)

    assert world.run(first).state is RunState.RUNNING
    assert (world.run(second).state, world.run(second).reason) == ("scheduled", "queued behind dump#1")


def test_a_person_who_cancels_what_others_wait_for_lets_them_start(world: World) -> None:
    _, second = due_twice(world, Overlap.QUEUE)
    by_hand = world.ask_for("dump", due_at=world.clock.now())
    world.turn(seconds=AN_INSTANT)
    world.ask_cancel(second)
    world.turn(Woken(), seconds=AN_INSTANT)

    assert world.run(by_hand).state is RunState.PENDING
    assert (world.run(second).state, world.run(second).reason) == ("cancelled", "cancelled by kim")


@pytest.mark.parametrize("overlap", Overlap)
def test_missed_times_run_one_after_the_other_without_a_pause(world: World, overlap: Overlap) -> None:
    policies = Policies(catchup=Catchup.ALL, misfire_grace=timedelta(), overlap=overlap)
    world.define(each_minute(policies=policies))
    world.clock.advance(30, minutes=3)
    world.turn(Tick(), seconds=AN_INSTANT)
    missed = [run.key for run in world.runs() if run.caught_up]
    assert len(missed) == 3

    order = []
    for _ in missed:
        (going,) = [run for run in world.runs() if run.caught_up and run.state is RunState.PENDING]
        order.append(going.key)
        begin(world, going.key)
        end(world, going.key)

    assert order == missed
