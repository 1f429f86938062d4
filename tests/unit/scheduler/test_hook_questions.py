"""What hooks ask while they are called, and how they are answered."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from schedulerd.scheduler.messages import JournalGrew
from schedulerd.store.database import Database
from tests.fakes import journal
from tests.unit.scheduler.hook_scenes import begun, define, ended
from tests.unit.scheduler.scenes import World

ASK: Final = '{"k":"ask","t":1795327202000000,"id":"9.1","q":"%s","b":{"name":"x"},"s":""}'


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    world = World(sqlite_database, tmp_path / "state")
    define(world)
    return world


def inbox(world: World, key: str) -> list[dict[str, Any]]:
    """What a call has been answered."""
    lines = (world.folders.runs / key / "inbox.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines if line]


def asking(world: World, question: str) -> str:
    """A call that has asked this."""
    ended(world)
    key = begun(world)
    (world.folders.runs / key / "inbox.jsonl").touch()
    journal(world.folders.runs / key, ASK % question)
    world.turn(JournalGrew(key=key), seconds=0.01)
    return key


@pytest.mark.parametrize(
    ("question", "answer"),
    [("variable.get", {"found": True, "value": "ops"}), ("secret.get", {"found": False})],
)
def test_what_a_hook_asks_is_answered_once_and_by_the_next_daemon_again(
    world: World, question: str, answer: dict[str, Any]
) -> None:
    with world.database.write() as tx:
        tx.variables.set("x", "ops", at=world.clock.now())

    key = asking(world, question)
    world.turn()
    once = inbox(world, key)
    world.start_again()
    world.turn()
    world.turn()

    assert once == [{**answer, "id": "9.1"}]
    assert inbox(world, key) == once * 2


def test_what_only_a_run_may_ask_is_refused(world: World) -> None:
    (said,) = inbox(world, asking(world, "approval"))

    assert said["error"]["message"] == "approval cannot be asked by a hook for the end of a run"
    assert said["error"]["mend"] == "ask within the flow, and have it return what its hooks need"
