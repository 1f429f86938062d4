"""A drained agent starts nothing, and forgets nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from schedulerd.domain.health import TroubleKind
from schedulerd.domain.states import RunState
from schedulerd.store.database import Database
from tests.builders import A_SECOND
from tests.unit.scheduler.scenes import AGENT, World, a_command, each_minute


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    made = World(sqlite_database, tmp_path)
    made.define(a_command())
    return made


def drain(world: World) -> None:
    with world.database.write() as tx:
        tx.agents.drain(AGENT, at=world.clock.now(), by="minji", reason="a new kernel")


def resume(world: World) -> None:
    with world.database.write() as tx:
        tx.agents.resume(AGENT)


def told(world: World) -> list[str]:
    """What the daemon says keeps it from starting runs."""
    return [trouble.reason for trouble in world.core.health.held_by]


def test_once_it_is_drained_no_run_starts_and_what_is_going_on_goes_on(world: World) -> None:
    going = world.started()
    drain(world)
    waiting = world.ask_for("dump")

    world.turn()

    assert world.run(waiting).state is RunState.SCHEDULED
    assert world.run(waiting).reason == f"waits: the agent {AGENT} is drained by minji: a new kernel"
    assert told(world) == [f"the agent {AGENT} is drained by minji: a new kernel"]
    world.turn(world.spawner.end(world.run(going).folder))
    assert world.run(going).state is RunState.COMPLETED


def test_due_times_are_decided_as_ever_and_their_runs_start_in_order_when_it_is_resumed(world: World) -> None:
    world.define(each_minute())
    drain(world)
    world.turn(seconds=60)
    world.turn(seconds=60)
    before = world.states()

    resume(world)
    world.turn()

    assert before == ["scheduled", "scheduled"]
    assert world.states() == ["pending", "pending"]
    assert told(world) == []


def test_a_daemon_that_is_started_anew_is_drained_still_and_says_since_when(world: World) -> None:
    drain(world)
    world.turn()
    since = world.clock.now()
    world.start_again()
    waiting = world.ask_for("dump")

    world.turn(seconds=5)

    (trouble,) = world.core.health.held_by
    assert (trouble.kind, world.core.health.is_ready) == (TroubleKind.DRAIN, False)
    assert trouble.since < since
    assert world.run(waiting).state is RunState.SCHEDULED


def test_the_drain_of_another_agent_is_none_of_ours(world: World) -> None:
    with world.database.write() as tx:
        beat = world.parts.beat(world.core)
        tx.agents.beat(replace(beat, name="agent-2", beat_at=beat.beat_at + A_SECOND))
        tx.agents.drain("agent-2", at=world.clock.now(), by="minji", reason="")

    key = world.ask_for("dump")
    said = world.run(key).reason
    world.turn()

    assert said == ""  # it waits for nobody: the other one takes it
    assert world.run(key).state is RunState.PENDING
