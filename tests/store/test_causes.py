"""Which runs that ended are yet to be looked at, and which causes were decided."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from schedulerd.domain.causes import Cause, SettledFile, cause_of_file
from schedulerd.domain.runs import Trigger
from schedulerd.domain.schedules import After, Cron, FileAppears
from schedulerd.domain.states import ENDED, RunState
from schedulerd.errors import Conflict
from schedulerd.store.database import Database
from tests.builders import NOW, a_schedule
from tests.store.scenes import a_scene, add_in, move


def a_cause(mark: str = "file 1") -> Cause:
    return Cause(mark=mark, subject="/inbox/a.csv", trigger=Trigger.FILE, parameters={})


def test_a_run_is_to_be_looked_at_once_when_it_has_ended(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        keys = {state: add_in(tx, scene.flow, state) for state in RunState}

    with database.write() as tx:
        found = tx.causes.ended(limit=100)
        tx.causes.followed([run.key for run in found])

    assert {run.key for run in found} == {keys[state] for state in ENDED}
    assert {run.flow for run in found} == {"etl"}
    with database.read() as tx:
        assert tx.causes.ended(limit=100) == []


def test_one_that_is_tried_again_is_to_be_looked_at_again(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.FAILED)
        tx.causes.all_followed()
        tx.runs.try_again(key, at=NOW, actor="me", message="again")

    with database.write() as tx:
        assert tx.causes.ended(limit=5) == []
        for state in (RunState.PENDING, RunState.RUNNING, RunState.COMPLETED):
            assert move(tx, key, state)
        (run,) = tx.causes.ended(limit=5)

    assert (run.key, run.state) == (key, RunState.COMPLETED)


def test_what_was_looked_at_in_a_transaction_that_failed_is_looked_at_again(database: Database) -> None:
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.COMPLETED)

    with suppress(Conflict), database.write() as tx:
        tx.causes.followed([key])
        tx.runs.try_again(key, at=NOW, actor="me", message="one that completed is not tried again")

    with database.read() as tx:
        assert [run.key for run in tx.causes.ended(limit=5)] == [key]


def test_a_mark_is_decided_once_for_a_schedule(database: Database) -> None:
    with database.write() as tx:
        scene, other = a_scene(tx), a_scene(tx, name="other")
        tx.causes.decided(scene.schedule, [a_cause("file 1"), a_cause("file 2")], at=NOW)

    with database.read() as tx:
        assert tx.causes.known(scene.schedule, ["file 1", "file 3"]) == {"file 1"}
        assert tx.causes.known(other.schedule, ["file 1"]) == set()
    with pytest.raises(Conflict), database.write() as tx:
        tx.causes.decided(scene.schedule, [a_cause("file 1")], at=NOW)


def test_schedules_are_found_by_the_kind_of_their_causes(database: Database) -> None:
    whens = {"a": After(flows=("etl",)), "f": FileAppears(pattern="/in/*"), "c": Cron(expression="* * * * *")}
    with database.write() as tx:
        scene = a_scene(tx)
        for name, when in whens.items():
            definition = a_schedule(name, when=when)
            tx.schedules.put(definition, flow=scene.flow, watermark=NOW, next_due=None, now=NOW)
        off = a_schedule("off", when=whens["a"], enabled=False)
        tx.schedules.put(off, flow=scene.flow, watermark=NOW, next_due=None, now=NOW)

    with database.read() as tx:
        assert [one.definition.name for one in tx.schedules.caused_by("after")] == ["a"]
        assert [one.definition.when for one in tx.schedules.caused_by("file")] == [whens["f"]]


def test_what_was_decided_long_ago_is_forgotten_and_its_file_is_no_cause_again(database: Database) -> None:
    long_ago, lately = NOW - timedelta(days=100), NOW - timedelta(days=1)
    with database.write() as tx:
        scene = a_scene(tx)
        keys = {}
        for name, when in (("f", FileAppears(pattern="/in/*")), ("a", After(flows=("etl",)))):
            definition = a_schedule(name, when=when)
            keys[name] = tx.schedules.put(
                definition, flow=scene.flow, watermark=NOW - timedelta(days=200), next_due=None, now=NOW
            )
        tx.causes.decided(keys["f"], [a_cause("file old")], at=long_ago)
        tx.causes.decided(keys["f"], [a_cause("file new")], at=lately)

    with database.write() as tx:
        tx.causes.forget(NOW - timedelta(days=90))

    still_there = SettledFile(path="/in/a", inode=1, size=1, modified_ns=1, changed_at=long_ago)
    with database.read() as tx:
        assert tx.causes.known(keys["f"], ["file old", "file new"]) == {"file new"}
        (waits,) = tx.schedules.caused_by("file")
        assert cause_of_file(waits, still_there) is None
        assert cause_of_file(waits, replace(still_there, changed_at=lately)) is not None
        assert tx.schedules.get("a").watermark == NOW - timedelta(days=200)
