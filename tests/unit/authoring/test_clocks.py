"""Schedules as Prefect 1 has them: clocks and filters (graph style, rank 12)."""

from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule

from schedulerd import Flow, flow
from schedulerd.schedules import Cron, CronSchedule, IntervalSchedule, RRuleSchedule, Schedule
from schedulerd.schedules import filters as keeps
from schedulerd.schedules.clocks import CronClock, DatesClock, IntervalClock, RRuleClock

SEOUL = ZoneInfo("Asia/Seoul")
BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY = datetime(2026, 11, 27, 12, tzinfo=UTC)


def texts(schedule: Schedule, n: int = 3, after: datetime = FRIDAY) -> list[str]:
    return [moment.astimezone(UTC).strftime("%m-%d %H:%M") for moment in schedule.next(n, after=after)]


def test_an_interval_without_a_start_is_anchored_in_2019() -> None:
    assert texts(IntervalSchedule(interval=timedelta(hours=7))) == [
        "11-27 19:00",
        "11-28 02:00",
        "11-28 09:00",
    ]


def test_an_interval_counts_from_its_start_to_its_end() -> None:
    schedule = IntervalSchedule(
        start_date=datetime(2026, 12, 1, 9, 5, tzinfo=SEOUL),
        interval=timedelta(minutes=30),
        end_date=datetime(2026, 12, 1, 1, 0, tzinfo=UTC),
    )

    assert texts(schedule, 9) == ["12-01 00:05", "12-01 00:35"]


def test_a_naive_start_is_utc() -> None:
    schedule = IntervalSchedule(datetime(2026, 12, 1, 9), timedelta(days=1))  # noqa: DTZ001

    assert texts(schedule, 1) == ["12-01 09:00"]


def test_a_cron_expression_is_read_in_the_zone_of_its_start() -> None:
    assert texts(CronSchedule("0 9 * * *", datetime(2026, 1, 1, tzinfo=SEOUL)), 1) == ["11-28 00:00"]
    assert texts(CronSchedule("0 9 13 * 5", day_or=False), 1) == ["08-13 09:00"]
    assert texts(CronSchedule(cron="0 9 * * *", timezone="Asia/Seoul"), 1) == ["11-28 00:00"]


def test_a_schedule_of_prefect_2_is_taken_by_either_style() -> None:
    @flow(schedule=CronSchedule(cron="0 9 * * *", timezone="Asia/Seoul"))
    def etl() -> None:
        """Nothing."""

    assert etl.schedules == (Cron("0 9 * * *", "Asia/Seoul"),)


def test_a_recurrence_rule_is_read_from_dateutil_or_as_text() -> None:
    rule = rrule.rrule(rrule.MONTHLY, dtstart=datetime(2026, 1, 1, 6), byweekday=rrule.FR(-1))  # noqa: DTZ001

    assert texts(RRuleSchedule(rule), 2) == ["12-25 06:00", "01-29 06:00"]
    assert texts(RRuleSchedule("FREQ=DAILY;BYHOUR=7", datetime(2026, 1, 1, tzinfo=UTC)), 1) == ["11-28 07:00"]
    rules = rrule.rruleset()
    with pytest.raises(ValueError, match="a recurrence rule is one rule"):
        RRuleClock(f"{rule}\n{rule}")
    assert rules is not None


def test_clocks_are_merged_and_each_has_its_parameters() -> None:
    schedule = Schedule(
        clocks=[
            CronClock("0 6 * * *", parameter_defaults={"region": "kr"}, labels=["a"]),
            IntervalClock(timedelta(hours=12), parameter_defaults={"region": "jp"}),
            DatesClock([datetime(2026, 11, 28, 3, tzinfo=UTC), datetime(2026, 11, 27, 15, tzinfo=UTC)]),
        ]
    )

    assert texts(schedule, 5) == ["11-27 15:00", "11-28 00:00", "11-28 03:00", "11-28 06:00", "11-28 12:00"]
    with Flow("x", schedule) as drawn:
        pass
    assert [one.parameters for one in drawn.schedules] == [{"region": "kr"}, {"region": "jp"}, {}, {}]
    assert repr(schedule).startswith("Schedule(clocks=[CronClock(Cron(cron='0 6 * * *'")


def test_a_schedule_may_be_assigned() -> None:
    drawn = Flow("x")
    drawn.schedule = IntervalSchedule(interval=timedelta(hours=1))

    assert [one.describe()["every"] for one in drawn.schedules] == [3600.0]


