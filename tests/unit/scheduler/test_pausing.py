"""Pausing: what is due meanwhile is skipped in one row when it is resumed, and never made up for."""

from datetime import timedelta
from pathlib import Path

import pytest

from schedulerd.domain.schedules import Catchup, Cron, Overlap, Policies
from schedulerd.errors import Conflict, NotFound
from schedulerd.operations.schedules import Schedules
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
    return made


class Person:
    """Somebody at the command line."""

    def __init__(self, world: World) -> None:
        self.woken = 0
        self.schedules = Schedules(world.database, world.clock, wake=self._wake, entropy=lambda: self.woken)

    def _wake(self) -> bool:
        self.woken += 1
        return True

    def pause(self, name: str = "dump") -> None:
        """Pause it for a reason."""
        self.schedules.pause(name, actor="kim", reason="the disk is full")


def rows(world: World) -> list[tuple[str, str]]:
    return [(run.state.value, run.reason) for run in world.runs()]


def test_a_paused_schedule_is_not_due_and_wakes_nobody(world: World) -> None:
    Person(world).pause()

    for _ in range(5):
        world.turn(Tick(), minutes=1)

    assert world.runs() == []
    assert world.core.next_due is None


def test_the_due_times_of_a_pause_are_one_row_and_are_not_caught_up(world: World) -> None:
    person = Person(world)
    person.pause()
    for _ in range(5):
        world.turn(Tick(), minutes=1)
    person.schedules.resume("dump")
    world.turn(Tick(), seconds=30)

    (row,) = world.runs()
    assert row.state == "skipped"
    assert row.reason.startswith("paused: 5 due times from 2026-11-22T06:01")
    world.turn(Tick(), seconds=30)
    assert rows(world)[1:] == [("pending", "")]


def test_a_single_due_time_of_a_pause_is_a_row_like_any_other(world: World) -> None:
    person = Person(world)
    person.pause()
    world.turn(Tick(), minutes=1)
    person.schedules.resume("dump")

    assert rows(world) == [("skipped", "paused")]
    assert world.runs()[0].due_at == NOW + timedelta(minutes=1)


def test_a_pause_without_due_times_leaves_no_row(world: World) -> None:
    person = Person(world)
    person.pause()
    world.clock.advance(seconds=20)
    resumed = person.schedules.resume("dump")

    assert world.runs() == []
    assert resumed.next_due == NOW + timedelta(minutes=1)
    assert resumed.paused is None


def test_a_pause_outlives_the_daemon_and_works_without_it(world: World) -> None:
    person = Person(world)
    person.pause()
    world.turn(Tick(), minutes=2)
    world.start_again()
    world.define(each_minute(policies=ALL))
    world.turn(Tick(), minutes=2)
    assert world.runs() == []

    person.schedules.resume("dump")

    assert [reason.split(" ", 2)[:2] for _, reason in rows(world)] == [["paused:", "4"]]


def test_what_was_due_before_the_pause_and_not_decided_is_left_with_it(world: World) -> None:
    person = Person(world)
    world.clock.advance(minutes=2)  # nobody ticked
    person.pause()
    world.clock.advance(minutes=2)
    person.schedules.resume("dump")
    world.turn(Tick(), seconds=1)

    assert len(rows(world)) == 1
    assert rows(world)[0][1].startswith("paused: 4 due times")


def test_a_paused_schedule_that_is_edited_stays_paused(world: World) -> None:
    person = Person(world)
    person.pause()
    world.clock.advance(minutes=3)
    world.define(each_minute(policies=ALL, when=Cron(expression="*/2 * * * *")))
    world.turn(Tick(), minutes=10)
    shown = person.schedules.get("dump")

    assert shown.paused is not None
    assert (shown.paused.by, shown.paused.reason) == ("kim", "the disk is full")
    assert shown.next_due is None
    assert [reason.split(" ", 2)[:2] for _, reason in rows(world)] == [["paused:", "3"]]

    person.schedules.resume("dump")
    assert [reason.split(" ", 2)[:2] for _, reason in rows(world)][1:] == [["paused:", "5"]]


def test_a_paused_schedule_that_is_removed_and_comes_back_stays_paused(world: World) -> None:
    person = Person(world)
    person.pause()
    world.define()
    world.define(each_minute(policies=ALL))
    world.turn(Tick(), minutes=3)

    assert world.runs() == []
    assert person.schedules.get("dump").paused is not None


def test_a_paused_schedule_that_is_not_enabled_leaves_nothing(world: World) -> None:
    world.define(a_command())
    person = Person(world)
    person.pause()
    world.clock.advance(minutes=3)
    person.schedules.resume("dump")

    assert world.runs() == []


def test_a_second_pause_is_a_conflict_that_says_who_and_when(world: World) -> None:
    person = Person(world)
    person.pause()

    with pytest.raises(
        Conflict, match=r"paused already: since 2026-11-22 06:00 UTC, by kim: the disk is full"
    ):
        person.pause()


def test_what_is_not_paused_cannot_be_resumed(world: World) -> None:
    with pytest.raises(Conflict, match="'dump' is not paused"):
        Person(world).schedules.resume("dump")


def test_a_misspelt_name_is_answered_with_near_ones(world: World) -> None:
    for ask in (Person(world).pause, Person(world).schedules.resume):
        with pytest.raises(NotFound) as caught:
            ask("dmup")
        assert caught.value.near == ("dump",)


def test_the_daemon_is_woken(world: World) -> None:
    person = Person(world)
    person.pause()
    person.schedules.resume("dump")

    assert person.woken == 2


def test_a_flow_is_paused_and_resumed_with_all_its_schedules(world: World) -> None:
    person = Person(world)

    assert [one.definition.name for one in person.schedules.pause_flow("dump", actor="kim", reason="r")] == [
        "dump"
    ]
    with pytest.raises(Conflict, match="no schedule that could be paused"):
        person.schedules.pause_flow("dump", actor="kim", reason="r")
    assert [one.paused for one in person.schedules.resume_flow("dump")] == [None]
    with pytest.raises(Conflict, match="no schedule that is paused"):
        person.schedules.resume_flow("dump")


def test_a_run_that_goes_on_or_waits_is_no_business_of_a_pause(world: World) -> None:
    world.define(each_minute(policies=Policies(overlap=Overlap.QUEUE)))
    world.turn(Tick(), minutes=1)
    world.turn(Tick(), minutes=1)
    Person(world).pause()
    world.turn(Tick(), minutes=1)

    assert rows(world) == [("pending", ""), ("scheduled", "queued behind dump#1")]
