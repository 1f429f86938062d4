"""Schedules that are saved from outside of the files come into force in a running daemon, which the one who saves waits for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.clock import SystemClock
from schedulerd.daemon.definition_reader import DefinitionReader
from schedulerd.domain.access import Principal, Role
from schedulerd.errors import NotFound
from schedulerd.operations.definition_readers import Places
from schedulerd.operations.operations import Operations
from tests.service import Service

ROOT = Principal(name="root", role=Role.ADMIN)
VALUES = {"name": "nightly", "flow": "etl", "cron": "30 2 * * *", "timezone": "Europe/Berlin"}
FLOW = """
from schedulerd import flow


@flow
def etl(region: str = "kr") -> str:
    return region
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    service.drop("etl.py", FLOW)
    service.start()
    service.wait_for_flow("etl")
    yield service
    service.close()


@pytest.fixture
def asked(service: Service) -> Iterator[Operations]:
    places = Places(reader=DefinitionReader(timezone="UTC", pools=()), schedules=service.schedules)
    database = service.database()
    yield Operations(database, state_dir=service.state, clock=SystemClock(), places=places)
    database.close()


def test_what_is_saved_changed_and_deleted_is_in_force_when_that_returns(
    service: Service, asked: Operations
) -> None:
    saved = asked.definitions.create(VALUES, by=ROOT)
    created = asked.schedules.get("nightly").definition
    changed = asked.definitions.change("nightly", {**VALUES, "cron": "0 3 * * *"}, etag=saved.etag, by=ROOT)
    later = asked.schedules.get("nightly").definition
    gone = asked.definitions.delete("nightly", etag=changed.etag, by=ROOT)

    assert (saved.waits_for, changed.waits_for, gone.waits_for) == ("", "", "")
    assert created == asked.definitions.read(VALUES, by=ROOT)
    assert later == asked.definitions.read({**VALUES, "cron": "0 3 * * *"}, by=ROOT)
    with pytest.raises(NotFound):
        asked.schedules.get("nightly")
    assert service.cli("schedules", "list") == []


def test_what_the_daemon_does_not_take_is_said(service: Service, asked: Operations) -> None:
    service.schedules.chmod(
        0o777
    )  # whoever could write here could have anything run: the daemon believes none of it

    saved = asked.definitions.create(VALUES, by=ROOT)

    assert "anybody may write to it" in saved.waits_for
    with pytest.raises(NotFound):
        asked.schedules.get("nightly")
