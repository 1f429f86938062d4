"""`@reboot`: once for each start of the machine, and not for each start of the daemon."""

from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.schedules import Cron, Overlap, Policies, Reboot, ScheduleDefinition
from schedulerd.operations.schedules import Schedules
from schedulerd.scheduler.messages import Tick
from schedulerd.store.database import Database
from tests.builders import BOOT, NOW
from tests.unit.scheduler.scenes import World, a_command, each_minute

NEXT_BOOT = BOOT.replace("5e2a", "77aa")


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    """A core with a command at each boot."""
    made = World(sqlite_database, tmp_path / "state")
    made.define(at_reboot())
    made.turn(Tick())
    return made


def at_reboot(**changes: Any) -> ScheduleDefinition:
    return a_command(
        when=Reboot(), **{"enabled": True, "policies": Policies(overlap=Overlap.SKIP), **changes}
    )


def boot(world: World, *schedules: ScheduleDefinition, boot_id: str = NEXT_BOOT) -> None:
    """The machine starts, and the daemon with it."""
    world.boot = boot_id
    world.start_again()
    world.define(*schedules)
    world.turn(Tick(), seconds=1)


def rows(world: World) -> list[tuple[str, str, str | None]]:
    return [(run.state.value, run.reason, run.slot) for run in world.runs()]


def test_a_new_one_waits_for_the_next_boot(world: World) -> None:
    assert world.runs() == []

    boot(world, at_reboot())

    assert rows(world) == [("pending", "", f"@reboot {NEXT_BOOT}")]
    assert world.runs()[0].due_at >= NOW


def test_it_runs_once_for_a_boot_however_often_the_daemon_starts_and_reads_its_files(world: World) -> None:
    boot(world, at_reboot())
    for _ in range(3):
        boot(world, at_reboot())
        world.define(at_reboot(parameters={}))

    assert len(world.runs()) == 1


def test_it_runs_for_each_boot(world: World) -> None:
    boot(world, at_reboot(policies=Policies(overlap=Overlap.ALLOW)))
    boot(world, at_reboot(policies=Policies(overlap=Overlap.ALLOW)), boot_id="another")

    assert [slot for _, _, slot in rows(world)] == [f"@reboot {NEXT_BOOT}", "@reboot another"]


def test_it_is_known_when_it_was_due_last(world: World) -> None:
    boot(world, at_reboot())

    with world.database.read() as tx:
        schedule = tx.schedules.get("dump")
    assert schedule.last_due == world.runs()[0].due_at
    assert schedule.next_due is None


@pytest.mark.parametrize(
    "before",
    [each_minute(when=Cron(expression="0 0 1 1 *")), a_command(when=Reboot())],
    ids=["another kind", "not enabled"],
)
def test_one_that_is_edited_into_it_waits_for_the_next_boot(world: World, before: ScheduleDefinition) -> None:
    world.define(before)
    boot(world, before)
    world.define(at_reboot())
    world.turn(Tick())
    assert world.runs() == []

    boot(world, at_reboot(), boot_id="another")
    assert len(world.runs()) == 1


def test_an_edit_while_the_machine_was_off_of_anything_but_its_time_keeps_its_boot(world: World) -> None:
    boot(world, at_reboot(parameters={"region": "kr"}))

    assert len(world.runs()) == 1


def test_one_that_is_not_enabled_does_not_run(world: World) -> None:
    world.define(a_command(when=Reboot()))
    boot(world, a_command(when=Reboot()))

    assert world.runs() == []


def test_one_that_is_paused_has_a_row_for_the_boot(world: World) -> None:
    asked = Schedules(world.database, world.clock, wake=lambda: True, entropy=lambda: 7)
    asked.pause("dump", actor="kim", reason="later")
    boot(world, at_reboot())
    asked.resume("dump")
    world.turn(Tick())

    assert rows(world) == [("skipped", "paused", f"@reboot {NEXT_BOOT}")]


def test_one_that_is_removed_before_its_boot_was_seen_has_a_row_that_says_so(world: World) -> None:
    boot(world)

    assert rows(world) == [("skipped", "removed", f"@reboot {NEXT_BOOT}")]


def test_one_that_comes_back_waits_for_the_next_boot(world: World) -> None:
    world.define()
    boot(world)
    world.define(at_reboot())
    world.turn(Tick())

    assert world.runs() == []


def test_it_waits_until_the_files_have_been_read(world: World) -> None:
    world.boot = NEXT_BOOT
    world.start_again()
    world.turn(Tick(), seconds=0.1)
    assert world.runs() == []

    world.define(at_reboot())
    world.turn(Tick(), seconds=0.1)
    assert len(world.runs()) == 1