_HOURLY = [CronClock("0 * * * *")]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([keeps.is_weekday, keeps.at_time(time(9))], ["11-30 09:00", "12-01 09:00", "12-02 09:00"]),
        (
            [keeps.is_weekend, keeps.between_times(time(22), time(0))],
            ["11-28 00:00", "11-28 22:00", "11-28 23:00"],
        ),
        ([keeps.is_month_end, keeps.at_time(time(1))], ["11-30 01:00", "12-31 01:00", "01-31 01:00"]),
        ([keeps.is_month_start, keeps.at_time(time(1))], ["12-01 01:00", "01-01 01:00", "02-01 01:00"]),
        ([keeps.is_day_of_week(0), keeps.at_time(time(8))], ["11-30 08:00", "12-07 08:00", "12-14 08:00"]),
        (
            [keeps.between_dates(12, 30, 1, 1), keeps.at_time(time(2))],
            ["12-30 02:00", "12-31 02:00", "01-01 02:00"],
        ),
        (
            [keeps.between_dates(12, 1, 12, 2), keeps.at_time(time(2))],
            ["12-01 02:00", "12-02 02:00", "12-01 02:00"],
        ),
        ([keeps.on_date(12, 24)], ["12-24 00:00", "12-24 01:00", "12-24 02:00"]),
        (
            [
                keeps.between_datetimes(
                    datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 1, 1, tzinfo=UTC)
                )
            ],
            ["12-01 00:00", "12-01 01:00"],
        ),
    ],
)
def test_a_filter_keeps_what_prefects_keeps(filters: Any, expected: list[str]) -> None:
    schedule = Schedule(clocks=_HOURLY, filters=filters)

    assert texts(schedule, len(expected)) == expected
    for moment in schedule.next(len(expected), after=FRIDAY):
        assert all(one(moment) for one in filters)


def test_the_last_of_february_is_known_in_leap_years() -> None:
    schedule = Schedule(clocks=[CronClock("0 9 * * *")], filters=[keeps.is_month_end])

    assert texts(schedule, 2, after=datetime(2028, 2, 1, tzinfo=UTC)) == ["02-29 09:00", "03-31 09:00"]
    assert texts(schedule, 1, after=datetime(2027, 2, 1, tzinfo=UTC)) == ["02-28 09:00"]


def test_a_filter_of_days_is_exact_where_the_clocks_change() -> None:
    schedule = Schedule(
        clocks=[CronClock("0 23,0 * * *", start_date=datetime(2026, 1, 1, tzinfo=BERLIN))],
        filters=[keeps.is_weekend],
    )

    for after in (datetime(2026, 10, 23, tzinfo=UTC), datetime(2027, 3, 26, tzinfo=UTC)):
        local = [moment.astimezone(BERLIN) for moment in schedule.next(5, after=after)]
        assert [(moment.weekday(), moment.hour) for moment in local] == [
            (5, 0),
            (5, 23),
            (6, 0),
            (6, 23),
            (5, 0),
        ]


def test_filters_stand_for_each_other_or_are_turned_round() -> None:
    either = Schedule(clocks=_HOURLY, or_filters=[keeps.at_time(time(9)), keeps.at_time(time(21))])
    neither = Schedule(clocks=[CronClock("0 9 * * *")], not_filters=[keeps.is_weekend])
    one = Schedule(clocks=[CronClock("0 9 * * *")], or_filters=[keeps.is_month_end])

    assert texts(either) == ["11-27 21:00", "11-28 09:00", "11-28 21:00"]
    assert texts(neither) == ["11-30 09:00", "12-01 09:00", "12-02 09:00"]
    assert texts(one, 1) == ["11-30 09:00"]


@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (
            lambda: Schedule(clocks=[5]),  # type: ignore[list-item]
            TypeError,
            "a clock is CronClock",
        ),
        (
            lambda: Schedule(_HOURLY, filters=[lambda moment: True]),
            TypeError,
            "the daemon tells times without",
        ),
        (
            lambda: Schedule(_HOURLY, or_filters=[keeps.is_weekday, keeps.at_time(time(1))]),
            ValueError,
            "of one kind",
        ),
        (
            lambda: Schedule(_HOURLY, not_filters=[keeps.is_month_end]),
            ValueError,
            "cannot stand in not_filters",
        ),
        (lambda: Schedule(_HOURLY, adjustments=[1]), ValueError, "adjustments cannot be had: name the times"),
        (IntervalSchedule, TypeError, "IntervalSchedule needs an interval"),
        (lambda: IntervalSchedule(interval=60), TypeError, "interval must be a timedelta, not 60"),  # type: ignore[arg-type]
        (lambda: IntervalClock(timedelta(0)), ValueError, "interval must be more than 0"),
        (lambda: CronClock("* * * * *", "today"), TypeError, "a start or an end is a datetime"),  # type: ignore[arg-type]
        (
            lambda: CronClock("* * * * *", datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=9)))),
            ValueError,
            r"and no time zone: use zoneinfo\.ZoneInfo",
        ),
        (lambda: keeps.on_date(2, 30), ValueError, "there is no day 30 in month 2"),
        (lambda: keeps.between_dates(13, 1, 1, 1), ValueError, "there is no such day"),
        (lambda: keeps.is_day_of_week(7), ValueError, r"0 \(Monday\) to 6 \(Sunday\), not 7"),
        (
            lambda: keeps.between_datetimes(FRIDAY, FRIDAY - timedelta(1)),
            ValueError,
            "comes before the start",
        ),
    ],
)
def test_what_cannot_be_had_is_refused(make: Any, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        make()


def test_an_offset_of_zero_is_utc_and_next_counts_from_now() -> None:
    schedule = CronSchedule("* * * * *", datetime(2026, 1, 1, tzinfo=timezone(timedelta())))

    assert len(schedule.next(2)) == 2


def test_names_that_are_not_there_say_what_to_do() -> None:
    with pytest.raises(ImportError, match="there are no adjustments of schedules, and no next_weekday"):
        from schedulerd.schedules.adjustments import next_weekday  # noqa: F401
    with pytest.raises(ImportError):
        from schedulerd.schedules import Nonesuch  # noqa: F401
