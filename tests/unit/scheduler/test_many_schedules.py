"""Very many schedules: they come into force in parts, between which the daemon decides what is due."""

from pathlib import Path

import pytest

from schedulerd.domain.schedules import Once
from schedulerd.errors import StoreUnavailable
from schedulerd.scheduler.messages import Tick
from schedulerd.scheduler.standing import MOST_AT_ONCE
from schedulerd.store.database import Database
from tests.builders import NOW
from tests.unit.scheduler.part_scenes import MANY, files_say, many, names, until_applied
from tests.unit.scheduler.scenes import World, each_minute


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    """A core without schedules."""
    return World(sqlite_database, tmp_path / "state", max_running=MANY)


def test_many_come_into_force_in_parts_one_a_turn(world: World) -> None:
    files_say(world, many("a"))

    assert len(names(world)) == MOST_AT_ONCE
    assert not world.parts.definitions.is_applied
    assert until_applied(world) == 2
    assert (len(names(world)), world.parts.definitions.is_applied) == (MANY, True)


def test_what_is_due_is_decided_between_the_parts(world: World) -> None:
    world.define(each_minute("old"))
    files_say(world, [each_minute("old"), *many("a")])

    world.turn(Tick(), minutes=1)

    assert world.parts.definitions.is_behind
    assert [run.flow for run in world.runs()] == ["old"]


def test_what_is_due_is_decided_while_it_is_found_out_which_of_very_many_count(world: World) -> None:
    world.define(each_minute("old"))
    files = [one for n in range(6) for one in many(f"f{n}", file=f"f{n}.toml")]
    files_say(world, [each_minute("old"), *files])
    assert names(world) == ["old"]

    world.turn(Tick(), minutes=1)

    assert world.parts.definitions.is_behind
    assert [run.flow for run in world.runs()] == ["old"]
    until_applied(world)
    assert len(names(world)) == 1 + len(files)


def test_an_edit_that_comes_between_the_parts_is_what_counts(world: World) -> None:
    files_say(world, [*many("a"), *many("b", 3, file="more.toml")])

    files_say(world, [*many("a", MANY - 300), *many("c", 3, file="more.toml")])
    until_applied(world)

    assert names(world) == [one.name for one in (*many("a", MANY - 300), *many("c", 3))]


def test_names_that_were_put_by_a_part_of_what_was_edited_since_are_taken_back(world: World) -> None:
    files_say(world, many("a"))
    assert "a-0000" in names(world)

    files_say(world, many("b"))
    until_applied(world)

    assert names(world) == [one.name for one in many("b")]


def test_a_daemon_that_dies_between_the_parts_goes_on_where_it_was(world: World) -> None:
    files_say(world, many("a"))
    world.turn()

    world.start_again()
    files_say(world, many("a"))
    until_applied(world)

    assert names(world) == [one.name for one in many("a")]


def test_a_part_that_could_not_be_written_is_written_again(world: World) -> None:
    files_say(world, many("a"))

    with world.database.write(), pytest.raises(StoreUnavailable):
        world.parts.definitions.apply()
    assert len(names(world)) == MOST_AT_ONCE
    until_applied(world)

    assert len(names(world)) == MANY


def test_a_single_time_that_was_over_before_each_of_many_was_seen_is_a_misfire_of_its_own(
    world: World,
) -> None:
    past = Once(at=NOW.replace(tzinfo=None, year=2020))
    files_say(world, many("a", when=past, enabled=True))
    until_applied(world)

    assert [run.reason.split()[0] for run in world.runs()] == ["misfire"] * MANY
    assert len({run.flow for run in world.runs()}) == MANY


def test_commands_that_are_no_more_are_no_flows_any_more(world: World) -> None:
    files_say(world, many("a"))
    until_applied(world)

    files_say(world, many("a", 2))
    until_applied(world)

    with world.database.read() as tx:
        assert tx.flows.names() == ["a-0000", "a-0001"]
