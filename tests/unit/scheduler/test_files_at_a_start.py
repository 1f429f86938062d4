"""What is wrong with a file is known over a start of the daemon, until somebody has looked at it again."""

from pathlib import Path

import pytest

from schedulerd.domain.failures import Failure
from schedulerd.scheduler.messages import DefinitionsChanged
from schedulerd.store.database import Database
from tests.builders import NOW
from tests.unit.scheduler.scenes import World

SLOW = "flows/slow.py"
FAILURE = Failure(type="LoadError", message="loading the file took longer than 30 s and was ended", file=SLOW)


def in_the_folder(*files: str) -> DefinitionsChanged:
    return DefinitionsChanged(flow_files=frozenset(files), look_at=frozenset(), schedules={}, whole=True)


def wrong(world: World) -> list[str]:
    with world.database.read() as tx:
        return [one.file for one in tx.flows.errors()]


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    """A core that begins after one that knew of a file with an error."""
    with sqlite_database.write() as tx:
        tx.flows.set_file_error(SLOW, FAILURE, now=NOW)
    return World(sqlite_database, tmp_path / "state")


def test_a_file_that_was_broken_is_not_mended_by_a_start(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    world.turn(in_the_folder(SLOW))

    assert wrong(world) == [SLOW]
    assert "definition_mended" not in caplog.messages


def test_one_that_has_gone_meanwhile_has_nothing_wrong(world: World) -> None:
    world.turn(in_the_folder())

    assert wrong(world) == []
