"""What cannot be started is put back and tried again with growing pauses; no run is lost for it."""

from pathlib import Path

import pytest

from schedulerd.domain.health import TroubleKind
from schedulerd.engine import wire
from schedulerd.scheduler.health import HealthBook
from schedulerd.scheduler.messages import SpawnerSpoke
from schedulerd.scheduler.starting import Starting
from schedulerd.store.database import Database
from tests.fakes import FakeClock
from tests.unit.scheduler.scenes import World, a_command, each_minute


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    world = World(sqlite_database, tmp_path / "state")
    world.define(a_command())
    return world


def _refuse(key: str) -> SpawnerSpoke:
    return SpawnerSpoke(said=wire.Refused(key=key, reason="Resource temporarily unavailable"))


def test_a_run_for_which_there_is_no_process_is_asked_for_again_later(world: World) -> None:
    key = world.ask_for("dump")
    world.turn()
    folder = world.run(key).folder

    world.turn(_refuse(folder), seconds=0.1)
    world.turn(seconds=0.1)
    asked_too_soon = world.spawner.keys.count(folder) > 1
    health = world.core.health
    world.turn(seconds=1)
    asked_again = world.spawner.keys.count(folder)
    world.turn(world.spawner.begin(folder))

    (trouble,) = health.troubles
    assert (trouble.kind, health.is_ready) == (TroubleKind.PROCESSES, False)
    assert "Resource temporarily unavailable" in trouble.reason
    assert (asked_too_soon, asked_again) == (False, 2)
    assert world.run(key).state == "pending"
    assert world.core.health.is_ready


def test_while_there_is_no_process_no_more_runs_are_taken_on_and_none_is_lost(world: World) -> None:
    world.define(a_command("other"), each_minute())
    key = world.ask_for("other")
    world.turn()
    world.turn(_refuse(world.run(key).folder), seconds=0.01)

    world.ask_for("other")
    world.turn(seconds=0.1)
    held = world.states()
    world.turn(seconds=1)
    world.turn(seconds=61)

    assert held == ["pending", "scheduled"]
    assert world.states() == ["pending", "pending", "pending"]


def test_a_folder_that_cannot_be_made_is_made_when_it_can(world: World) -> None:
    world.folders.ready.rmdir()
    world.folders.ready.write_text("in the way")
    key = world.ask_for("dump")
    world.turn()
    troubles = [trouble.kind for trouble in world.core.health.troubles]

    world.folders.ready.unlink()
    world.folders.ready.mkdir()
    world.turn()
    world.turn()
    world.turn(world.spawner.begin(world.run(key).folder))

    assert troubles == [TroubleKind.FOLDERS]
    assert world.run(key).state == "pending"
    assert world.core.health.is_ready


def test_the_pauses_grow_up_to_a_limit_and_begin_anew_when_a_run_was_started() -> None:
    clock = FakeClock()
    starting = Starting(HealthBook(clock), clock)
    pauses = []

    for _ in range(8):
        starting.failed(TroubleKind.PROCESSES, "no")
        starting.failed(TroubleKind.PROCESSES, "no")  # another that was on its way
        began = clock.monotonic()
        while starting.is_paused:
            clock.advance(0.25)
        pauses.append(clock.monotonic() - began)
    starting.went_well()
    starting.failed(TroubleKind.PROCESSES, "no")

    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]
    clock.advance(0.5)
    assert not starting.is_held


def test_trouble_of_which_nothing_is_heard_any_more_is_forgotten() -> None:
    clock = FakeClock()
    health = HealthBook(clock)
    starting = Starting(health, clock)
    starting.failed(TroubleKind.PROCESSES, "no")

    clock.advance(30)
    starting.look()
    before = health.has(TroubleKind.PROCESSES)
    clock.advance(40)
    starting.look()

    assert (before, health.has(TroubleKind.PROCESSES)) == (True, False)


def test_when_there_is_room_again_it_is_tried_at_once() -> None:
    clock = FakeClock()
    health = HealthBook(clock)
    starting = Starting(health, clock)
    health.note(TroubleKind.SPACE, "no room")
    for _ in range(6):
        starting.failed(TroubleKind.FOLDERS, "no room")
        clock.advance(15)
        starting.look()
    starting.failed(TroubleKind.FOLDERS, "no room")

    health.clear(TroubleKind.SPACE)
    starting.look()

    assert not starting.is_held
    assert health.health.is_ready
