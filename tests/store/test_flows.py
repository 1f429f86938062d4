"""Flows: what files and commands define, and what became of it."""

import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest

from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileError, FlowKind, LastRun
from schedulerd.domain.run_queries import RunQuery
from schedulerd.domain.schedules import Interval, Once, Policies
from schedulerd.domain.states import RunState
from schedulerd.errors import Conflict, NotFound
from schedulerd.store.database import Database
from tests.builders import NOW, a_command, a_file, a_flow, a_schedule
from tests.store.scenes import add, add_in

LATER = NOW + timedelta(hours=1)
BROKEN = Failure(type="SyntaxError", message="invalid syntax", file="flows/etl.py", line=3)


def test_a_flow_comes_back_as_it_was_defined(database: Database) -> None:
    definition = a_flow(
        description="스물네 시간의 일",
        tags=("nightly", "kr"),
        parameters={"type": "object", "properties": {"region": {"type": "string", "default": "kr"}}},
        timeout_seconds=1.5,
        schedules=(
            a_schedule("one", when=Interval(every=timedelta(minutes=15), anchor=NOW)),
            a_schedule("two", when=Once(at=NOW.replace(tzinfo=None), timezone="Asia/Seoul"), enabled=False),
            a_schedule("three", parameters={"n": 1}, policies=Policies(misfire_grace=timedelta(0))),
        ),
    )

    with database.write() as tx:
        (key,) = tx.flows.put_file(a_file(definition, version="c0ffee"), now=NOW)
        flow = tx.flows.get("etl")

    assert (flow.key, flow.definition, flow.version_hash) == (key, definition, "c0ffee")
    assert (flow.first_seen, flow.changed_at, flow.removed, flow.error) == (NOW, NOW, False, None)


def test_a_definition_is_read_once_until_it_is_another(database: Database) -> None:
    with database.write() as tx:
        tx.flows.put_file(a_file(a_flow(tags=("nightly",))), now=NOW)
        first, second = tx.flows.get("etl").definition, tx.flows.all()[0].definition
        tx.flows.put_file(a_file(a_flow(tags=("hourly",))), now=LATER)
        third = tx.flows.get("etl").definition

    assert second is first
    assert third.tags == ("hourly",)


def test_flows_are_looked_up_by_their_names(database: Database) -> None:
    with database.write() as tx:
        for names in (("etl", "report", "gone"), ("etl", "report")):
            tx.flows.put_file(a_file(*(a_flow(name, file="flows/all.py") for name in names)), now=NOW)

        assert [flow.definition.name for flow in tx.flows.all(named=["report", "gone", "etl"])] == [
            "etl",
            "report",
        ]
        assert [one.name for one in tx.flows.definitions()] == ["etl", "report"]


def test_the_code_of_each_version_stays_readable(database: Database) -> None:
    with database.write() as tx:
        tx.flows.put_file(a_file(version="one", source="x = 1\n"), now=NOW)
        tx.flows.put_file(a_file(version="two", source="x = 2\n"), now=LATER)

        assert tx.flows.version_source("one") == "x = 1\n"
        assert tx.flows.version_source("two") == "x = 2\n"
        assert tx.flows.get("etl").version_hash == "two"
        with pytest.raises(NotFound):
            tx.flows.version_source("three")


def test_putting_the_same_file_again_changes_nothing(database: Database) -> None:
    with database.write() as tx:
        first = tx.flows.put_file(a_file(), now=NOW)
        flow = tx.flows.get("etl")
        second = tx.flows.put_file(a_file(), now=LATER)

        assert first == second
        assert tx.flows.get("etl") == flow


def test_a_changed_file_keeps_the_identity_of_its_flow(database: Database) -> None:
    with database.write() as tx:
        first = tx.flows.put_file(a_file(), now=NOW)
        second = tx.flows.put_file(a_file(version="new"), now=LATER)
        flow = tx.flows.get("etl")

    assert first == second
    assert (flow.first_seen, flow.changed_at, flow.version_hash) == (NOW, LATER, "new")


