"""Schedules come into force in parts: what happens between them loses no due time, doubles none, and is stopped by none."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.bundles import bundled
from schedulerd.domain.causes import SettledFile
from schedulerd.domain.flows import FlowDefinition
from schedulerd.domain.runs import RunFilter
from schedulerd.domain.schedules import FileAppears, Once, ScheduleDefinition
from schedulerd.errors import StoreUnavailable
from schedulerd.scheduler.enforcing import Enforcer
from schedulerd.scheduler.inspecting import Inspected, Inspector
from schedulerd.scheduler.messages import DefinitionsChanged, Tick, Woken
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import NOW, a_file, a_flow, a_schedule
from tests.unit.scheduler.part_scenes import (
    EACH_MINUTE,
    MANY,
    X,
    Y,
    files_say,
    is_asleep,
    many,
    names,
    the_command_of,
    until_applied,
    when_which_ran,
)
from tests.unit.scheduler.scenes import World, a_command


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    """A core without schedules."""
    return World(sqlite_database, tmp_path / "state", max_running=MANY)


def test_many_that_are_renamed_lose_no_due_time_and_double_none(world: World) -> None:
    """Each has another name, which is put in force turns later: the old ones end when the new ones begin."""
    files_say(world, many("old", when=EACH_MINUTE, enabled=True))
    until_applied(world)

    files_say(world, many("new", when=EACH_MINUTE, enabled=True), seconds=59)
    until_applied(world, seconds=40)  # due times lie between the parts
    for _ in range(10):  # a tick takes two hundred
        world.turn(Tick(), seconds=0)

    with world.database.read() as tx:
        runs = tx.runs.list(RunFilter(limit=10_000))
    found = {
        due: sorted(run.flow for run in runs if run.due_at == due) for due in {run.due_at for run in runs}
    }
    assert len(found) >= 2
    wanted = [one.name for one in many("new")]
    assert {due for due, flows in found.items() if flows != wanted} == set()


def test_a_command_that_was_due_before_its_part_of_an_edit_was_written_is_the_new_one_after_it(
    world: World,
) -> None:
    def said(command: str) -> list[ScheduleDefinition]:
        return [*many("a"), a_command("last", when=EACH_MINUTE, enabled=True, command=command)]

    files_say(world, said("old"))
    until_applied(world)

    files_say(world, said("new"), seconds=1)
    world.turn(Tick(), minutes=1)  # due before its part is written, in the same turn
    until_applied(world)
    world.turn(Tick(), minutes=1)

    assert [the_command_of(world, run) for run in world.runs() if run.flow == "last"] == ["old", "new"]


def test_a_rename_while_parts_are_to_be_written_doubles_no_due_time_and_loses_none(world: World) -> None:
    files_say(world, [X])
    files_say(world, [X, *many("a")], seconds=30)
    world.turn(Tick(), seconds=30)  # the first full minute is over
    assert world.parts.definitions.is_behind

    files_say(world, [*many("a"), Y], seconds=5)
    until_applied(world)
    world.turn(Tick(), seconds=55)

    assert when_which_ran(world) == [(1, "x"), (2, "y")]


def test_what_is_taken_out_and_put_in_again_while_parts_are_to_be_written_has_each_due_time_once(
    world: World,
) -> None:
    files_say(world, [X])
    files_say(world, [X, *many("a")], seconds=30)
    world.turn(Tick(), seconds=30)
    files_say(world, many("a"), seconds=5)

    files_say(world, [*many("a"), X], seconds=5)
    until_applied(world)
    world.turn(Tick(), seconds=50)

    assert when_which_ran(world) == [(1, "x"), (2, "x")]


def test_a_single_time_that_was_over_before_it_was_written_down_is_a_misfire_while_parts_are_to_be_written(
    world: World,
) -> None:
    soon = (NOW + timedelta(seconds=35)).replace(tzinfo=None)
    files_say(world, many("a"), seconds=30)
    late = a_command("late", when=Once(at=soon), enabled=True, origin="z.toml:1")

    files_say(world, [*many("a"), late], seconds=10)
    until_applied(world)

    assert [run.reason.split()[0] for run in world.runs()] == ["misfire"]


def test_a_daemon_that_dies_within_a_rename_loses_no_due_time(world: World) -> None:
    files_say(world, [*many("a"), replace(X, origin="many.toml:999")])
    until_applied(world)
    renamed = [*many("a"), replace(Y, origin="many.toml:999")]
    files_say(world, renamed, seconds=50)
    assert {"x", "y"}.isdisjoint(names(world))

    world.clock.advance(seconds=20)
    world.start_again()
    files_say(world, renamed)
    until_applied(world)
    world.turn(Tick(), seconds=50)

    assert when_which_ran(world) == [(1, "y"), (2, "y")]
    with world.database.read() as tx:
        assert tx.facts.get("schedules_outstanding") is None


def test_a_rename_whose_first_part_is_in_the_database_though_that_was_not_heard_loses_no_due_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    files_say(world, [*many("a"), replace(X, origin="many.toml:999")])
    until_applied(world)
    write = world.database.write

    @contextmanager
    def lost_after_commit() -> Iterator[Transaction]:
        with write() as tx:
            yield tx
        raise StoreUnavailable("the connection is lost")

    bundles = bundled([*many("a"), replace(Y, origin="many.toml:999")])
    world.clock.advance(seconds=50)
    definitions = world.parts.definitions
    definitions.changed(DefinitionsChanged(flow_files=frozenset(), look_at=frozenset(), schedules=bundles))
    with monkeypatch.context() as broken:
        broken.setattr(world.database, "write", lost_after_commit)
        with pytest.raises(StoreUnavailable):
            definitions.apply()
    assert {"x", "y"}.isdisjoint(names(world))

    world.turn(Tick(), seconds=20)
    until_applied(world)
    world.turn(Tick(), seconds=50)

    assert when_which_ran(world) == [(1, "y"), (2, "y")]


def test_a_file_that_appears_between_the_parts_is_a_cause(world: World) -> None:
    waits = a_command("waits", when=FileAppears(pattern="/in/*.csv"), enabled=True, origin="many.toml:999")
    files_say(world, [X])
    files_say(world, [*many("a"), waits], seconds=1)
    assert world.parts.definitions.is_behind

    world.clock.advance(seconds=1)
    came = SettledFile(path="/in/x.csv", inode=1, size=2, modified_ns=3, changed_at=world.clock.now())
    world.causes.note([came])
    world.turn(Woken(), seconds=1)

    assert [run.flow for run in world.runs()] == ["waits"]


def test_schedules_of_a_flow_that_is_another_come_into_force_with_it(world: World) -> None:
    def said(flow: FlowDefinition, schedule: ScheduleDefinition) -> None:
        definitions, file = world.parts.definitions, a_file(flow)
        definitions.inspected(Inspected(file=file.file, definition=file))
        bundles = bundled([*many("a"), replace(schedule, origin="many.toml:999")])
        world.turn(
            DefinitionsChanged(flow_files=frozenset({file.file}), look_at=frozenset(), schedules=bundles)
        )

    said(a_flow(), a_schedule())
    until_applied(world)

    changed = a_schedule(priority=7)
    said(a_flow(tags=("new",)), changed)

    assert world.parts.definitions.is_behind
    with world.database.read() as tx:
        assert tx.schedules.get(changed.name).definition.priority == 7


@pytest.mark.parametrize("bad", ["a-0001", f"a-{MANY - 1:04}"], ids=["of the first part", "of the last"])
def test_a_schedule_that_cannot_be_written_for_whatever_reason_keeps_back_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    put = Enforcer.put

    def fails(enforcer: Enforcer, tx: Transaction, given: Sequence[ScheduleDefinition], **when: Any) -> None:
        if any(one.name == bad for one in given):
            raise KeyError(bad)
        put(enforcer, tx, given, **when)

    monkeypatch.setattr(Enforcer, "put", fails)

    files_say(world, many("a"))
    until_applied(world)

    assert names(world) == [one.name for one in many("a") if one.name != bad]
    assert world.parts.definitions.is_applied
    (trouble,) = world.health.health.troubles
    assert bad in trouble.reason
    with world.database.read() as tx:
        assert tx.facts.get("schedules_outstanding") is None


def test_what_fails_while_parts_are_to_be_written_is_tried_again_after_a_second_and_not_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def fails(*_: Any, **__: Any) -> None:
        tries.append(world.clock.now())
        raise KeyError("flow")

    files_say(world, many("a"))
    with monkeypatch.context() as broken:
        broken.setattr(Enforcer, "remove", fails)
        files_say(world, many("b"))
        for _ in range(3):
            world.turn(Tick(), seconds=0.1)
        assert world.parts.definitions.is_behind
        assert len(set(tries)) == 1
        assert is_asleep(world)

    world.turn(Tick(), seconds=1)
    until_applied(world)
    assert names(world) == [one.name for one in many("b")]


def test_parts_that_wait_for_what_is_saved_with_them_let_the_core_sleep(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    files_say(world, [X])
    files_say(world, many("a"))
    assert not is_asleep(world)

    monkeypatch.setattr(Inspector, "is_idle", False)

    assert is_asleep(world)
