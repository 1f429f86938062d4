"""A daemon that stops and cancels: what had ended by then came to what it did."""

import os
from pathlib import Path

from schedulerd.domain.states import RunState
from schedulerd.engine.folders import write_process
from schedulerd.scheduler.messages import Stop
from schedulerd.store.database import Database
from tests.fakes import a_dead_process
from tests.unit.scheduler.scenes import World, a_command


def test_a_run_that_ended_before_the_daemon_cancelled_came_to_what_it_did(
    sqlite_database: Database, tmp_path: Path
) -> None:
    world = World(sqlite_database, tmp_path / "state")
    world.define(a_command())
    key = world.started()
    folder = os.open(world.folders.runs / world.run(key).folder, os.O_RDONLY)
    write_process(folder, a_dead_process(), world.spawner.identity)
    os.close(folder)

    for _ in range(3):  # what it left behind is still being seen off
        world.turn(Stop(how="cancel"))
        world.clock.advance(seconds=1)
    assert world.run(key).state is RunState.RUNNING
    world.turn(world.spawner.end(world.run(key).folder))
    world.turn()

    assert world.run(key).state is RunState.COMPLETED