def test_a_flow_that_its_file_has_no_longer_is_removed(database: Database) -> None:
    one, two = a_flow("one", file="flows/all.py"), a_flow("two", file="flows/all.py")
    with database.write() as tx:
        tx.flows.put_file(a_file(one, two), now=NOW)
        tx.flows.put_file(a_file(two, version="new"), now=LATER)

        assert tx.flows.names() == ["two"]
        assert [flow.definition.name for flow in tx.flows.all()] == ["two"]
        assert [(flow.definition.name, flow.removed) for flow in tx.flows.all(removed=True)] == [
            ("one", True),
            ("two", False),
        ]


def test_a_removed_file_comes_back_with_its_history(database: Database) -> None:
    with database.write() as tx:
        (key,) = tx.flows.put_file(a_file(), now=NOW)
        add(tx, key)
        tx.flows.remove_file("flows/etl.py", now=LATER)
        removed = tx.flows.get("etl").removed
        (again,) = tx.flows.put_file(a_file(), now=LATER)
        add(tx, again)

        assert removed
        assert again == key
        assert not tx.flows.get("etl").removed
        assert tx.runs.by_number("etl", 2).flow_key == key


def test_the_first_file_keeps_the_name(database: Database) -> None:
    with database.write() as tx:
        tx.flows.put_file(a_file(), now=NOW)

    with pytest.raises(Conflict, match=r"flows/etl\.py"), database.write() as tx:
        tx.flows.put_file(a_file(a_flow(file="flows/copy.py"), version="other"), now=LATER)

    with database.read() as tx:
        assert tx.flows.get("etl").definition.file == "flows/etl.py"


def test_the_same_code_at_a_new_path_is_a_move(database: Database) -> None:
    with database.write() as tx:
        before = tx.flows.put_file(a_file(), now=NOW)
        after = tx.flows.put_file(a_file(a_flow(file="flows/moved.py")), now=LATER)
        tx.flows.remove_file("flows/etl.py", now=LATER)
        flow = tx.flows.get("etl")

    assert before == after
    assert (flow.definition.file, flow.removed) == ("flows/moved.py", False)


def test_a_broken_file_leaves_the_last_good_version_in_force(database: Database) -> None:
    with database.write() as tx:
        tx.flows.put_file(a_file(version="good"), now=NOW)
        tx.flows.set_file_error("flows/etl.py", BROKEN, now=LATER)
        flow, errors = tx.flows.get("etl"), tx.flows.errors()

    assert (flow.version_hash, flow.removed, flow.error) == ("good", False, BROKEN)
    assert errors == [FileError(file="flows/etl.py", error=BROKEN, seen_at=LATER, version_hash="good")]


def test_a_file_that_was_never_good_shows_its_error(database: Database) -> None:
    with database.write() as tx:
        tx.flows.set_file_error("flows/new.py", BROKEN, now=NOW)
        tx.flows.set_file_error("flows/new.py", replace(BROKEN, line=4), now=LATER)

        assert tx.flows.errors() == [
            FileError(file="flows/new.py", error=replace(BROKEN, line=4), seen_at=LATER)
        ]


@pytest.mark.parametrize("mended", [True, False], ids=["mended", "removed"])
def test_an_error_ends_with_its_cause(database: Database, *, mended: bool) -> None:
    with database.write() as tx:
        tx.flows.set_file_error("flows/etl.py", BROKEN, now=NOW)
        if mended:
            tx.flows.put_file(a_file(), now=LATER)
        else:
            tx.flows.remove_file("flows/etl.py", now=LATER)

        assert tx.flows.errors() == []


def test_the_text_of_a_command_is_its_version(database: Database) -> None:
    with database.write() as tx:
        key = tx.flows.put_command(a_command(command="pg_dump app"), now=NOW)
        flow = tx.flows.get("dump")
        assert flow.version_hash is not None

        assert (flow.key, flow.definition) == (key, a_command(command="pg_dump app"))
        assert tx.flows.version_source(flow.version_hash) == "pg_dump app"


