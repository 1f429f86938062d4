"""A core that has nothing to do: it asks the database for nothing, and misses nothing."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from schedulerd.scheduler.messages import Woken
from schedulerd.store.database import Database
from tests.unit.scheduler.scenes import World, a_command


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    world = World(sqlite_database, tmp_path / "state")
    world.define(a_command())
    world.turn(seconds=11)  # what is done each ten seconds was done
    world.turn(seconds=3)
    world.turn()
    return world


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What the database is asked."""
    asked: list[str] = []

    def hear(connection: object, cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    yield asked
    event.remove(Engine, "before_cursor_execute", hear)


def test_the_database_is_asked_for_nothing_while_nobody_writes(world: World, statements: list[str]) -> None:
    for _ in range(3):
        world.turn()

    assert statements == []


def test_what_was_recorded_by_somebody_who_rang_no_bell_is_found_by_the_next_look(world: World) -> None:
    key = world.ask_for("dump")

    world.turn()

    assert world.run(key).state == "pending"


def test_a_run_for_later_starts_when_its_time_has_come_though_nobody_writes_then(world: World) -> None:
    key = world.ask_for("dump", due_at=world.clock.now() + timedelta(seconds=4))

    for _ in range(3):
        world.turn()
    before = world.run(key).state
    world.turn()
    world.turn()

    assert (before, world.run(key).state) == ("scheduled", "pending")


def test_a_bell_is_answered_whether_or_not_there_is_news(world: World, statements: list[str]) -> None:
    world.turn(Woken(), milliseconds=1)

    assert statements != []
