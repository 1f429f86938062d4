"""The core answers what runs ask: once, into their inbox, again after a restart, and whatever one question does."""

import json
from pathlib import Path

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.questions import AskedQuestion
from schedulerd.engine.folders import RUNS
from schedulerd.engine.mailbox import INBOX
from schedulerd.scheduler.messages import JournalGrew, Woken
from schedulerd.store.database import Database
from schedulerd.store.questions import Questions
from tests.builders import NOW
from tests.unit.scheduler.scenes import World, a_command

TIME = 1795327200000000


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    """A core with one command, `dump`, in force."""
    made = World(sqlite_database, tmp_path / "state")
    made.define(a_command())
    return made


def asking(world: World) -> RunKey:
    """A run that goes on and has a mailbox."""
    key = world.started()
    inbox(world, key).touch()
    return key


def inbox(world: World, key: RunKey) -> Path:
    """The file in which the run finds its answers."""
    return world.state_dir / RUNS / world.run(key).folder / INBOX


def answers(world: World, key: RunKey) -> list[dict[str, object]]:
    """What was put there."""
    return [json.loads(line) for line in inbox(world, key).read_text().splitlines() if line]


def ask(world: World, key: RunKey, kind: str, *, id: str = "7.1", **body: object) -> None:  # noqa: A002
    """Have the run ask, and the core hear of it."""
    world.says(key, json.dumps({"k": "ask", "t": TIME, "id": id, "q": kind, "b": body, "s": ""}))
    world.turn(JournalGrew(key=world.run(key).folder))


def open_questions(world: World) -> list[AskedQuestion]:
    """What is not answered, or not handed over."""
    with world.database.read() as tx:
        return tx.questions.all()


def test_a_question_is_answered_in_the_turn_in_which_it_is_read(world: World) -> None:
    key = asking(world)

    ask(world, key, "variable.set", name="bucket", value=[1])
    ask(world, key, "variable.get", id="7.2", name="bucket")

    assert answers(world, key) == [{"id": "7.1"}, {"id": "7.2", "found": True, "value": [1]}]
    assert open_questions(world) == []


def test_what_cannot_be_is_refused_and_the_others_are_answered(world: World) -> None:
    key = asking(world)

    asked: list[tuple[str, dict[str, object]]] = [
        ("nonsense", {}),
        ("variable.get", {}),
        ("variable.set", {"name": "a b", "value": 1}),
        ("variable.get", {"name": "missing"}),
    ]
    for number, (kind, body) in enumerate(asked):
        ask(world, key, kind, id=f"7.{number}", **body)

    *refused, last = answers(world, key)
    errors = [one["error"] for one in refused]
    assert [isinstance(error, dict) and error["message"].partition(":")[0] for error in errors] == [
        "this version of the daemon has no answer to 'nonsense'",
        "the question is not understood",
        "'a b' cannot be the name of a variable",
    ]
    assert last == {"id": "7.3", "found": False}


@pytest.mark.parametrize(
    "record",
    [
        '{"k":"ask"}',
        '{"k":"ask","t":1,"id":"../x","q":"variable.get","b":{},"s":""}',
        '{"k":"ask","t":1,"id":"1.1","q":"variable.get","b":{},"s":"../../daemon.sock"}',
        '{"k":"ask","t":1,"id":"1.1","q":"variable.get","b":[1],"s":""}',
    ],
)
def test_a_damaged_question_costs_itself(world: World, record: str) -> None:
    key = asking(world)
    world.says(key, record)

    ask(world, key, "variable.get", name="a")

    assert [one["id"] for one in answers(world, key)] == ["7.1"]


def test_the_next_daemon_answers_what_is_open_and_hands_over_what_was_answered(world: World) -> None:
    key = asking(world)
    inbox(world, key).unlink()
    inbox(world, key).mkdir()  # nothing can be written there
    ask(world, key, "variable.set", name="bucket", value=1)
    (left,) = open_questions(world)
    assert left.answer == {}
    with world.database.write() as tx:
        tx.variables.set("bucket", "somebody else's", at=NOW)
    inbox(world, key).rmdir()
    inbox(world, key).touch()

    world.start_again()
    world.turn()

    assert answers(world, key) == [{"id": "7.1"}]
    assert open_questions(world) == []
    with world.database.read() as tx:
        assert tx.variables.get("bucket").value == "somebody else's"  # it was not set a second time


def test_an_answer_that_finds_no_room_is_tried_again_by_the_same_daemon(world: World) -> None:
    key = asking(world)
    inbox(world, key).unlink()
    inbox(world, key).mkdir()
    ask(world, key, "variable.get", name="a")
    inbox(world, key).rmdir()
    inbox(world, key).touch()

    world.turn()

    assert [one["id"] for one in answers(world, key)] == ["7.1"]


def test_a_question_of_a_run_without_a_mailbox_is_forgotten(world: World) -> None:
    key = world.started()

    ask(world, key, "variable.get", name="a")

    assert open_questions(world) == []


def test_one_question_that_the_database_refuses_keeps_no_other_from_its_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = asking(world)
    answer = Questions.answer

    def refuses_one(self: Questions, asked: AskedQuestion, said: dict[str, object]) -> bool:
        if asked.question.id == "7.1" and "error" not in said:
            raise RuntimeError("this one")
        return answer(self, asked, said)

    monkeypatch.setattr(Questions, "answer", refuses_one)
    for number in (1, 2):
        world.says(
            key,
            json.dumps({"k": "ask", "t": TIME, "id": f"7.{number}", "q": "variable.get", "b": {"name": "a"}}),
        )
    world.turn(JournalGrew(key=world.run(key).folder))

    first, second = sorted(answers(world, key), key=lambda one: str(one["id"]))
    assert "failed to answer" in str(first["error"])
    assert second == {"id": "7.2", "found": False}


def test_without_questions_a_turn_looks_for_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.turn()
    looked = 0
    everything = Questions.all

    def counted(self: Questions) -> list[AskedQuestion]:
        nonlocal looked
        looked += 1
        return everything(self)

    monkeypatch.setattr(Questions, "all", counted)

    world.turn()
    world.turn()
    assert looked == 0
    world.turn(Woken())
    assert looked == 1
