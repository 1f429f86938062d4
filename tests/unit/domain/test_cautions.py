"""What the author of a schedule is told beforehand."""

from datetime import UTC, datetime, timedelta

import pytest

from schedulerd.domain.cautions import Caution, CautionCode, cautions
from schedulerd.domain.schedules import Cron, DayMatch, Interval, Once, ScheduleDefinition, When

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def told(when: When, *, now: datetime = NOW) -> tuple[Caution, ...]:
    return cautions(ScheduleDefinition(name="etl", when=when), first_seen=NOW, now=now)


def codes(expression: str, zone: str = "UTC") -> list[str]:
    return [caution.code.value for caution in told(Cron(expression=expression, timezone=zone))]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 6 * * *", []),
        ("*/5 * * * *", []),
        ("0 0 13 * 5", ["either-day"]),
        ("0 0 */2 * 1", ["either-day", "uneven-step"]),
        ("0 0 ? * 1", []),
        ("*/7 * * * *", ["uneven-step"]),
        ("0 0 * * */2", ["uneven-step"]),
        ("0 */5 * * *", ["uneven-step"]),
        ("0 */6 * * *", []),
        ("*/45 0 0 1 */5 *", ["uneven-step"] * 2),
        ("0 0 1 */3 *", []),
        ("0 0 0 1 1 * */7", []),
        ("*/1 6 * * *", ["every-minute"]),
        ("* * * * *", ["every-minute"]),
        ("* 6 * * *", ["every-minute"]),
        ("* * * * * *", []),
        ("0 0 31 * *", ["short-month"]),
        ("0 0 30 * *", ["short-month"]),
        ("0 0 29 2 *", ["short-month"]),
        ("0 0 28 2 *", []),
        ("0 0 31 1,3 *", []),
        ("0 0 31 4,5 *", ["short-month"]),
        ("0 0 1,31 * *", []),
        ("0 0 31,L * *", []),
        ("0 0 31W * *", []),
        ("0 0 31 * 1", ["either-day"]),
        ("0 0 31 * */2", ["either-day", "short-month", "uneven-step"]),
    ],
)
def test_an_expression_has_its_cautions(expression: str, expected: list[str]) -> None:
    assert codes(expression) == expected


def test_day_fields_that_must_both_fit_are_told_apart_from_those_that_need_not() -> None:
    (either,) = told(Cron(expression="0 0 13 * 5"))
    (both,) = told(Cron(expression="0 0 13 * 5", day_match=DayMatch.BOTH))

    assert "either is enough" in either.text
    assert "both day fields must fit" in both.text


def test_every_minute_of_an_hour_says_how_once_is_written() -> None:
    (caution,) = told(Cron(expression="* 6 * * *"))

    assert caution.text.endswith("write 0 for the minute: 0 6")


@pytest.mark.parametrize(
    ("expression", "zone", "expected"),
    [
        ("30 2 * * *", "Europe/Berlin", ["dst-gap", "dst-fold"]),
        ("30 4 * * *", "Europe/Berlin", []),
        ("30 2 * * *", "Asia/Seoul", []),
        ("*/30 * * * *", "Europe/Berlin", []),
        ("*/30 2 * * *", "Europe/Berlin", ["dst-gap", "dst-fold"]),
        ("*/30 5 * * *", "Europe/Berlin", []),
        ("0 3 * * *", "Europe/Berlin", []),
        ("0 0 * * *", "Africa/Cairo", ["dst-gap"]),
        ("30 23 * * *", "Africa/Cairo", ["dst-fold"]),
        ("30 2 1 6 *", "Europe/Berlin", []),
    ],
)
def test_a_schedule_that_meets_a_change_of_the_clocks_is_told_so(
    expression: str, zone: str, expected: list[str]
) -> None:
    assert codes(expression, zone) == expected


def test_a_change_of_the_clocks_is_told_with_its_day_and_times() -> None:
    gap, fold = told(Cron(expression="30 2 * * *", timezone="Europe/Berlin"))

    assert gap == Caution(
        code=CautionCode.DST_GAP,
        text="on 2027-03-28 the clocks of Europe/Berlin leave out 02:00-03:00; 02:30 fires at 03:00, right after",
    )
    assert fold == Caution(
        code=CautionCode.DST_FOLD,
        text="on 2027-10-31 the clocks of Europe/Berlin repeat 02:00-03:00; 02:30 fires at the first pass only",
    )


def test_many_times_in_a_gap_are_told_by_the_first_few() -> None:
    gap, _ = told(Cron(expression="0-10 2 * * *", timezone="Europe/Berlin"))

    assert gap.text.endswith("02:00, 02:01, 02:02, 02:03, ... fire at 03:00, right after")


def test_a_rhythm_is_told_what_it_leaves_out_and_repeats() -> None:
    gap, fold = told(Cron(expression="*/30 2 * * *", timezone="Europe/Berlin"))

    assert gap.text.endswith("its times in between do not exist on that day and are not made up for")
    assert fold.text.endswith("its times in between fire in both passes")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (Interval(every=timedelta(hours=1), timezone="Europe/Berlin"), []),
        (
            Interval(
                every=timedelta(days=1),
                timezone="Europe/Berlin",
                anchor=datetime.fromisoformat("2026-01-01T02:30"),
            ),
            ["dst-gap", "dst-fold"],
        ),
        (Once(at=datetime.fromisoformat("2027-03-28T02:30"), timezone="Europe/Berlin"), ["dst-gap"]),
        (Once(at=datetime.fromisoformat("2027-10-31T02:30"), timezone="Europe/Berlin"), ["dst-fold"]),
        (Once(at=datetime.fromisoformat("2027-06-01T02:30"), timezone="Europe/Berlin"), []),
    ],
)
def test_whole_days_and_single_times_meet_the_clocks_too(when: When, expected: list[str]) -> None:
    assert [caution.code.value for caution in told(when)] == expected
