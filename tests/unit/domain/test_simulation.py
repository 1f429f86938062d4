"""What schedules would do: each due time once, downtime by policy, and overlaps by how long a run takes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from schedulerd.domain.ids import FlowKey, ScheduleKey
from schedulerd.domain.runs import SkipReason
from schedulerd.domain.schedules import (
    Blackout,
    BlackoutAction,
    BlackoutWindow,
    Catchup,
    Cron,
    Interval,
    Once,
    Overlap,
    Pause,
    Policies,
    Reboot,
    Schedule,
    ScheduleDefinition,
    When,
)
from schedulerd.domain.simulation import Decision, Downtime, simulate
from tests.work import counted

START = datetime(2026, 6, 1, tzinfo=UTC)
HOURLY = Cron(expression="0 * * * *")
EVERY_MINUTE = Cron(expression="* * * * *")
NOTHING = timedelta()
LITTLE_WORK_CALLS = 10_000_000


def a_schedule(
    when: When = HOURLY,
    *,
    name: str = "etl",
    enabled: bool = True,
    jitter: timedelta = NOTHING,
    blackout: Blackout | None = None,
    **policies: Any,
) -> Schedule:
    definition = ScheduleDefinition(
        name=name,
        when=when,
        flow="ETL",
        enabled=enabled,
        jitter=jitter,
        blackout=blackout,
        policies=Policies(**policies),
    )
    return Schedule(
        key=ScheduleKey(1),
        flow_key=FlowKey(1),
        definition=definition,
        first_seen=START,
        watermark=START - timedelta(days=300),
        next_due=None,
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-06-01T{text}+00:00")


def seen(
    *schedules: Schedule,
    until: datetime,
    down: Sequence[Downtime] = (),
    takes: timedelta = NOTHING,
    start: datetime = START,
) -> list[Decision]:
    return list(simulate(schedules, start=start, end=until, down=down, takes=takes))


def told(decisions: Sequence[Decision]) -> list[str]:
    """Each as `03:00 for 01:00: coalesced`, or `03:00` for what starts on time."""
    return [_told(one) for one in decisions]


def _told(one: Decision) -> str:
    late = "" if one.at == one.due.at else f" for {one.due.at:%H:%M}"
    span = f" {one.count} from {one.first.at:%H:%M}" if one.first is not None else ""
    return f"{one.at:%H:%M}{late}" + (f": {one.reason}{span}" if one.reason else "")


def test_a_due_time_starts_when_it_comes() -> None:
    assert told(seen(a_schedule(), until=at("03:00"))) == ["00:00", "01:00", "02:00"]


def test_the_start_of_the_stretch_belongs_to_it_and_the_end_does_not() -> None:
    found = seen(a_schedule(), start=at("01:00"), until=at("02:00"))

    assert told(found) == ["01:00"]


def test_all_schedules_are_told_by_the_moment_then_the_due_time_then_the_name() -> None:
    found = seen(
        a_schedule(name="b"),
        a_schedule(name="a"),
        a_schedule(Cron(expression="30 * * * *"), name="c"),
        until=at("02:00"),
    )

    assert [(one.schedule.definition.name, f"{one.at:%H:%M}") for one in found] == [
        ("a", "00:00"),
        ("b", "00:00"),
        ("c", "00:30"),
        ("a", "01:00"),
        ("b", "01:00"),
        ("c", "01:30"),
    ]


@pytest.mark.parametrize(
    ("policies", "reasons"),
    [
        pytest.param({"catchup": Catchup.LATEST}, ["coalesced", "coalesced", "coalesced", None], id="latest"),
        pytest.param({"catchup": Catchup.ALL}, [None, None, None, None], id="all"),
        pytest.param(
            {"catchup": Catchup.ALL, "catchup_limit": 1}, [None, "limit", "limit", "limit"], id="limit"
        ),
        pytest.param({"catchup": Catchup.NONE}, ["misfire", "misfire", "misfire", "misfire"], id="none"),
        pytest.param(
            {"catchup_window": timedelta(hours=1)}, ["window", "window", "window", None], id="window"
        ),
    ],
)
def test_at_the_end_of_a_downtime_the_policy_decides(
    policies: dict[str, Any], reasons: list[str | None]
) -> None:
    on_time, *missed = seen(a_schedule(**policies), until=at("05:00"), down=[(at("00:10"), at("04:30"))])

    assert told([on_time]) == ["00:00"]
    assert [one.due.at for one in missed] == [at("01:00"), at("02:00"), at("03:00"), at("04:00")]
    assert [one.reason for one in missed] == reasons
    assert {one.at for one in missed} == {at("04:30")}


def test_a_downtime_takes_in_the_moment_it_begins_and_not_that_it_ends() -> None:
    found = seen(a_schedule(), until=at("03:00"), down=[(at("01:00"), at("02:00"))])

    assert told(found) == ["00:00", "02:00 for 01:00", "02:00: overlap"]


def test_downtimes_in_any_order_that_overlap_or_touch_are_one() -> None:
    apart = [(at("02:10"), at("03:30")), (at("00:10"), at("01:30")), (at("01:30"), at("02:20"))]

    found = seen(a_schedule(), until=at("04:00"), down=apart)

    assert found == seen(a_schedule(), until=at("04:00"), down=[(at("00:10"), at("03:30"))])


def test_what_is_not_decided_before_the_end_is_left_out() -> None:
    found = seen(a_schedule(), until=at("03:00"), down=[(at("00:10"), at("03:00"))])

    assert told(found) == ["00:00"]


def test_many_skips_are_kept_as_spans() -> None:
    found = seen(
        a_schedule(EVERY_MINUTE, catchup=Catchup.NONE),
        until=at("18:00"),
        down=[(START, at("17:58:30"))],
    )

    span, *rest = found
    assert (span.reason, span.count) == (SkipReason.MISFIRE, 1_078)
    assert span.first is not None
    assert (span.first.at, span.due.at) == (START, at("17:57"))
    assert told(rest) == ["17:58 for 17:58", "17:59"]


def test_a_schedule_that_is_paused_is_resumed_at_the_end() -> None:
    paused = replace(a_schedule(), paused=Pause(at=START, by="kim", reason="works"))

    (span,) = seen(paused, until=at("05:00"))
    (single,) = seen(paused, until=at("01:00"))

    assert told([span]) == ["05:00 for 04:00: paused 5 from 00:00"]
    assert told([single]) == ["01:00 for 00:00: paused"]


@pytest.mark.parametrize(
    "schedule",
    [
        pytest.param(a_schedule(enabled=False), id="not enabled"),
        pytest.param(a_schedule(Reboot()), id="at reboot"),
        pytest.param(a_schedule(Once(at=datetime.fromisoformat("2025-01-01T00:00"))), id="once, and over"),
    ],
)
def test_what_is_never_due_is_not_told(schedule: Schedule) -> None:
    assert seen(schedule, until=at("12:00"), down=[(at("01:00"), at("02:00"))]) == []


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        pytest.param(
            {"overlap": Overlap.SKIP},
            ["00:00", "00:20: overlap", "00:40: overlap", "01:00", "01:20: overlap"],
            id="skip",
        ),
        pytest.param({"overlap": Overlap.ALLOW}, ["00:00", "00:20", "00:40", "01:00", "01:20"], id="allow"),
        pytest.param(
            {"overlap": Overlap.QUEUE},
            ["00:00", "00:40: queue-full", "00:50 for 00:20", "01:20: queue-full"],
            id="queue",
        ),
        pytest.param(
            {"overlap": Overlap.REPLACE}, ["00:00", "00:20", "00:40", "01:00", "01:20"], id="replace"
        ),
    ],
)
def test_a_run_that_takes_longer_than_its_interval_overlaps_by_policy(
    policies: dict[str, Any], expected: list[str]
) -> None:
    often = a_schedule(Interval(every=timedelta(minutes=20), anchor=START), **policies)

    assert told(seen(often, until=at("01:40"), takes=timedelta(minutes=50))) == expected


@pytest.mark.parametrize("overlap", list(Overlap))
def test_missed_times_are_made_up_for_one_after_the_other_whatever_overlap_says(overlap: Overlap) -> None:
    late = a_schedule(catchup=Catchup.ALL, overlap=overlap)

    found = seen(late, until=at("03:30"), down=[(START, at("02:10"))], takes=timedelta(minutes=15))

    assert told(found)[:3] == ["02:10 for 00:00", "02:25 for 01:00", "02:40 for 02:00"]
    assert [one.at for one in found if one.starts][3:] == [at("03:00")]


def test_a_run_that_waits_starts_when_the_daemon_is_there_again() -> None:
    often = a_schedule(Interval(every=timedelta(minutes=20), anchor=START), overlap=Overlap.QUEUE)

    found = seen(often, until=at("01:10"), down=[(at("00:21"), at("00:39"))], takes=timedelta(minutes=30))

    assert told(found) == ["00:00", "00:39 for 00:20", "01:00: queue-full", "01:09 for 00:40"]


def test_of_two_due_times_of_one_instant_only_one_starts_where_overlaps_are_skipped() -> None:
    in_the_gap = a_schedule(Cron(expression="48,33 2 * * *", timezone="Europe/Berlin"))
    spring = datetime(2026, 3, 29, tzinfo=UTC)

    found = seen(in_the_gap, start=spring, until=spring + timedelta(hours=6))

    assert told(found) == ["01:00", "01:00: overlap"]


NIGHT = BlackoutWindow(expression="30 1 * * *", duration=timedelta(hours=2))


def test_what_a_blackout_leaves_out_is_told_by_the_next_tick() -> None:
    found = seen(a_schedule(blackout=Blackout(windows=(NIGHT,))), until=at("05:00"))

    assert told(found) == [
        "00:00",
        "01:00",
        "04:00 for 02:00: blackout",
        "04:00 for 03:00: blackout",
        "04:00",
    ]


def test_what_a_blackout_leaves_out_and_no_tick_tells_of_is_told_at_the_end() -> None:
    found = seen(a_schedule(blackout=Blackout(windows=(NIGHT,))), until=at("03:00"))

    assert told(found) == ["00:00", "01:00", "03:00 for 02:00: blackout"]


def test_a_due_time_that_runs_after_a_blackout_starts_at_its_end() -> None:
    after = Blackout(windows=(NIGHT,), action=BlackoutAction.RUN_AFTER)

    found = seen(a_schedule(blackout=after), until=at("04:00"))

    assert told(found) == ["00:00", "01:00", "03:30 for 02:00: blackout", "03:30"]
    assert found[-1].due.slot == at("03:00").isoformat()


def test_what_was_missed_before_a_blackout_is_caught_up_after_it() -> None:
    found = seen(
        a_schedule(blackout=Blackout(windows=(NIGHT,))), until=at("03:40"), down=[(at("00:30"), at("01:40"))]
    )

    assert told(found) == [
        "00:00",
        "03:30 for 01:00",
        "03:30 for 02:00: blackout",
        "03:30 for 03:00: blackout",
    ]


def test_the_first_of_an_endless_stretch_are_told_at_once() -> None:
    with counted() as work:
        found = islice(
            simulate(
                [a_schedule(EVERY_MINUTE, name=f"s{number}") for number in range(20)],
                start=START,
                end=datetime.max.replace(tzinfo=UTC),
            ),
            10_000,
        )

        assert sum(1 for _ in found) == 10_000

    assert work.calls < LITTLE_WORK_CALLS
