"""The desk that has hooks called, under a whole core: what is due, taken, called, told of and forgotten."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from schedulerd.clock import microseconds_of
from schedulerd.domain.retrying import RetryPolicy
from schedulerd.domain.states import RunState
from schedulerd.engine.folders import READY
from schedulerd.engine.notes import Stage
from schedulerd.scheduler.inspecting import Inspected
from schedulerd.scheduler.messages import ProcessEnded, Stop
from schedulerd.store.database import Database
from tests.builders import a_file, a_flow
from tests.fakes import a_dead_process, journal
from tests.unit.scheduler.hook_scenes import (
    BEGUN,
    COMPLETED,
    FAILED,
    SAID,
    begun,
    define,
    due,
    ended,
    the_call,
    told,
)
from tests.unit.scheduler.scenes import GRACE, World

OTHER_BOOT: Final = "00000000-0000-4000-8000-000000000002"


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    world = World(sqlite_database, tmp_path / "state")
    define(world)
    return world


def request(world: World, where: str, key: str, stage: Stage) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((world.state_dir / where / key / stage).read_bytes())
    return made


def test_the_hooks_of_a_run_that_ended_are_called_and_what_they_say_is_in_its_log(world: World) -> None:
    run = ended(world)
    key = begun(world)
    assert world.spawner.keys[-1] == key
    journal(world.folders.runs / key, SAID, COMPLETED)
    world.turn(world.spawner.end(key))

    assert told(world, run) == ["told"]
    assert due(world) == []
    assert world.folder_names() == set()
    assert world.hooks.is_idle
    assert world.run(run).state is RunState.FAILED


def test_they_are_given_the_end_of_the_run_and_what_surrounded_it(world: World) -> None:
    ended(world)

    asked = request(world, READY, the_call(world), Stage.ARMED)

    assert asked["kind"] == "hooks"
    assert asked["ending"]["state"] == "failed"
    assert asked["ending"]["message"] == "ValueError: x"
    assert (asked["timeout_seconds"], asked["version"], asked["flow"]) == (60.0, "ab" * 32, "etl")
    assert asked["environment"]["SCHEDULERD_ATTEMPT"] == "1"


def test_they_are_given_what_the_flow_returned(world: World) -> None:
    key = world.started("etl")
    world.says(key, '{"k":"result","t":1795327201000000,"v":"7","x":["preview"]}', COMPLETED)
    world.turn(world.spawner.end(world.run(key).folder))

    value = request(world, READY, the_call(world), Stage.ARMED)["ending"]["value"]

    assert (value["kind"], base64.b64decode(value["content"])) == ("preview", b"7")


def test_a_run_is_told_which_hooks_are_called_after_it(world: World) -> None:
    key = world.ask_for("etl")
    world.turn()

    assert request(world, READY, world.run(key).folder, Stage.ARMED)["hooks_after"] == ["completed", "failed"]


def test_a_run_that_ends_without_hooks_asks_for_nothing(world: World) -> None:
    define(world, RunState.CANCELLED)
    asked = len(world.spawner.keys)
    ended(world)
    world.turn()

    assert len(world.spawner.keys) == asked + 1
    assert world.hooks.is_idle


def test_what_could_not_be_said_to_a_spawner_is_said_later(world: World) -> None:
    key = world.started("etl")
    world.says(key, FAILED)
    over = world.spawner.end(world.run(key).folder, status=1)
    world.spawner.is_deaf = True
    world.turn(over)
    world.spawner.is_deaf = False
    world.turn()

    assert world.spawner.keys[-1] == the_call(world)


def test_a_call_that_was_taken_and_never_began_is_made_anew(world: World) -> None:
    ended(world)
    key = the_call(world)
    world.turn(world.spawner.take(key))
    world.turn(world.spawner.die())
    for _ in range(3):
        world.turn()

    assert world.spawner.keys == [key]
    assert (world.folders.ready / key).is_dir()


def test_a_process_that_died_before_it_began_is_followed_by_another_but_not_for_ever(world: World) -> None:
    run = ended(world)
    key = the_call(world)
    for _ in range(4):
        world.turn(world.spawner.take(key))
        world.turn(world.spawner.end(key, status=None, signal=9))
    world.turn()

    assert world.spawner.keys.count(key) == 4
    assert told(world, run) == ["its hooks were cut short: killed by SIGKILL; they are not called again"]
    assert due(world) == []


def test_one_that_had_begun_when_its_process_died_is_never_made_again_and_is_told_of(world: World) -> None:
    run = ended(world)
    key = the_call(world)
    world.turn(world.spawner.begin(key, process=a_dead_process()))
    journal(world.folders.runs / key, *BEGUN, SAID)
    world.turn(world.spawner.die())
    for _ in range(3):
        world.turn(seconds=40)

    assert told(world, run) == [
        "told",
        "hook tell (flows/etl.py:3) was cut short: its process went away; neither it nor those after it are called again",
    ]
    assert world.spawner.keys == []
    assert due(world) == []


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"status": None, "stopped": "timeout", "signal": 9}, "it did not end within 1m (`hook_timeout`)"),
        ({"status": None, "signal": 11}, "killed by SIGSEGV"),
        ({"status": 3}, "its process exited with status 3"),
    ],
)
def test_a_call_that_was_cut_short_says_how(world: World, how: dict[str, Any], why: str) -> None:
    run = ended(world)
    key = begun(world)
    world.turn(world.spawner.end(key, **how))

    assert told(world, run) == [
        f"hook tell (flows/etl.py:3) was cut short: {why}; neither it nor those after it are called again"
    ]


@pytest.mark.parametrize("point", ["due", "prepared", "taken", "begun", "ended"])
def test_a_new_daemon_goes_on_from_where_the_last_one_was_killed(world: World, point: str) -> None:
    if point == "due":
        world.hooks._most = 0  # nothing is taken on
    run = ended(world)
    key = the_call(world)
    if point == "taken":
        world.spawner.take(key)
    if point in ("begun", "ended"):
        world.spawner.begin(key)
        journal(world.folders.runs / key, *BEGUN, SAID)
    if point == "ended":
        journal(world.folders.runs / key, COMPLETED)
        world.spawner.end(key)
    if point == "taken":
        world.spawner.die()
    spawner = world.spawner

    world.start_again()
    define(world)
    for _ in range(3):
        world.turn()
    if point in ("due", "prepared", "taken"):
        world.turn(world.spawner.begin(key))
        journal(world.folders.runs / key, *BEGUN, SAID, COMPLETED)
        world.turn(world.spawner.end(key))
    if point == "begun":
        assert world.spawner.keys == []
        journal(world.folders.runs / key, COMPLETED)
        spawner.end(key)
        world.turn(ProcessEnded(key=key))
    world.turn()

    assert told(world, run) == ["told"]
    assert due(world) == []
    assert world.folder_names() == set()


def test_a_call_that_may_have_begun_before_the_machine_was_restarted_is_told_of(world: World) -> None:
    run = ended(world)
    world.folders.remove(the_call(world))
    world.boot = OTHER_BOOT
    world.start_again()
    world.turn()

    assert told(world, run) == [
        "its hooks were cut short: the machine was restarted; they are not called again"
    ]
    assert world.spawner.keys == []
    assert due(world) == []


def test_a_call_that_is_adopted_without_a_spawner_is_out_of_time_when_its_limit_has_passed(
    world: World,
) -> None:
    ended(world)
    key = the_call(world)
    world.spawner.identity, living = a_dead_process(), world.spawner.identity
    world.turn(world.spawner.begin(key, process=living))
    began = world.clock.now() - timedelta(seconds=20)
    journal(world.folders.runs / key, f'{{"k":"start","t":{microseconds_of(began)},"pid":{living.pid}}}')
    world.start_again()
    world.turn()
    (attempt,) = world.hooks.attempts

    assert attempt.adopted
    assert attempt.deadline is not None
    assert 38 <= attempt.deadline - world.clock.monotonic() <= 40


def test_as_many_are_called_at_once_as_runs_may_be_live(sqlite_database: Database, tmp_path: Path) -> None:
    world = World(sqlite_database, tmp_path / "state", max_running=2)
    define(world)
    runs = [ended(world) for _ in range(3)]
    first = [one.folder for one in due(world)][:2]

    assert {key for key in world.spawner.keys if "hooks" in key} == set(first)
    for key in first:
        world.turn(world.spawner.begin(key))
        journal(world.folders.runs / key, *BEGUN, COMPLETED)
        world.turn(world.spawner.end(key))
    world.turn()

    assert [one.run for one in due(world)] == [runs[-1]]
    assert world.spawner.keys[-1] == the_call(world)


def test_an_attempt_that_is_not_the_last_calls_no_hooks(world: World) -> None:
    twice = RetryPolicy(retries=1, delays=(timedelta(seconds=30),))
    file = a_file(a_flow(hooks=frozenset({RunState.FAILED}), retrying=twice))
    world.parts.definitions.inspected(Inspected(file=file.file, definition=file))
    world.turn()
    key = ended(world)
    assert due(world) == []
    world.turn(seconds=31)
    world.turn(world.spawner.begin(world.run(key).folder))
    world.says(key, '{"k":"start","t":1795327260000000,"pid":4712}', FAILED)
    world.turn(world.spawner.end(world.run(key).folder, status=1))

    assert [(one.run, one.attempt) for one in due(world)] == [(key, 2)]


def test_a_run_that_is_cancelled_while_it_waits_for_its_retry_has_its_hooks_called(world: World) -> None:
    twice = RetryPolicy(retries=1, delays=(timedelta(hours=1),))
    file = a_file(a_flow(hooks=frozenset({RunState.CANCELLED}), retrying=twice))
    world.parts.definitions.inspected(Inspected(file=file.file, definition=file))
    world.turn()
    key = ended(world)
    world.ask_cancel(key)
    world.turn()
    world.turn()

    assert world.run(key).state is RunState.CANCELLED
    assert world.spawner.keys[-1] == the_call(world)


def test_a_stop_that_cancels_waits_for_hooks_for_a_while(world: World) -> None:
    define(world, RunState.CANCELLED)
    key = world.started("etl")
    world.turn(Stop(how="cancel"))
    world.turn()
    world.turn(world.spawner.end(world.run(key).folder, status=1))
    assert not world.core._is_done()
    world.turn(seconds=GRACE.total_seconds())

    assert world.core._is_done()
    assert len(due(world)) == 1


def test_words_that_are_more_than_is_kept_are_left_out_with_a_remark(world: World) -> None:
    run = ended(world)
    key = begun(world)
    with open(world.folders.runs / key / "stdout.log", "w") as file:
        file.writelines(f"line {number} {'x' * 1_000}\n" for number in range(3_000))
    world.turn()
    journal(world.folders.runs / key, COMPLETED)
    world.turn(world.spawner.end(key))

    said = told(world, run)
    assert 1_000 < len(said) <= 1_100
    assert "the hooks wrote more than is kept of them" in said


def test_a_call_of_a_run_that_is_no_more_is_forgotten(world: World) -> None:
    ended(world)
    key = begun(world)
    (one,) = due(world)
    with world.database.write() as tx:
        assert tx.hooks.done(one)
    journal(world.folders.runs / key, SAID, COMPLETED)
    world.turn(world.spawner.end(key))

    assert world.folder_names() == set()
    assert world.hooks.is_idle
