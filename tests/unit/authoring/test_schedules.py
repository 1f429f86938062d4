"""Schedules in a flow file: plain values."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schedulerd.authoring.schedules import schedules_of
from schedulerd.schedules import Cron, Interval


@pytest.mark.parametrize(
    ("schedule", "described"),
    [
        (
            Cron("0 6 * * *"),
            {"kind": "cron", "cron": "0 6 * * *", "timezone": None, "name": None, "parameters": {}},
        ),
        (
            Cron("0 6 * * *", "Asia/Seoul", name="dawn", parameters={"p": 1}),
            {
                "kind": "cron",
                "cron": "0 6 * * *",
                "timezone": "Asia/Seoul",
                "name": "dawn",
                "parameters": {"p": 1},
            },
        ),
        (
            Interval(timedelta(minutes=15), timezone="UTC"),
            {
                "kind": "interval",
                "every": 900.0,
                "anchor": None,
                "timezone": "UTC",
                "name": None,
                "parameters": {},
            },
        ),
        (
            Interval("15m", datetime(2026, 1, 1, tzinfo=UTC)),
            {
                "kind": "interval",
                "every": "15m",
                "anchor": "2026-01-01T00:00:00+00:00",
                "timezone": None,
                "name": None,
                "parameters": {},
            },
        ),
    ],
)
def test_a_schedule_is_described_as_a_dict(schedule: Cron | Interval, described: dict[str, Any]) -> None:
    assert schedule.describe() == described


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
    assert repr(Cron("0 6 * * *", "Asia/Seoul")) == "Cron(timezone='Asia/Seoul', cron='0 6 * * *')"


def test_parameters_are_the_schedules_own() -> None:
    parameters = {"p": date(2026, 1, 1)}
    schedule = Cron("0 6 * * *", parameters=parameters)

    parameters.clear()

    assert schedule.parameters == {"p": date(2026, 1, 1)}


def test_none_one_or_several_can_be_given() -> None:
    assert schedules_of(None) == ()
    assert schedules_of(Cron("a")) == (Cron("a"),)
    assert schedules_of((Cron("a"), Interval(1))) == (Cron("a"), Interval(1))
    with pytest.raises(TypeError, match=r"made with Cron\(...\) or Interval\(...\), it is not '15m'"):
        schedules_of("15m")  # type: ignore[arg-type]
