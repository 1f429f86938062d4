"""A clock that was far ahead and is put right: nothing runs twice, and nothing is silent until it has caught up."""

import logging
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.health import TroubleKind
from schedulerd.domain.runs import Run
from schedulerd.domain.schedules import Catchup, Cron, Interval, Once, Overlap, Policies
from schedulerd.domain.states import RunState
from schedulerd.operations.schedules import Schedules
from schedulerd.store.database import Database
from tests.builders import NOW
from tests.unit.scheduler.scenes import World, a_command, each_minute

HOURLY = Cron(expression="0 * * * *")
FAR_AHEAD = timedelta(days=40, minutes=10)  # away from a full hour, so that nothing is on time by chance


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    return World(sqlite_database, tmp_path / "state", max_running=1_000)


def hourly(**changes: Any) -> Any:
    return each_minute(when=HOURLY, **changes)


def go_wrong(world: World) -> None:
    """Have the clock show a time far ahead, and the core see it."""
    world.clock.jump(seconds=FAR_AHEAD.total_seconds())
    world.turn(seconds=1)


def put_right(world: World) -> None:
    """Have it show the true time again."""
    world.clock.jump(seconds=-FAR_AHEAD.total_seconds())
    world.turn(seconds=1)


def pass_hours(world: World, count: int) -> None:
    """Let so many hours pass, with a look each half."""
    for _ in range(2 * count):
        world.turn(minutes=30)


def ran(world: World) -> list[str]:
    """The slots that became runs, in the order in which they did."""
    return [run.slot or "" for run in world.runs() if run.state is not RunState.SKIPPED]


def hours(*numbers: int) -> list[str]:
    return [(NOW + timedelta(hours=number)).isoformat() for number in numbers]


def decided(world: World) -> list[Run]:
    return [run for run in world.runs() if run.slot is not None]


def test_a_clock_that_goes_back_an_hour_leaves_decided_due_times_alone_and_misses_none(world: World) -> None:
    world.define(hourly())
    pass_hours(world, 3)

    world.clock.jump(hours=-1)
    world.turn(seconds=1)
    pass_hours(world, 2)

    assert ran(world) == hours(1, 2, 3, 4)


def test_after_a_correction_of_four_hours_due_times_that_ran_leave_no_trace(world: World) -> None:
    world.define(hourly())
    pass_hours(world, 5)
    before = decided(world)

    world.clock.jump(hours=-4)
    world.turn(seconds=1)
    pass_hours(world, 4)
    assert decided(world) == before

    pass_hours(world, 1)
    assert ran(world) == hours(1, 2, 3, 4, 5, 6)


def test_a_clock_that_was_forty_days_ahead_leaves_no_schedule_silent(world: World) -> None:
    world.define(each_minute())
    world.turn(minutes=1)
    go_wrong(world)

    put_right(world)
    world.turn(minutes=1)

    assert ran(world)[-1] == (NOW + timedelta(minutes=2)).isoformat()


def test_what_was_skipped_by_a_clock_that_was_ahead_is_decided_again(world: World) -> None:
    world.define(hourly())
    go_wrong(world)
    skipped = [run for run in world.runs() if run.state is RunState.SKIPPED]

    put_right(world)
    pass_hours(world, 2)

    assert len(skipped) == 40 * 24 - 1
    assert ran(world)[1:] == hours(1, 2)
    after = {run.id: run for run in world.runs()}
    assert {after[run.id].state for run in skipped} == {RunState.SKIPPED}
    assert {after[run.id].slot for run in skipped} == {None}


def test_what_ran_while_the_clock_was_ahead_does_not_run_again(world: World) -> None:
    world.define(hourly())
    pass_hours(world, 1)
    world.clock.jump(hours=5, minutes=10)
    world.turn(seconds=1)
    assert ran(world) == hours(1, 6)

    world.clock.jump(hours=-5, minutes=-10)
    world.turn(seconds=1)
    pass_hours(world, 6)

    assert ran(world) == hours(1, 6, 2, 3, 4, 5, 7)


def test_skips_that_came_at_their_time_stay_as_they_are(world: World) -> None:
    world.define(hourly(policies=Policies(overlap=Overlap.SKIP)))
    pass_hours(world, 2)

    go_wrong(world)
    put_right(world)

    overlapped = next(run for run in world.runs() if run.due_at == NOW + timedelta(hours=2))
    assert (overlapped.state, overlapped.reason, overlapped.slot) == ("skipped", "overlap", *hours(2))


