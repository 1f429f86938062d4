"""The flows as they were last put in force."""

import pytest

from schedulerd.domain.ids import FlowKey
from schedulerd.scheduler.known_flows import KnownFlows
from schedulerd.store.database import Database
from tests.builders import NOW, a_command, a_file


def test_flows_of_files_are_held_as_they_were(sqlite_database: Database) -> None:
    with sqlite_database.write() as tx:
        (key,) = tx.flows.put_file(a_file(), now=NOW)
        known = KnownFlows(sqlite_database)
        known.know(tx.flows.all())

        tx.flows.remove_file("flows/etl.py", now=NOW)

    assert not known[key].removed


def test_a_command_is_looked_up_when_it_is_asked_for_and_is_the_same_until_it_is_forgotten(
    sqlite_database: Database,
) -> None:
    known = KnownFlows(sqlite_database)
    with sqlite_database.write() as tx:
        key = tx.flows.put_command(a_command(), now=NOW)

    first = known[key]
    with sqlite_database.write() as tx:
        tx.flows.put_command(a_command(command="other"), now=NOW)

    assert known[key] is first
    known.know(())
    assert known[key].definition.command == "other"
    with sqlite_database.write() as tx:
        tx.flows.put_command(a_command(command="a third"), now=NOW)

    known.forget_commands()
    assert known[key].definition.command == "a third"
    assert list(known) == [key]
    assert len(known) == 1


def test_what_is_no_flow_is_not_known(sqlite_database: Database) -> None:
    known = KnownFlows(sqlite_database)

    assert known.get(FlowKey(7)) is None
    with pytest.raises(KeyError):
        known[FlowKey(7)]