def test_a_command_changes_and_moves_between_schedule_files(database: Database) -> None:
    with database.write() as tx:
        before = tx.flows.put_command(a_command(), now=NOW)
        after = tx.flows.put_command(a_command(command="pg_dump other", file="config/b.toml"), now=LATER)

        assert before == after
        assert tx.flows.get("dump").definition.command == "pg_dump other"


def test_a_command_cannot_take_the_name_of_a_flow(database: Database) -> None:
    with database.write() as tx:
        tx.flows.put_file(a_file(), now=NOW)

        with pytest.raises(Conflict):
            tx.flows.put_command(a_command("etl"), now=NOW)


def test_removing_a_command_leaves_files_alone(database: Database) -> None:
    with database.write() as tx:
        tx.flows.put_file(a_file(), now=NOW)
        tx.flows.put_command(a_command(), now=NOW)
        tx.flows.remove_command("etl", now=LATER)
        tx.flows.remove_command("dump", now=LATER)

        assert tx.flows.names() == ["etl"]


def test_a_flow_shows_its_newest_run(database: Database) -> None:
    with database.write() as tx:
        (key,) = tx.flows.put_file(a_file(), now=NOW)
        none_yet = tx.flows.get("etl").last_run
        add_in(tx, key, RunState.COMPLETED)
        add_in(tx, key, RunState.FAILED)

        assert none_yet is None
        assert tx.flows.get("etl").last_run == LastRun(2, RunState.FAILED, NOW)


def test_a_typing_error_is_answered_with_near_names(database: Database) -> None:
    with database.write() as tx:
        tx.flows.put_file(a_file(a_flow("ETL-pipeline")), now=NOW)

        with pytest.raises(NotFound) as caught:
            tx.flows.get("etl-pipelin")

    assert caught.value.near == ("ETL-pipeline",)


def test_how_the_letters_of_a_name_are_composed_makes_no_difference(database: Database) -> None:
    decomposed = unicodedata.normalize("NFD", "한글흐름")
    with database.write() as tx:
        tx.flows.put_file(a_file(a_flow(decomposed)), now=NOW)

    with database.read() as tx:
        assert tx.flows.get("한글흐름").definition.name == decomposed
        query = RunQuery(flows=("한글흐름",))
        assert tx.history.page(query, now=NOW, limit=5, after=None, before=None).runs == []


def test_many_commands_put_together_are_as_if_each_was_put_alone(database: Database) -> None:
    with database.write() as tx:
        kept = tx.flows.put_command(a_command("kept", command="a"), now=NOW)
        tx.flows.put_command(a_command("edited", command="a"), now=NOW)
        gone = tx.flows.put_command(a_command("back", command="a"), now=NOW)
        tx.flows.remove_commands(["back", "nobody"], now=NOW)

        given = [
            a_command(name, command=text) for name, text in (("kept", "a"), ("back", "a"), ("edited", "b"))
        ]
        keys = tx.flows.put_commands([*given, a_command("new", command="b")], now=LATER)

        found = {flow.definition.name: flow for flow in tx.flows.all()}
        assert {name: flow.key for name, flow in found.items()} == keys
        assert (keys["kept"], keys["back"]) == (kept, gone)
        assert {name: flow.changed_at for name, flow in found.items()} == dict.fromkeys(keys, LATER) | {
            "kept": NOW
        }
        assert [
            tx.flows.version_source(found[name].version_hash or "") for name in ("kept", "edited", "new")
        ] == [
            "a",
            "b",
            "b",
        ]


def test_commands_are_removed_and_flows_of_files_that_have_such_a_name_stay(database: Database) -> None:
    with database.write() as tx:
        (key,) = tx.flows.put_file(a_file(), now=NOW)
        tx.flows.put_command(a_command(), now=NOW)

        tx.flows.remove_commands(["etl", "dump"], now=LATER)

        assert [flow.key for flow in tx.flows.all()] == [key]
        assert tx.flows.names(FlowKind.COMMAND) == []
        assert [flow.definition.name for flow in tx.flows.all(removed=True, kind=FlowKind.COMMAND)] == [
            "dump"
        ]
        assert (tx.flows.by_key(key).definition, tx.flows.of_file("flows/etl.py")) == (a_flow(), [a_flow()])
