"""Edits and removals: what is edited looks forward, and each due time that was not decided before has its row."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from schedulerd.domain.schedules import (
    Blackout,
    BlackoutWindow,
    Catchup,
    Cron,
    Once,
    Overlap,
    Policies,
    ScheduleDefinition,
)
from schedulerd.scheduler.messages import Tick
from schedulerd.store.database import Database
from tests.builders import NOW
from tests.unit.scheduler.scenes import World, a_command, each_minute

ALL = Policies(catchup=Catchup.ALL, overlap=Overlap.ALLOW)


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    """A core with a command at each full minute."""
    made = World(sqlite_database, tmp_path / "state")
    made.define(each_minute(policies=ALL))
    made.turn(Tick(), seconds=1)
    return made


def after_a_night(world: World, *schedules: ScheduleDefinition) -> list[tuple[str, str]]:
    """What the history says when the daemon was down for five due times and finds these schedules then."""
    world.clock.advance(minutes=5)
    world.start_again()
    world.define(*schedules)
    world.turn(Tick(), seconds=0.1)
    return [(run.state.value, " ".join(run.reason.split()[:2])) for run in world.runs()]


NOON = Cron(expression="0 12 * * *")
NIGHT = Blackout(windows=(BlackoutWindow(expression="0 0 * * *", duration=timedelta(hours=1)),))
EDITS = {
    "when": each_minute(policies=ALL, when=NOON),
    "start": each_minute(policies=ALL, start=datetime.fromisoformat("2027-01-01")),
    "end": each_minute(policies=ALL, end=datetime.fromisoformat("2027-01-01")),
    "jitter": each_minute(policies=ALL, jitter=timedelta(seconds=5)),
    "blackout": each_minute(policies=ALL, blackout=NIGHT),
    "enabled": a_command(policies=ALL),
}


@pytest.mark.parametrize("edited", EDITS.values(), ids=EDITS)
def test_an_edit_of_when_it_is_due_leaves_one_row_of_what_was_not_decided(
    world: World, edited: ScheduleDefinition
) -> None:
    assert after_a_night(world, edited) == [("skipped", "edited: 5")]


KEPT = {
    "catchup": each_minute(policies=Policies(catchup=Catchup.ALL, overlap=Overlap.ALLOW, catchup_limit=99)),
    "command": each_minute(policies=ALL, command="false"),
    "parameters": each_minute(policies=ALL, parameters={"region": "kr"}),
    "origin": each_minute(policies=ALL, origin="schedules/b.toml:9"),
}


@pytest.mark.parametrize("edited", KEPT.values(), ids=KEPT)
def test_an_edit_of_anything_else_keeps_what_was_missed(world: World, edited: ScheduleDefinition) -> None:
    assert [state for state, _ in after_a_night(world, edited)].count("skipped") == 0
    assert len(world.runs()) == 5


def test_a_removal_leaves_one_row_of_what_was_not_decided(world: World) -> None:
    assert after_a_night(world) == [("skipped", "removed: 5")]


def test_what_was_decided_before_the_edit_is_not_decided_again(world: World) -> None:
    world.turn(Tick(), minutes=1)

    world.define(EDITS["when"])

    assert len(world.runs()) == 1


def test_one_that_comes_back_looks_forward(world: World) -> None:
    world.define()
    world.clock.advance(minutes=5)
    world.define(each_minute(policies=ALL))
    world.turn(Tick(), seconds=1)

    assert world.runs() == []


def test_one_that_was_not_enabled_leaves_nothing(world: World) -> None:
    world.define(a_command(policies=ALL))
    before = len(world.runs())

    after_a_night(world, EDITS["when"])

    assert len(world.runs()) == before


def test_the_row_has_the_flow_and_the_parameters_of_the_old_definition(world: World) -> None:
    world.define(each_minute(policies=ALL, parameters={"region": "kr"}))

    after_a_night(world, each_minute(policies=ALL, parameters={"region": "jp"}, when=NOON))

    assert [dict(run.parameters) for run in world.runs()] == [{"region": "kr"}]


def test_an_edit_to_a_time_that_has_passed_is_told_as_a_misfire(world: World) -> None:
    world.define(each_minute(policies=ALL, when=Once(at=datetime.fromisoformat("2026-11-22T05:30"))))
    world.turn(Tick(), seconds=1)

    assert [(run.state, run.reason) for run in world.runs()] == [("skipped", "misfire")]


def test_a_time_that_ran_is_no_misfire_when_it_is_enabled_again(world: World) -> None:
    once = each_minute(policies=ALL, when=Once(at=(NOW + timedelta(minutes=1)).replace(tzinfo=None)))
    world.define(once)
    world.turn(Tick(), minutes=1)
    world.define(a_command(policies=ALL, when=once.when))
    world.define(once)

    assert [run.state for run in world.runs()] == ["pending"]


def test_a_definition_that_can_be_reckoned_no_longer_gives_way_to_a_new_one(world: World) -> None:
    gone = each_minute(policies=ALL, when=Cron(expression="* * * * *", timezone="Nowhere/Nohow"))
    with world.database.write() as tx:
        flow = tx.flows.get("dump").key
        tx.schedules.put(gone, flow=flow, watermark=NOW, next_due=None, now=NOW)

    world.start_again()
    world.define(each_minute(policies=ALL))
    world.turn(Tick(), minutes=1)

    assert len(world.runs()) == 1
