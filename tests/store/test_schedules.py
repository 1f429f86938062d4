"""Schedules: put in force, due, decided, edited and removed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schedulerd.domain.ids import FlowKey
from schedulerd.domain.schedules import After, Cron, Interval, Reboot, ScheduleDefinition
from schedulerd.domain.surroundings import Surroundings
from schedulerd.errors import Conflict, NotFound
from schedulerd.store.database import Database
from schedulerd.store.flow_schedules import FlowSchedules
from schedulerd.store.schedule_rows import Advance, Forward
from tests.builders import A_SECOND, NOW, a_command, a_file, a_schedule
from tests.store.scenes import TIMES, a_put

HOUR = timedelta(hours=1)
LATER = NOW + HOUR


def test_a_schedule_comes_back_as_it_was_defined(database: Database) -> None:
    definition = a_schedule(
        when=Interval(every=timedelta(seconds=1.5)),
        parameters={"region": "kr"},
        surroundings=Surroundings(user="kim", memory_bytes=0, leave_children=True),
        timeout=timedelta(),
    )

    with database.write() as tx:
        key = a_put(tx, definition)
        schedule = tx.schedules.get("etl-morning")

    assert (schedule.key, schedule.definition) == (key, definition)
    assert (schedule.first_seen, schedule.watermark, schedule.next_due) == (NOW, NOW, NOW + HOUR)
    assert schedule.last_due is None


def test_many_put_together_are_as_if_each_was_put_alone(database: Database) -> None:
    """New ones, one that keeps its due times, one that has others, one that comes back, and one that is paused."""
    before = [a_schedule(name) for name in ("kept", "moved", "back", "paused")]
    hourly = Cron(expression="0 * * * *")
    after = [
        a_schedule("kept", parameters={"region": "kr"}),
        *(a_schedule(name, when=hourly) for name in ("moved", "back", "paused", "new", "newer")),
    ]
    with database.write() as tx:
        for definition in before:
            key = a_put(tx, definition)
        tx.schedules.remove("back", now=NOW)
        tx.schedules.pause("paused", at=NOW, by="kim", reason="")
        flow = tx.schedules.get("kept").flow_key

        keys = tx.schedules.put_all(
            [
                Forward(definition=one, flow=flow, watermark=LATER, next_due=LATER + HOUR)
                for one in (*after[:1], *reversed(after[1:]))
            ],
            now=LATER,
        )

        found = {one.definition.name: one for one in tx.schedules.all()}
    assert {name: one.key for name, one in found.items()} == keys
    assert keys["paused"] == key
    assert [found[one.name].definition for one in after] == after
    assert {name: one.watermark for name, one in found.items()} == dict.fromkeys(found, LATER) | {"kept": NOW}
    assert {name for name, one in found.items() if one.next_due is None} == {"paused"}
    assert {name for name, one in found.items() if one.first_seen == LATER} == {"new", "newer"}


def test_those_that_are_due_come_oldest_first(database: Database) -> None:
    with database.write() as tx:
        for name, minutes in (("late", 1), ("not yet", 61), ("now", 60), ("later", 2)):
            a_put(tx, a_schedule(name), next_due=NOW + timedelta(minutes=minutes))

        assert [schedule.definition.name for schedule in tx.schedules.due(LATER)] == ["late", "later", "now"]
        assert [schedule.definition.name for schedule in tx.schedules.due(LATER, limit=1)] == ["late"]
        assert tx.schedules.next_due() == NOW + timedelta(minutes=1)


def test_names_tell_which_schedules_are_paused(database: Database) -> None:
    with database.write() as tx:
        for name in ("weekly", "daily", "gone"):
            a_put(tx, a_schedule(name))
        tx.schedules.pause("weekly", at=NOW, by="minji", reason="audit")
        tx.schedules.remove("gone", now=NOW)

        assert list(tx.schedules.names().items()) == [("daily", False), ("weekly", True)]


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


def test_many_advance_together_and_each_by_its_own(database: Database) -> None:
    with database.write() as tx:
        names = ["etl-morning", "etl-noon", "etl-evening"]
        for name in names:
            a_put(tx, a_schedule(name=name))
        before = [tx.schedules.get(name) for name in names]
        keys = [one.key for one in before]
        tx.schedules.advance_all(
            [
                Advance(key=keys[0], watermark=LATER, next_due=LATER + HOUR, last_due=LATER),
                Advance(
                    key=keys[1], watermark=NOW - A_SECOND, next_due=NOW, last_due=NOW
                ),  # moves back: never
                Advance(key=keys[2], watermark=LATER, next_due=None, last_due=None),
            ]
        )
        tx.schedules.advance_all([])
        found = [tx.schedules.get(name) for name in names]

    assert [one.next_due for one in found] == [LATER + HOUR, before[1].next_due, None]
    assert [one.watermark for one in found] == [LATER, before[1].watermark, LATER]
    assert [one.last_due for one in found] == [LATER, None, None]


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


@pytest.mark.parametrize("edited", TIMES.values(), ids=TIMES)
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


def test_a_reboot_is_to_be_decided_once_for_each_boot(database: Database) -> None:
    with database.write() as tx:
        flow = tx.flows.put_file(a_file(), now=NOW)[0]
        for name, when in (("cron", Cron(expression="* * * * *")), ("boot", Reboot())):
            tx.schedules.put(
                a_schedule(name, when=when), flow=flow, watermark=NOW, next_due=None, now=NOW, boot_id="one"
            )
        assert tx.schedules.not_booted("one") == []
        (waiting,) = tx.schedules.not_booted("two")
        tx.schedules.set_boot(waiting.key, "two", last_due=LATER)
        tx.schedules.set_boot(waiting.key, "two", last_due=None)

        assert waiting.definition.name == "boot"
        assert tx.schedules.not_booted("two") == []
        assert tx.schedules.get("boot").last_due == LATER
        tx.schedules.remove("boot", now=NOW)
        assert tx.schedules.not_booted("three") == []


@pytest.mark.parametrize(
    ("edited", "boot"),
    [
        (a_schedule(when=Reboot(), parameters={"region": "jp"}), "one"),
        (a_schedule(when=Reboot(), enabled=False), "two"),
        (a_schedule(), None),
    ],
    ids=["not its time", "enabled", "another kind"],
)
def test_an_edit_of_its_time_decides_a_reboot_for_this_boot(
    database: Database, edited: ScheduleDefinition, boot: str | None
) -> None:
    with database.write() as tx:
        flow = tx.flows.put_file(a_file(), now=NOW)[0]
        forward: dict[str, Any] = {"flow": flow, "watermark": NOW, "next_due": None, "now": NOW}
        tx.schedules.put(a_schedule(when=Reboot()), **forward, boot_id="one")
        tx.schedules.put(edited, **forward, boot_id="two")

        assert tx.schedules.get("etl-morning").boot_id == boot


def test_of_those_that_come_only_the_next_are_read_and_those_of_which_that_is_not_known(
    database: Database,
) -> None:
    with database.write() as tx:
        for name, minutes in (("third", 3), ("first", 1), ("second", 2), ("fourth", 4), ("overdue", -1)):
            a_put(tx, a_schedule(name), at=NOW - HOUR, next_due=NOW + timedelta(minutes=minutes))
        for name, when in (("unknown", a_schedule().when), ("caused", After(flows=("etl",)))):
            definition = a_schedule(name, when=when)
            flow = tx.flows.get("etl").key
            tx.schedules.put(definition, flow=flow, watermark=NOW, next_due=None, now=NOW)
        a_put(tx, a_schedule("gone"), next_due=NOW + A_SECOND)
        tx.schedules.remove("gone", now=NOW)
        a_put(tx, a_schedule("paused"), next_due=NOW + A_SECOND)
        tx.schedules.pause("paused", at=NOW, by="kim", reason="")

        other = tx.flows.put_command(a_command("other"), now=NOW)
        of_other = a_schedule("other", flow=None, command="true")
        tx.schedules.put(of_other, flow=other, watermark=NOW, next_due=NOW + A_SECOND, now=NOW)

        found, flows = tx.schedules.coming(NOW, limit=3)
        of_one, _ = tx.schedules.coming(NOW, limit=2, name="etl")
        named, _ = tx.schedules.coming(NOW, limit=2, name="second")

    assert sorted(one.definition.name for one in found) == ["first", "other", "overdue", "second", "unknown"]
    assert flows == {flow: "etl", other: "other"}
    assert sorted(one.definition.name for one in of_one) == ["first", "overdue", "second", "unknown"]
    assert [one.definition.name for one in named] == ["second"]


def test_of_the_schedules_of_flows_all_names_are_told_the_first_are_read_and_when_one_is_next(
    database: Database,
) -> None:
    with database.write() as tx:
        for name, minutes in (("c", 3), ("a", 2), ("b", 5), ("gone", 1), ("paused", 1)):
            a_put(tx, a_schedule(name), next_due=NOW + timedelta(minutes=minutes))
        tx.schedules.remove("gone", now=NOW)
        tx.schedules.pause("paused", at=NOW, by="kim", reason="")
        other = tx.flows.put_command(a_command("other"), now=NOW)
        never = a_schedule("other", flow=None, command="true")
        tx.schedules.put(never, flow=other, watermark=NOW, next_due=None, now=NOW)
        etl = tx.flows.get("etl").key

        found = tx.schedules.of_flows(first=2)
        only = tx.schedules.of_flows([other])

        assert found.keys() == {etl, other}
        assert found[etl].names == ("a", "b", "c", "paused")
        assert found[etl].first == (tx.schedules.get("a"), tx.schedules.get("b"))
        assert found[etl].next_due == NOW + timedelta(minutes=2)
        assert only == {other: FlowSchedules(names=("other",))}


def test_the_schedules_of_a_name_are_the_one_that_is_called_so_and_those_of_such_a_flow(
    database: Database,
) -> None:
    with database.write() as tx:
        for name in ("morning", "gone", "etl"):
            a_put(tx, a_schedule(name))
        tx.schedules.remove("gone", now=NOW)
        other = tx.flows.put_command(a_command("report"), now=NOW)
        report = a_schedule("report", flow=None, command="true")
        tx.schedules.put(report, flow=other, watermark=NOW, next_due=None, now=NOW)

        found = {name: tx.schedules.running(name) for name in ("etl", "morning", "report", "gone")}

    names = {name: [one.definition.name for one in schedules] for name, (schedules, _) in found.items()}
    assert names == {"etl": ["etl", "morning"], "morning": ["morning"], "report": ["report"], "gone": []}
    assert list(found["morning"][1].values()) == ["etl"]


def test_titles_tell_the_flow_of_each_schedule_in_force_and_none_of_a_command(database: Database) -> None:
    with database.write() as tx:
        for name in ("morning", "gone"):
            a_put(tx, a_schedule(name))
        tx.schedules.remove("gone", now=NOW)
        command = tx.flows.put_command(a_command(), now=NOW)
        dump = a_schedule("dump", flow=None, command="true")
        tx.schedules.put(dump, flow=command, watermark=NOW, next_due=None, now=NOW)

        assert sorted(tx.schedules.titles()) == [("dump", ""), ("morning", "etl")]