def test_runs_that_wait_for_a_time_far_ahead_stay(sqlite_database: Database, tmp_path: Path) -> None:
    world = World(sqlite_database, tmp_path / "state", max_running=1)
    world.define(hourly(policies=Policies(overlap=Overlap.ALLOW, catchup=Catchup.ALL)))
    world.clock.jump(hours=5)
    world.turn(seconds=1)
    waiting = [run.id for run in world.runs() if run.state is RunState.SCHEDULED]

    world.clock.jump(hours=-5)
    world.turn(seconds=1)
    pass_hours(world, 5)

    assert len(waiting) == 4
    assert [run.id for run in world.runs() if run.state is RunState.SCHEDULED] == waiting
    assert sorted(ran(world)) == hours(1, 2, 3, 4, 5)


def test_a_clock_that_was_put_right_while_the_daemon_was_down_is_noticed_at_its_start(world: World) -> None:
    world.define(hourly())
    go_wrong(world)
    wrong = ran(world)

    world.clock.jump(seconds=-FAR_AHEAD.total_seconds())
    world.start_again()
    world.define(hourly())
    pass_hours(world, 2)

    assert ran(world) == [*wrong, *hours(1, 2)]


def test_a_single_time_that_a_wrong_clock_took_for_past_runs_when_it_comes(world: World) -> None:
    go_wrong(world)
    world.define(each_minute(when=Once(at=(NOW + timedelta(hours=2)).replace(tzinfo=None))))
    assert [run.reason for run in world.runs()] == ["misfire"]

    put_right(world)
    pass_hours(world, 2)

    assert ran(world) == hours(2)


def test_an_interval_that_a_wrong_clock_saw_first_counts_from_now(world: World) -> None:
    go_wrong(world)
    world.define(each_minute(when=Interval(every=timedelta(minutes=7))))

    put_right(world)
    right = world.clock.now()
    for _ in range(8):
        world.turn(minutes=1)

    assert [datetime.fromisoformat(slot) - right for slot in ran(world)] == [timedelta(minutes=7)]


def test_a_schedule_that_is_not_enabled_stays_so(world: World) -> None:
    world.define(hourly())
    go_wrong(world)
    world.define(a_command())

    put_right(world)
    pass_hours(world, 2)

    assert len(ran(world)) == 1


def test_a_schedule_that_is_paused_stays_so_and_is_resumed_as_ever(world: World) -> None:
    world.define(hourly())
    go_wrong(world)
    wrong = ran(world)
    with world.database.write() as tx:
        tx.schedules.pause("dump", at=world.clock.now(), by="kim", reason="works")

    put_right(world)
    pass_hours(world, 2)
    assert ran(world) == wrong

    schedules = Schedules(world.database, world.clock, wake=lambda: True, entropy=lambda: 1)
    schedules.resume("dump")
    pass_hours(world, 1)
    assert ran(world) == [*wrong, *hours(3)]


def test_it_says_how_far_the_clock_went_back_and_what_came_of_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.define(hourly())
    go_wrong(world)

    with caplog.at_level(logging.WARNING):
        put_right(world)
        world.turn(seconds=1)

    (said,) = [record.__dict__ for record in caplog.records if record.message == "clock_went_back"]
    assert said["seconds"] == FAR_AHEAD.total_seconds()
    assert said["schedules_reopened"] == 1
    assert said["skips_reopened"] == 40 * 24 - 1


def test_a_clock_that_goes_on_says_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.define(hourly())

    with caplog.at_level(logging.WARNING):
        pass_hours(world, 3)
        world.clock.jump(days=1)
        pass_hours(world, 3)

    assert [record.message for record in caplog.records] == []


def test_a_correction_that_the_database_could_not_take_is_made_later(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    file = tmp_path / "impatient.db"
    file.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{file}", timeout=timedelta(seconds=0.05))
    world = World(database, tmp_path / "state")
    world.define(hourly())
    go_wrong(world)

    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        put_right(world)
    pass_hours(world, 1)

    assert ran(world)[1:] == hours(1)
    database.close()


def test_a_clock_that_was_set_back_is_odd_for_a_while_and_runs_are_started_all_the_same(world: World) -> None:
    world.turn()
    world.clock.jump(minutes=-5)
    world.turn()
    (trouble,) = world.core.health.troubles
    ready = world.core.health.is_ready

    world.turn(minutes=11)

    assert (trouble.kind, ready) == (TroubleKind.CLOCK, True)
    assert "was set back by 5m" in trouble.reason
    assert world.core.health.troubles == ()


def test_a_clock_that_shows_a_day_long_before_this_program_is_odd_until_it_is_set(world: World) -> None:
    world.clock.jump(days=-3_000)
    world.turn()
    world.turn(hours=1)
    kinds = [trouble.kind for trouble in world.core.health.troubles]

    world.clock.jump(days=3_000)
    world.turn(hours=1)

    assert kinds == [TroubleKind.CLOCK]
    assert world.core.health.troubles == ()
