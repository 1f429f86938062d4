"""What the author of a schedule is told beforehand."""

import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schedulerd.domain.caution_texts import TEXTS, Told
from schedulerd.domain.cautions import Caution, CautionCode, cautions
from schedulerd.domain.schedules import (
    Cron,
    DayMatch,
    Interval,
    Once,
    Reboot,
    RRule,
    ScheduleDefinition,
    When,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def told(when: When, **more: Any) -> tuple[Caution, ...]:
    return cautions(ScheduleDefinition(name="etl", when=when), first_seen=NOW, now=NOW, **more)


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


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (RRule(expression="FREQ=MONTHLY;BYMONTHDAY=31"), ["short-month"]),
        (RRule(expression="FREQ=MONTHLY;BYMONTHDAY=31,-1"), []),
        (RRule(expression="FREQ=MONTHLY;BYMONTHDAY=28"), []),
        (RRule(expression="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"), ["short-month"]),
        (RRule(expression="FREQ=YEARLY;BYMONTH=1,3;BYMONTHDAY=31"), []),
        (RRule(expression="FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1"), []),
        (RRule(expression="FREQ=MINUTELY"), ["every-minute"]),
        (RRule(expression="FREQ=MINUTELY;INTERVAL=5"), []),
        (RRule(expression="FREQ=DAILY;BYHOUR=2;BYMINUTE=30", timezone="Europe/Berlin"), ["dst-gap", "dst-fold"]),
        (RRule(expression="FREQ=DAILY;BYHOUR=4", timezone="Europe/Berlin"), []),
        (RRule(expression="FREQ=HOURLY", timezone="Europe/Berlin"), []),
        (Interval(every=timedelta(minutes=1)), ["every-minute"]),
        (Reboot(timezone="Europe/Berlin"), []),
    ],
)  # fmt: skip
def test_rules_and_intervals_have_their_cautions(when: When, expected: list[str]) -> None:
    assert [caution.code.value for caution in told(when)] == expected


def at_six(**changes: Any) -> ScheduleDefinition:
    return replace(ScheduleDefinition(name="etl", when=Cron(expression="0 6 * * *")), **changes)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        (at_six(when=Cron(expression="0 0 6 * * * 2020")), "the last time was 2020-12-31 06:00"),
        (
            at_six(when=Once(at=day("2020-12-01T09:00"), timezone="Asia/Seoul")),
            "the last time was 2020-12-01 09:00",
        ),
        (
            at_six(when=RRule(expression="FREQ=DAILY;UNTIL=20200101", anchor=day("2019-01-01T09:00"))),
            "the last time was 2020-01-01 09:00",
        ),
        (at_six(end=day("2026-10-31T06:00")), "the last time was 2026-10-31 06:00"),
        (at_six(start=day("2026-10-01T07:00"), end=day("2026-10-01T08:00")), "it never fires"),
    ],
)
def test_a_schedule_whose_time_is_over_is_told_to_fire_never_again(
    definition: ScheduleDefinition, text: str
) -> None:
    (caution,) = cautions(definition, first_seen=NOW, now=NOW)

    assert caution.code is CautionCode.NEVER
    assert caution.text.endswith(text)


def test_a_schedule_that_fires_once_more_is_not_told_so() -> None:
    definition = at_six(end=NOW + timedelta(hours=6))

    assert cautions(definition, first_seen=NOW, now=NOW) == ()


def test_a_change_of_the_clocks_after_the_end_is_nobodys_business() -> None:
    berlin = at_six(when=Cron(expression="30 2 * * *", timezone="Europe/Berlin"), end=day("2027-03-01"))

    assert cautions(berlin, first_seen=NOW, now=NOW) == ()


def test_what_a_jitter_delays_is_told_by_the_time_that_is_named() -> None:
    berlin = at_six(when=Cron(expression="30 2 * * *", timezone="Europe/Berlin"), jitter=timedelta(hours=1))

    assert [one.code.value for one in cautions(berlin, first_seen=NOW, now=NOW)] == ["dst-gap", "dst-fold"]


@pytest.mark.parametrize(
    ("when", "texts"),
    [
        (
            Cron(expression="30 2 * * *", timezone="Europe/Berlin"),
            [
                "2027-03-28, Europe/Berlin의 시계가 02:00–03:00 구간을 건너뜁니다. 02:30: 바로 뒤 03:00에 실행됩니다",
                "2027-10-31, Europe/Berlin의 시계가 02:00–03:00 구간을 두 번 지납니다. 02:30: 첫 번째에만 실행됩니다",
            ],
        ),
        (
            Cron(expression="*/7 * * * *"),
            ["분 간격 7: 매시 처음부터 다시 세므로 마지막 간격이 더 짧습니다"],
        ),
        (
            Cron(expression="0 0 13 * 5"),
            ["날짜와 요일이 모두 지정되어 둘 중 하나만 맞아도 실행됩니다: 날짜 13 또는 요일 5"],
        ),
        (Cron(expression="0 0 31 * *"), ["31일이 없는 달은 건너뜁니다. 매월 마지막 날은 L로 씁니다"]),
        (Cron(expression="0 0 1 1 1 * 2020"), ["더는 실행되지 않습니다. 마지막 시각: 2020-01-01 01:00"]),
        (Cron(expression="* * * * *"), ["1분마다, 하루에 1,440번 실행됩니다"]),
    ],
)
def test_cautions_in_korean(when: When, texts: list[str]) -> None:
    assert [caution.text for caution in told(when, language="ko")] == texts


@pytest.mark.parametrize("which", Told)
def test_a_text_says_the_same_in_every_language(which: Told) -> None:
    said = {language: values_of(texts[which]) for language, texts in TEXTS.items()}

    assert said["ko"] == said["en"] - {"fires"}  # a verb that only English inflects


def values_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_caution_can_be_told_in_korean_without_a_word_of_english() -> None:
    steps = Cron(expression="*/45 */7 */5 1 */5 */2")

    told_in_korean = " ".join(caution.text for caution in told(steps, language="ko"))

    assert {word for word in told_in_korean.split() if word.isascii() and word.isalpha()} <= {"L"}
