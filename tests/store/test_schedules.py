"""Schedules: put in force, due, decided, edited and removed."""

from datetime import UTC, datetime, timedelta

import pytest

from schedulerd.domain.ids import FlowKey
from schedulerd.domain.schedules import Cron, Interval, ScheduleDefinition
from schedulerd.errors import Conflict, NotFound
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, NOW, a_file, a_schedule

HOUR = timedelta(hours=1)
LATER = NOW + HOUR


def a_put(
    tx: Transaction, definition: ScheduleDefinition, *, at: datetime = NOW, next_due: datetime | None = None
) -> int:
    flow = tx.flows.put_file(a_file(), now=NOW)[0]
    return tx.schedules.put(definition, flow=flow, watermark=at, next_due=next_due or at + HOUR, now=at)


def test_a_schedule_comes_back_as_it_was_defined(database: Database) -> None:
    definition = a_schedule(when=Interval(every=timedelta(seconds=1.5)), parameters={"region": "kr"})

    with database.write() as tx:
        key = a_put(tx, definition)
        schedule = tx.schedules.get("etl-morning")

    assert (schedule.key, schedule.definition) == (key, definition)
    assert (schedule.first_seen, schedule.watermark, schedule.next_due) == (NOW, NOW, NOW + HOUR)
    assert schedule.last_due is None


def test_those_that_are_due_come_oldest_first(database: Database) -> None:
    with database.write() as tx:
        for name, minutes in (("late", 1), ("not yet", 61), ("now", 60), ("later", 2)):
            a_put(tx, a_schedule(name), next_due=NOW + timedelta(minutes=minutes))

        assert [schedule.definition.name for schedule in tx.schedules.due(LATER)] == ["late", "later", "now"]
        assert [schedule.definition.name for schedule in tx.schedules.due(LATER, limit=1)] == ["late"]
        assert tx.schedules.next_due() == NOW + timedelta(minutes=1)


def test_without_schedules_nothing_is_due(database: Database) -> None:
    with database.read() as tx:
        assert tx.schedules.next_due() is None
        assert tx.schedules.due(NOW) == []


def test_microseconds_and_far_days_are_kept(database: Database) -> None:
    far = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    with database.write() as tx:
        a_put(tx, a_schedule(), next_due=far)

        assert tx.schedules.next_due() == far


def test_an_advance_moves_what_is_due(database: Database) -> None:
    with database.write() as tx:
        a_put(tx, a_schedule())
        key = tx.schedules.get("etl-morning").key
        tx.schedules.advance(key, watermark=LATER, next_due=LATER + HOUR, last_due=LATER)
        tx.schedules.advance(key, watermark=LATER + A_SECOND, next_due=LATER + HOUR, last_due=None)
        schedule = tx.schedules.get("etl-morning")

    assert (schedule.watermark, schedule.next_due) == (LATER + A_SECOND, LATER + HOUR)
    assert schedule.last_due == LATER


def test_the_watermark_never_moves_back(database: Database) -> None:
    with database.write() as tx:
        a_put(tx, a_schedule())
        before = tx.schedules.get("etl-morning")
        tx.schedules.advance(before.key, watermark=NOW - A_SECOND, next_due=NOW, last_due=NOW)

        assert tx.schedules.get("etl-morning") == before


def test_an_edit_of_anything_but_its_time_keeps_how_far_it_is(database: Database) -> None:
    with database.write() as tx:
        a_put(tx, a_schedule())
        before = tx.schedules.get("etl-morning")
        a_put(tx, a_schedule(parameters={"region": "jp"}, origin="elsewhere.toml:9"), at=LATER)
        after = tx.schedules.get("etl-morning")

    assert (after.key, after.first_seen) == (before.key, before.first_seen)
    assert (after.watermark, after.next_due) == (before.watermark, before.next_due)
    assert after.definition.parameters == {"region": "jp"}


@pytest.mark.parametrize(
    "edited",
    [a_schedule(when=Cron(expression="0 * * * *")), a_schedule(enabled=False)],
    ids=["when", "enabled"],
)
def test_an_edit_of_its_time_looks_forward_anew(database: Database, edited: ScheduleDefinition) -> None:
    with database.write() as tx:
        a_put(tx, a_schedule())
        before = tx.schedules.get("etl-morning")
        a_put(tx, edited, at=LATER)
        after = tx.schedules.get("etl-morning")

    assert (after.key, after.first_seen) == (before.key, before.first_seen)
    assert (after.watermark, after.next_due) == (LATER, LATER + HOUR)


def test_one_that_was_removed_is_never_due_but_not_forgotten(database: Database) -> None:
    with database.write() as tx:
        a_put(tx, a_schedule())
        key = tx.schedules.get("etl-morning").key
        tx.schedules.remove("etl-morning", now=NOW)
        tx.schedules.advance(key, watermark=LATER, next_due=LATER, last_due=LATER)

        assert tx.schedules.due(LATER + HOUR) == []
        assert tx.schedules.all() == []
        assert [schedule.definition.name for schedule in tx.schedules.all(removed=True)] == ["etl-morning"]
        with pytest.raises(NotFound):
            tx.schedules.get("etl-morning")


def test_one_that_comes_back_looks_forward_and_is_the_same(database: Database) -> None:
    with database.write() as tx:
        key = a_put(tx, a_schedule())
        tx.schedules.remove("etl-morning", now=NOW)
        again = a_put(tx, a_schedule(), at=LATER)
        schedule = tx.schedules.get("etl-morning")

    assert again == key
    assert (schedule.first_seen, schedule.watermark, schedule.next_due) == (NOW, LATER, LATER + HOUR)


def test_a_typing_error_is_answered_with_near_names(database: Database) -> None:
    with database.write() as tx:
        a_put(tx, a_schedule())

        with pytest.raises(NotFound) as caught:
            tx.schedules.get("etl-mornin")

    assert caught.value.near == ("etl-morning",)


def test_a_schedule_of_no_flow_is_refused(database: Database) -> None:
    with pytest.raises(Conflict), database.write() as tx:
        tx.schedules.put(a_schedule(), flow=FlowKey(99), watermark=NOW, next_due=None, now=NOW)
