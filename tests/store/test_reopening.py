"""Schedules that were decided too far ahead look forward again; what ran keeps its slot."""

from datetime import timedelta

from schedulerd.domain.runs import SkipReason
from schedulerd.domain.states import RunState
from schedulerd.store.database import Database
from tests.builders import NOW
from tests.store.scenes import a_scene, add_scheduled

HOUR = timedelta(hours=1)
EARLIER = NOW - timedelta(days=40)


def test_schedules_that_are_decided_beyond_a_moment_are_found(database: Database) -> None:
    with database.write() as tx:
        a_scene(tx, name="etl")
        scene = a_scene(tx, name="report")
        tx.schedules.advance(scene.schedule, watermark=NOW + HOUR, next_due=None, last_due=None)

        assert [one.definition.name for one in tx.schedules.ahead_of(NOW)] == ["report-morning"]
        assert tx.schedules.ahead_of(NOW + HOUR) == []


def test_a_schedule_that_was_removed_is_nobodys_concern(database: Database) -> None:
    with database.write() as tx:
        a_scene(tx)
        tx.schedules.remove("etl-morning", now=NOW)

        assert tx.schedules.ahead_of(EARLIER) == []


def test_a_schedule_that_is_reopened_looks_forward_from_then(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        tx.schedules.reopen(scene.schedule, watermark=EARLIER, next_due=EARLIER + HOUR, first_seen=EARLIER)
        schedule = tx.schedules.get("etl-morning")

    assert (schedule.watermark, schedule.next_due) == (EARLIER, EARLIER + HOUR)
    assert schedule.first_seen == EARLIER


def test_skips_ahead_give_their_slots_back_and_nothing_else_does(database: Database) -> None:
    skipped = {"state": RunState.SKIPPED, "reason": SkipReason.COALESCED.value}
    with database.write() as tx:
        scene, other = a_scene(tx), a_scene(tx, name="report")
        past = add_scheduled(tx, scene, NOW - HOUR, **skipped)
        present = add_scheduled(tx, scene, NOW, **skipped)
        ahead = add_scheduled(tx, scene, NOW + HOUR, **skipped)
        waiting = add_scheduled(tx, scene, NOW + 2 * HOUR)
        foreign = add_scheduled(tx, other, NOW + HOUR, **skipped)

        given_back = tx.schedules.reopen(scene.schedule, watermark=NOW, next_due=None, first_seen=NOW)
        again = add_scheduled(tx, scene, NOW + HOUR)

        assert given_back == 1
        kept = [key for key in (past, present, waiting, foreign) if tx.runs.by_key(key).slot is not None]
        assert kept == [past, present, waiting, foreign]
        assert tx.runs.by_key(ahead).slot is None
        assert tx.runs.by_key(again).slot == (NOW + HOUR).isoformat()
