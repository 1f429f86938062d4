"""Schedules that are paused: due no more, until they are resumed."""

from datetime import timedelta

import pytest

from schedulerd.domain.schedules import Pause, ScheduleDefinition
from schedulerd.errors import Conflict, NotFound
from schedulerd.store.database import Database
from tests.builders import NOW, a_schedule
from tests.store.scenes import TIMES, a_put

HOUR = timedelta(hours=1)
LATER = NOW + HOUR


def test_a_pause_is_kept_with_who_when_and_why(database: Database) -> None:
    with database.write() as tx:
        a_put(tx, a_schedule())
        paused = tx.schedules.pause("etl-morning", at=LATER, by="kim", reason="the disk is full")

        assert paused.paused == Pause(at=LATER, by="kim", reason="the disk is full")
        assert tx.schedules.get("etl-morning") == paused
        assert (paused.next_due, paused.watermark) == (None, NOW)


def test_what_is_paused_is_not_due(database: Database) -> None:
    with database.write() as tx:
        a_put(tx, a_schedule())
        key = tx.schedules.pause("etl-morning", at=NOW, by="kim", reason="").key
        tx.schedules.advance(key, watermark=LATER, next_due=LATER, last_due=LATER)

        assert tx.schedules.due(LATER + HOUR) == []
        assert tx.schedules.next_due() is None
        assert tx.schedules.get("etl-morning").watermark == NOW


@pytest.mark.parametrize("edited", [*TIMES.values(), a_schedule(parameters={"region": "jp"})])
def test_what_is_paused_stays_so_whatever_is_edited(database: Database, edited: ScheduleDefinition) -> None:
    with database.write() as tx:
        a_put(tx, a_schedule())
        tx.schedules.pause("etl-morning", at=NOW, by="kim", reason="")
        a_put(tx, edited, at=LATER)

        assert tx.schedules.get("etl-morning").paused is not None
        assert tx.schedules.next_due() is None


def test_what_is_resumed_is_due_as_it_is_told(database: Database) -> None:
    with database.write() as tx:
        a_put(tx, a_schedule())
        key = tx.schedules.pause("etl-morning", at=NOW, by="kim", reason="").key
        is_resumed = tx.schedules.resume(
            key, paused_at=NOW, watermark=LATER, next_due=LATER + HOUR, last_due=LATER
        )
        schedule = tx.schedules.get("etl-morning")

    assert is_resumed
    assert schedule.paused is None
    assert (schedule.watermark, schedule.next_due, schedule.last_due) == (LATER, LATER + HOUR, LATER)


def test_another_pause_than_the_one_that_was_seen_stays(database: Database) -> None:
    with database.write() as tx:
        a_put(tx, a_schedule())
        before = tx.schedules.pause("etl-morning", at=LATER, by="lee", reason="the disk is full")
        is_resumed = tx.schedules.resume(
            before.key, paused_at=NOW, watermark=LATER + HOUR, next_due=LATER + HOUR, last_due=LATER
        )

        assert not is_resumed
        assert tx.schedules.get("etl-morning") == before


def test_only_what_is_in_force_and_not_paused_can_be_paused(database: Database) -> None:
    with database.write() as tx:
        a_put(tx, a_schedule())
        tx.schedules.pause("etl-morning", at=NOW, by="kim", reason="the disk is full")
        with pytest.raises(Conflict, match="by kim: the disk is full"):
            tx.schedules.pause("etl-morning", at=LATER, by="lee", reason="")
        tx.schedules.remove("etl-morning", now=NOW)
        with pytest.raises(NotFound):
            tx.schedules.pause("etl-morning", at=LATER, by="lee", reason="")
