"""Ending runs: what had ended by itself came to what it did, and whoever ends a run may be killed over it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.states import RunState
from schedulerd.engine.notes import Word, leave_word, write_process
from schedulerd.engine.processes import ProcessId, identify
from schedulerd.scheduler.messages import Stop
from schedulerd.store.database import Database
from tests.fakes import a_dead_process
from tests.unit.scheduler.scenes import World, a_command

FOR_EACH_WORD = pytest.mark.parametrize(
    ("word", "state"), [(Word.TIMEOUT, RunState.TIMED_OUT), (Word.CANCEL, RunState.CANCELLED)]
)


def _runs_as(world: World, key: RunKey, process: ProcessId) -> None:
    with _folder(world, key) as folder:
        write_process(folder, process, world.spawner.identity)


def _leave_word(world: World, key: RunKey, word: Word) -> None:
    with _folder(world, key) as folder:
        leave_word(folder, word)


def _started(database: Database, folder: Path, **definition: Any) -> tuple[World, RunKey]:
    """A daemon, and a run of a command that it has started."""
    world = World(database, folder / "state")
    world.define(a_command(**definition))
    return world, world.started()


@contextmanager
def _folder(world: World, key: RunKey) -> Iterator[int]:
    folder = os.open(world.folders.runs / world.run(key).folder, os.O_RDONLY)
    yield folder
    os.close(folder)


def test_a_run_that_ended_before_the_daemon_cancelled_came_to_what_it_did(
    sqlite_database: Database, tmp_path: Path
) -> None:
    world, key = _started(sqlite_database, tmp_path)
    _runs_as(world, key, a_dead_process())

    for _ in range(3):  # what it left behind is still being seen off
        world.turn(Stop(how="cancel"))
        world.clock.advance(seconds=1)
    assert world.run(key).state is RunState.RUNNING
    world.turn(world.spawner.end(world.run(key).folder))
    world.turn()

    assert world.run(key).state is RunState.COMPLETED


def test_a_run_that_ended_before_somebody_cancelled_it_came_to_what_it_did(
    sqlite_database: Database, tmp_path: Path
) -> None:
    world, key = _started(sqlite_database, tmp_path)
    _runs_as(world, key, a_dead_process())

    world.ask_cancel(key)
    world.turn()
    assert world.run(key).state is RunState.RUNNING
    world.turn(world.spawner.end(world.run(key).folder))
    world.turn()

    assert world.run(key).state is RunState.COMPLETED
    with world.database.read() as tx:
        assert not tx.runs.cancel_wishes()


@FOR_EACH_WORD
def test_a_run_that_was_being_ended_when_everybody_was_killed_ended_for_that_reason(
    sqlite_database: Database, tmp_path: Path, word: Word, state: RunState
) -> None:
    world, key = _started(sqlite_database, tmp_path)
    world.spawner.die()
    _leave_word(world, key, word)
    _runs_as(world, key, a_dead_process())

    world.start_again()
    for _ in range(12):  # no message tells of its end here; it is looked at every 10 s
        world.turn()

    assert world.run(key).state is state


@FOR_EACH_WORD
def test_a_run_whose_end_was_begun_and_that_lives_is_ended_by_the_next_daemon(
    sqlite_database: Database, tmp_path: Path, word: Word, state: RunState
) -> None:
    world, key = _started(sqlite_database, tmp_path)
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as sleeper:
        world.spawner.die()
        _runs_as(world, key, identify(sleeper.pid))
        _leave_word(world, key, word)

        world.start_again()
        world.turn()
        sleeper.wait(
            timeout=60
        )  # that is what it comes to here, however it ended: the core may have waited for it
    for _ in range(12):  # no message tells of its end here; it is looked at every 10 s
        world.turn()

    assert world.run(key).state is state


def test_a_daemon_that_ends_an_adopted_run_at_its_time_limit_leaves_word_of_it(
    sqlite_database: Database, tmp_path: Path
) -> None:
    world, key = _started(sqlite_database, tmp_path, timeout=timedelta(seconds=5))
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as sleeper:
        world.spawner.die()
        _runs_as(world, key, identify(sleeper.pid))
        world.start_again()
        world.turn(seconds=1)
        world.turn(seconds=6)
        sleeper.wait(
            timeout=60
        )  # that is what it comes to here, however it ended: the core may have waited for it

    world.start_again()  # before that was recorded
    for _ in range(12):  # no message tells of its end here; it is looked at every 10 s
        world.turn()

    assert world.run(key).state is RunState.TIMED_OUT


def _ask_kill(world: World, key: RunKey) -> None:
    with world.database.write() as tx:
        tx.runs.ask_kill(key, at=world.clock.now(), actor="kim", reason="it is deaf")


def _graces(world: World) -> list[float]:
    return [stop.grace for stop in world.spawner.stops]


def test_a_run_that_is_being_cancelled_is_killed_when_somebody_says_so_and_told_so_once(
    sqlite_database: Database, tmp_path: Path
) -> None:
    world, key = _started(sqlite_database, tmp_path)
    world.ask_cancel(key)
    world.turn()

    _ask_kill(world, key)
    for _ in range(3):
        world.turn()

    assert _graces(world) == [10.0, 0.0]
    world.turn(world.spawner.end(world.run(key).folder, status=None, signal=9, stopped="cancel"))
    world.turn()
    assert (world.run(key).state, world.run(key).reason) == (RunState.CANCELLED, "cancelled by kim")
    with world.database.read() as tx:
        assert not tx.runs.cancel_wishes()


def test_that_a_run_be_killed_is_known_to_the_next_daemon(sqlite_database: Database, tmp_path: Path) -> None:
    world, key = _started(sqlite_database, tmp_path)
    deaf = ["sh", "-c", "trap '' TERM; echo; while :; do sleep 60; done"]
    with subprocess.Popen(deaf, start_new_session=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it is deaf now
        world.spawner.is_deaf = True  # what it is told is lost
        _ask_kill(world, key)
        world.turn()
        world.spawner.die()
        _runs_as(world, key, identify(process.pid))

        world.start_again()
        for _ in range(3):
            world.turn(seconds=0.5)  # within its grace
        process.wait(timeout=60)
    for _ in range(12):  # no message tells of its end here; it is looked at every 10 s
        world.turn()

    assert world.run(key).state is RunState.CANCELLED


def test_a_run_that_does_not_run_yet_is_killed_by_not_starting(
    sqlite_database: Database, tmp_path: Path
) -> None:
    world = World(sqlite_database, tmp_path / "state", max_running=0)
    world.define(a_command())
    key = world.ask_for("dump")

    _ask_kill(world, key)
    world.turn()

    assert world.run(key).state is RunState.CANCELLED
    with world.database.read() as tx:
        assert (tx.runs.cancel_wishes(), tx.broken_invariants()) == ([], [])


def test_a_run_that_ended_before_somebody_killed_it_came_to_what_it_did(
    sqlite_database: Database, tmp_path: Path
) -> None:
    world, key = _started(sqlite_database, tmp_path)
    _runs_as(world, key, a_dead_process())

    _ask_kill(world, key)
    world.turn()
    world.turn(world.spawner.end(world.run(key).folder))
    world.turn()

    assert world.run(key).state is RunState.COMPLETED
