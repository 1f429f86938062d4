"""Jitter: a stable delay of each due time, and the order of the delayed times."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Final

import pytest

from schedulerd.domain.due import Due
from schedulerd.domain.due_times import Named, first_of
from schedulerd.domain.jitter import Jittered, delay
from schedulerd.domain.schedules import Cron, Interval, When
from tests.builders import a_schedule
from tests.work import counted

START: Final = datetime(2026, 6, 1, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)


def jittered(when: When, jitter: timedelta, name: str = "etl") -> Jittered:
    named = Named(definition=a_schedule(name, when=when), first_seen=START)
    return Jittered(times=named, name=name, jitter=jitter)


@pytest.mark.parametrize(
    ("slot", "expected"),
    [
        ("2026-06-01T02:30:00+02:00", 1058),
        ("2026-06-02T02:30:00+02:00", 1688),
    ],
)
def test_the_delay_of_a_slot_is_the_same_for_ever(slot: str, expected: int) -> None:
    assert delay("etl", slot, jitter=timedelta(hours=1)) == timedelta(seconds=expected)


def test_the_delay_does_not_hang_on_the_seed_of_the_process() -> None:
    program = (
        "from datetime import timedelta; from schedulerd.domain.jitter import delay;"
        "print(delay('etl', '2026-06-01T02:30:00+02:00', jitter=timedelta(hours=1)))"
    )

    said = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip

    assert len(said) == 1


def test_delays_are_whole_seconds_below_the_jitter_and_spread_over_it() -> None:
    delays = [
        delay(f"job {n}", "2026-06-01T02:30:00+02:00", jitter=timedelta(seconds=10)) for n in range(500)
    ]

    seconds = {one // timedelta(seconds=1) for one in delays}

    assert seconds == set(range(10))
    assert all(one % timedelta(seconds=1) == timedelta() for one in delays)


def test_schedules_of_one_time_are_spread_by_their_names() -> None:
    daily = Cron(expression="30 2 * * *")

    moments = {first_of(jittered(daily, timedelta(hours=1), name), START) for name in ("a", "b", "c", "d")}

    assert len({due.at for due in moments if due}) == 4
    assert {due.slot for due in moments if due} == {"2026-06-01T02:30:00+00:00"}


def test_delayed_times_may_overtake_each_other_and_still_ascend() -> None:
    times = jittered(Cron(expression="* * * * *"), timedelta(hours=2))

    due = list(times.each(START, START + timedelta(hours=5)))

    assert all(one < other for one, other in pairwise(due))
    assert [each.slot for each in due] != sorted(each.slot for each in due)


def test_a_time_that_is_delayed_out_of_a_stretch_lies_in_the_next() -> None:
    times = jittered(Cron(expression="0 0 * * *"), timedelta(days=1))
    (due,) = islice(times.each(START, START + timedelta(days=3)), 1)
    named = datetime.fromisoformat(due.slot)
    assert named < due.at

    assert due not in times.each(START - timedelta(days=2), due.at - timedelta(microseconds=1))
    assert list(times.each(due.at - timedelta(microseconds=1), due.at)) == [due]


def test_the_last_may_have_been_named_before_the_stretch_that_it_lies_in() -> None:
    times = jittered(Cron(expression="0 0 * * *"), timedelta(hours=12))
    due = first_of(times, START)
    assert due is not None

    after = due.at - timedelta(seconds=1)

    assert datetime.fromisoformat(due.slot) < after
    assert times.last(after, due.at) == due
    assert times.count(after, due.at) == 1


def test_the_next_of_the_most_that_may_overtake_is_found_in_little_work() -> None:
    times = jittered(Cron(expression="* * * * *", timezone="Europe/Berlin"), timedelta(days=1))

    with counted() as work:
        due = first_of(times, START)

    assert due is not None
    assert work.calls < 200_000


def test_an_interval_is_delayed_as_well() -> None:
    times = jittered(Interval(every=timedelta(hours=1), anchor=START), timedelta(minutes=10))

    due = list(times.each(START, START + timedelta(hours=3)))

    assert [each.slot[11:16] for each in due] == ["00:00", "01:00", "02:00"]
    assert all(timedelta() <= each.at - datetime.fromisoformat(each.slot) < 10 * MINUTE for each in due)


def test_one_slot_is_delayed_alike_whatever_is_asked_for() -> None:
    times = jittered(Cron(expression="*/5 * * * *"), timedelta(minutes=30))
    whole = list(times.each(START, START + timedelta(hours=6)))

    one_by_one: list[Due] = []
    moment = START
    while (due := first_of(times, moment, START + timedelta(hours=6))) is not None:
        one_by_one += times.each(moment, due.at)
        moment = due.at

    assert one_by_one == whole
