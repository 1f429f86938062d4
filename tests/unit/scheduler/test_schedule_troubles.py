"""A schedule that stands still is told of in the daemon's health: which, why, and until when; until it is mended."""

from datetime import timedelta
from pathlib import Path

import pytest

from schedulerd.domain.health import TroubleKind
from schedulerd.domain.schedules import Cron, ScheduleDefinition
from schedulerd.scheduler.messages import Tick
from schedulerd.store.database import Database
from tests.builders import A_SECOND, NOW
from tests.unit.scheduler.scenes import World, each_minute


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    return World(sqlite_database, tmp_path / "state")


NOWHERE = Cron(expression="* * * * *", timezone="Nowhere/Nohow")


def told(world: World) -> list[str]:
    return [one.reason for one in world.health.health.troubles if one.kind is TroubleKind.SCHEDULES]


def stand_still(world: World) -> ScheduleDefinition:
    """A schedule that was in force when its zone was known, and is due, on a machine that knows it no more."""
    gone = each_minute(when=NOWHERE)
    world.define(each_minute())
    with world.database.write() as tx:
        flow = tx.flows.get("dump").key
        tx.schedules.put(gone, flow=flow, watermark=NOW, next_due=NOW + A_SECOND, now=NOW)
    world.start_again()
    return gone


def test_a_schedule_that_cannot_be_decided_is_told_of_until_it_is_mended(world: World) -> None:
    gone = stand_still(world)
    world.define(gone)
    world.turn(Tick(), minutes=1)
    (said,) = told(world)
    world.turn(Tick(), minutes=1)
    again = told(world)
    world.define(each_minute())

    assert said.startswith("schedule 'dump' cannot be decided (")
    assert "Nowhere/Nohow" in said
    assert said.endswith(f"; put off until {NOW + timedelta(minutes=61):%Y-%m-%d %H:%M} UTC")
    assert again == [said]
    assert told(world) == []
    assert world.health.health.is_ready


def test_a_schedule_that_is_refused_is_told_of_until_its_file_says_what_is_in_force(world: World) -> None:
    world.define(each_minute())
    world.define(each_minute(when=NOWHERE))
    (said,) = told(world)
    world.define(each_minute())

    assert said.startswith("schedule 'dump' is not in force as its file says (")
    assert "Nowhere/Nohow" in said
    assert told(world) == []


def test_a_schedule_that_is_no_more_is_not_told_of(world: World) -> None:
    world.define(each_minute(when=NOWHERE))
    assert len(told(world)) == 1

    world.define()

    assert told(world) == []


def test_of_many_the_first_are_told_of_by_name(world: World) -> None:
    world.define(*(each_minute(f"dump-{number}", when=NOWHERE) for number in range(7)))

    (said,) = told(world)

    assert said.count("schedule 'dump-") == 5
    assert said.endswith("; and 2 more")
