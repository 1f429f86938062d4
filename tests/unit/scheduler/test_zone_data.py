"""A new edition of the tz database: what is due next is reckoned anew, once."""

from datetime import timedelta

import pytest

from schedulerd.domain.schedules import Cron, ScheduleDefinition
from schedulerd.domain.zones import zones_version
from schedulerd.scheduler.zone_data import follow_zone_data
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import NOW, a_file, a_schedule

BERLIN = Cron(expression="0 12 * * *", timezone="Europe/Berlin")
NOON = NOW.replace(hour=11)  # in Berlin, in November
WRONG = NOON + timedelta(hours=1)


def put(tx: Transaction, name: str = "noon", **changes: object) -> None:
    """A schedule that is due an hour too late by the zones of today."""
    definition: ScheduleDefinition = a_schedule(name, **{"when": BERLIN, **changes})
    (flow,) = tx.flows.put_file(a_file(), now=NOW)
    tx.schedules.put(definition, flow=flow, watermark=NOW, next_due=WRONG, now=NOW)


def test_the_edition_is_that_of_the_package() -> None:
    assert zones_version().startswith("20")


def test_what_is_due_next_follows_the_zones(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    with database.write() as tx:
        put(tx)
        put(tx, "right", when=Cron(expression="0 13 * * *", timezone="Europe/Berlin"))

    with caplog.at_level("INFO"):
        follow_zone_data(database, version="2099a")

    with database.read() as tx:
        assert tx.schedules.get("noon").next_due == NOON
        assert tx.schedules.get("right").next_due == WRONG
        assert tx.facts.get("tzdata") == "2099a"
    (record,) = [record for record in caplog.records if record.message == "zones_changed"]
    assert vars(record)["schedules_moved"] == 1


def test_with_the_same_edition_nothing_is_reckoned(database: Database) -> None:
    with database.write() as tx:
        tx.facts.set("tzdata", zones_version())
        put(tx)

    follow_zone_data(database)

    with database.read() as tx:
        assert tx.schedules.get("noon").next_due == WRONG


def test_the_paused_and_the_removed_stay_as_they_are(database: Database) -> None:
    with database.write() as tx:
        put(tx, "paused")
        put(tx, "removed")
        tx.schedules.pause("paused", at=NOW, by="kim", reason="r")
        tx.schedules.remove("removed", now=NOW)

    follow_zone_data(database, version="2099a")

    with database.read() as tx:
        assert [schedule.next_due for schedule in tx.schedules.all(removed=True)] == [None, None]


def test_a_zone_that_is_no_more_costs_its_own_schedules(database: Database) -> None:
    with database.write() as tx:
        put(tx, "a", when=Cron(expression="0 12 * * *", timezone="Nowhere/Nohow"))
        put(tx, "b")

    follow_zone_data(database, version="2099a")

    with database.read() as tx:
        assert [schedule.next_due for schedule in tx.schedules.all()] == [WRONG, NOON]
