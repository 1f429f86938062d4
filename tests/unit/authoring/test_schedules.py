"""Schedules in a flow file: plain values."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schedulerd.authoring.schedules import Schedule, schedules_of
from schedulerd.schedules import Cron, Interval, RRule


@pytest.mark.parametrize(
    ("schedule", "described"),
    [
        (Cron("0 6 * * *"), {"cron": "0 6 * * *"}),
        (
            Cron("0 6 * * *", "Asia/Seoul", name="dawn", parameters={"p": 1}),
            {"cron": "0 6 * * *", "timezone": "Asia/Seoul", "name": "dawn", "parameters": {"p": 1}},
        ),
        (Cron("0 6 1 * 1", day_match="both"), {"cron": "0 6 1 * 1", "day_match": "both"}),
        (Interval(timedelta(minutes=15), timezone="UTC"), {"every": 900.0, "timezone": "UTC"}),
        (
            Interval("15m", datetime(2026, 1, 1, tzinfo=UTC)),
            {"every": "15m", "anchor": "2026-01-01T00:00:00+00:00"},
        ),
        (
            RRule("FREQ=DAILY", "Asia/Seoul", "2026-01-01T09:00"),
            {"rrule": "FREQ=DAILY", "timezone": "Asia/Seoul", "anchor": "2026-01-01T09:00"},
        ),
        (
            Cron(
                "0 6 * * *",
                enabled=False,
                start=date(2026, 1, 1),
                end="2026-12-31",
                jitter=30,
                catchup="all",
                catchup_limit=7,
                catchup_window=timedelta(days=2),
                misfire_grace="90s",
                overlap="queue",
                queue_limit=3,
            ),
            {
                "cron": "0 6 * * *",
                "enabled": False,
                "start": "2026-01-01",
                "end": "2026-12-31",
                "jitter": 30,
                "catchup": "all",
                "catchup_limit": 7,
                "catchup_window": 172_800.0,
                "misfire_grace": "90s",
                "overlap": "queue",
                "queue_limit": 3,
            },
        ),
        (
            Cron(
                "0 6 * * *",
                blackout=[
                    {"cron": "0 22 * * 5", "duration": timedelta(hours=56)},
                    {"dates": (date(2026, 12, 31),)},
                ],
                blackout_action="run-after",
            ),
            {
                "cron": "0 6 * * *",
                "blackout": [{"cron": "0 22 * * 5", "duration": 201_600.0}, {"dates": ["2026-12-31"]}],
                "blackout_action": "run-after",
            },
        ),
    ],
)
def test_a_schedule_is_described_as_an_entry_of_a_schedule_file(
    schedule: Schedule, described: dict[str, Any]
) -> None:
    assert schedule.describe() == described


@pytest.mark.parametrize(
    ("prefect", "ours"),
    [
        (Cron("0 6 1 * 1", day_or=True), Cron("0 6 1 * 1", day_match="either")),
        (Cron("0 6 1 * 1", day_or=False), Cron("0 6 1 * 1", day_match="both")),
        (Cron("0 6 * * *", slug="dawn", active=False), Cron("0 6 * * *", name="dawn", enabled=False)),
        (Interval(60, anchor_date="2026-01-01T00:00"), Interval(60, "2026-01-01T00:00")),
    ],
)
def test_the_words_of_prefect_mean_the_same(prefect: Schedule, ours: Schedule) -> None:
    assert prefect == ours


def test_what_is_said_in_two_words_is_refused() -> None:
    with pytest.raises(TypeError, match="name and slug are the same thing"):
        Cron("0 6 * * *", name="a", slug="b")
    with pytest.raises(TypeError, match="anchor and anchor_date are the same thing"):
        Interval(60, "2026-01-01", anchor_date="2026-01-01")


def test_an_unknown_option_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(TypeError, match=r"Cron\(\) does not know jiter; it knows name, .*jitter"):
        Cron("0 6 * * *", jiter=3)  # type: ignore[call-arg]


def test_a_number_that_json_lacks_is_left_to_the_daemon_to_refuse() -> None:
    assert Interval(float("nan")).describe() == {"every": "nan"}


def test_a_number_is_seconds() -> None:
    assert Interval(90).describe()["every"] == 90


def test_a_zone_may_be_an_object() -> None:
    assert Cron("* * * * *", timezone=ZoneInfo("Asia/Seoul")).describe()["timezone"] == "Asia/Seoul"  # type: ignore[arg-type]


def test_what_a_schedule_means_is_not_checked_here() -> None:
    assert Cron("nonsense", timezone="Nowhere").describe()["cron"] == "nonsense"


def test_schedules_that_say_the_same_are_equal() -> None:
    assert Cron("0 6 * * *") == Cron("0 6 * * *")
    assert Cron("0 6 * * *") != Cron("0 7 * * *")
    assert Cron("0 6 * * *") != "0 6 * * *"
    assert len({Interval(60), Interval(60), Interval(61)}) == 2


def test_a_schedule_shows_what_it_says() -> None:
    assert repr(Cron("0 6 * * *", "Asia/Seoul")) == "Cron(cron='0 6 * * *', timezone='Asia/Seoul')"


def test_parameters_are_the_schedules_own() -> None:
    parameters = {"p": date(2026, 1, 1)}
    schedule = Cron("0 6 * * *", parameters=parameters)

    parameters.clear()

    assert schedule.parameters == {"p": date(2026, 1, 1)}


def test_none_one_or_several_can_be_given() -> None:
    assert schedules_of(None) == ()
    assert schedules_of(Cron("a")) == (Cron("a"),)
    assert schedules_of((Cron("a"), Interval(1))) == (Cron("a"), Interval(1))
    with pytest.raises(TypeError, match=r"made with .* or RRule\(...\), it is not '15m'"):
        schedules_of("15m")  # type: ignore[arg-type]
