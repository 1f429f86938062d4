"""Schedules in Korean words: one row a sentence."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest

from schedulerd.domain.schedules import (
    Blackout,
    BlackoutAction,
    BlackoutSpan,
    BlackoutWindow,
    Cron,
    DayMatch,
    Interval,
    Once,
    Reboot,
    RRule,
    ScheduleDefinition,
    When,
)
from schedulerd.domain.wording import in_words, schedule_in_words

SEOUL: Final = "Asia/Seoul"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "1분마다"),
        ("*/5 * * * *", "5분마다"),
        ("30 2 * * *", "매일 02:30"),
        ("15 2,3 * * *", "매일 02:15, 03:15"),
        ("5 30 2 * * *", "매일 02:30:05"),
        ("0 9 * * mon-fri", "매주 월–금요일 09:00"),
        ("0 * * * *", "매시 정각"),
        ("0 */2 * * *", "2시간마다 정각"),
        ("0 9-17 * * mon-fri", "매주 월–금요일 09:00부터 17:00까지 매시 정각"),
        ("30 9-17 * * *", "매일 9–17시 30분"),
        ("0 1,3,5,7,9,11,13 * * *", "매일 1·3·5·7·9·11·13시 정각"),
        ("5 * * * *", "매시 5분"),
        ("5,35 * * * *", "매시 5·35분"),
        ("5,35 */2 * * *", "2시간마다 5·35분"),
        ("*/15 9-17 * * 1-5", "매주 월–금요일 09:00부터 17:59까지 15분마다"),
        ("*/20 */2 * * *", "0시부터 2시간 간격으로 한 시간 동안 20분마다"),
        ("*/5 9,11,15 * * *", "매일 9·11·15시에 5분마다"),
        ("* 6 * * *", "매일 06:00부터 06:59까지 1분마다"),
        ("* * * * * *", "1초마다"),
        ("*/10 * * * * *", "10초마다"),
        ("30 * * * * *", "매분 30초"),
        ("*/10 * 9-10 * * *", "매일 09:00부터 10:59까지 10초마다"),
        ("*/10 30 2 * * *", "매일 2시 30분에 1분 동안 10초마다"),
        ("*/10 */15 * * * *", "15분마다 1분 동안 10초마다"),
        ("5 */15 * * * *", "15분마다 5초"),
        ("5,6 0,30 6,9,12-14,20 * * *", "매일 6·9·12–14·20시 0·30분 5·6초"),
        ("0 0 13 * *", "매월 13일 00:00"),
        ("0 0 1,2,3,22 * *", "매월 1–3·22일 00:00"),
        ("0 0 */10 * *", "매월 1일부터 10일 간격으로 00:00"),
        ("0 0 L * *", "매월 마지막 날 00:00"),
        ("0 0 1,L * *", "매월 1일과 마지막 날 00:00"),
        ("0 0 15W * *", "매월 15일에서 가장 가까운 평일 00:00"),
        ("0 0 * * 5#2", "매월 둘째 금요일 00:00"),
        ("0 0 * * 5#2,1#1", "매월 첫째 월요일과 둘째 금요일 00:00"),
        ("0 0 * * L5", "매월 마지막 금요일 00:00"),
        ("0 0 * 3 5#2", "매년 3월 둘째 금요일 00:00"),
        ("0 0 * * sat,sun", "매주 토·일요일 00:00"),
        ("0 0 13 * 5", "매월 13일 또는 매주 금요일 00:00"),
        ("0 0 13 3 5", "매년 3월 13일 또는 매주 금요일 00:00"),
        ("0 0 */2 * 1,3", "매월 1일부터 2일 간격의 날 중 월·수요일인 날 00:00"),
        ("0 0 1 1 *", "매년 1월 1일 00:00"),
        ("0 0 1 1,3,6-8 *", "매년 1·3·6–8월 1일 00:00"),
        ("0 9 * 6-8 *", "매년 6–8월 매일 09:00"),
        ("*/15 * * 6-8 1-5", "매년 6–8월 매주 월–금요일 15분마다"),
        ("0 30 2 * * * 2027", "2027년 매일 02:30"),
        ("0 0 9 1 3 * 2027-2030", "2027–2030년 3월 1일 09:00"),
        ("0 0 0 1 * * 2027", "2027년 매월 1일 00:00"),
    ],
)
def test_an_expression_in_korean(expression: str, words: str) -> None:
    assert in_words(Cron(expression=expression, timezone=SEOUL), language="ko") == f"{words} (Asia/Seoul)"


def test_a_day_match_that_was_asked_for_shows_in_the_words() -> None:
    when = Cron(expression="0 0 13 * 5", timezone=SEOUL, day_match=DayMatch.BOTH)

    assert in_words(when, language="ko") == "매월 13일 중 금요일인 날 00:00 (Asia/Seoul)"


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (Interval(every=timedelta(minutes=15), timezone=SEOUL), "15분마다 (Asia/Seoul)"),
        (Interval(every=timedelta(minutes=90)), "90분마다 (UTC)"),
        (Interval(every=timedelta(hours=1)), "1시간마다 (UTC)"),
        (Interval(every=timedelta(days=1)), "매일 (UTC)"),
        (Interval(every=timedelta(weeks=1)), "매주 (UTC)"),
        (Interval(every=timedelta(weeks=2)), "2주마다 (UTC)"),
        (
            Interval(every=timedelta(hours=6), anchor=wall("2026-01-01T09:00")),
            "2026년 1월 1일 09:00 기준 6시간마다 (UTC)",
        ),
        (Once(at=wall("2026-12-01T09:00"), timezone=SEOUL), "2026년 12월 1일 09:00에 한 번 (Asia/Seoul)"),
        (Reboot(), "재부팅할 때마다 한 번"),
    ],
)
def test_intervals_single_times_and_reboots_in_korean(when: When, words: str) -> None:
    assert in_words(when, language="ko") == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FREQ=DAILY;BYHOUR=9", "매일 09:00"),
        ("FREQ=DAILY;INTERVAL=3;BYHOUR=6", "3일마다 06:00"),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=9", "매주 월–금요일 09:00"),
        ("FREQ=DAILY;BYMONTHDAY=1;BYHOUR=9", "매월 1일 09:00"),
        ("FREQ=DAILY;BYMONTH=3;BYMONTHDAY=1;BYHOUR=9", "3월 1일 09:00"),
        ("FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9", "매주 월·금요일 09:00"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;BYHOUR=9;BYMINUTE=0,30", "2주마다 월·금요일 09:00, 09:30"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", "매월 1·15일 00:00"),
        ("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1", "3개월마다 마지막 날 00:00"),
        ("FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20261231", "2026년 12월 31일까지 매월 마지막 금요일 00:00"),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1", "매년 3월 1일 00:00"),
        ("DTSTART:20260105T093000 FREQ=YEARLY", "2026년 1월 5일 09:30부터 매년 1월 5일 09:30"),
        ("FREQ=HOURLY;INTERVAL=2", "2시간마다 정각"),
        ("FREQ=HOURLY;BYMINUTE=15,45", "매시 15·45분"),
        ("FREQ=MINUTELY;INTERVAL=15", "15분마다"),
        ("FREQ=MINUTELY", "1분마다"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1", "규칙 FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1에 따라"),
    ],
)
def test_a_rule_in_korean(text: str, words: str) -> None:
    assert in_words(RRule(expression=text, timezone=SEOUL), language="ko") == f"{words} (Asia/Seoul)"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, ""),
        ({"jitter": timedelta(minutes=5)}, ", 최대 5분 늦게"),
        (
            {"start": wall("2026-12-01"), "end": datetime(2027, 3, 31, 9, tzinfo=UTC)},
            ", 2026년 12월 1일부터 2027년 3월 31일 18:00까지",
        ),
        ({"end": wall("2027-03-31T23:59:59.999999")}, ", 2027년 3월 31일까지"),
        ({"blackout": Blackout(calendars=("holidays DE-BY",))}, ", DE-BY 공휴일 제외"),
        (
            {
                "blackout": Blackout(
                    windows=(BlackoutWindow(expression="0 22 * * 5", duration=timedelta(hours=2)),),
                    calendars=("closed.ics",),
                    action=BlackoutAction.RUN_AFTER,
                )
            },
            ", closed.ics의 날, 매주 금요일 22:00부터 2시간 동안 제외 (끝나면 바로 한 번)",
        ),
        (
            {
                "blackout": Blackout(
                    days=(date(2026, 1, 1),),
                    spans=(BlackoutSpan(start=wall("2026-01-01"), end=wall("2026-01-02")),),
                )
            },
            ", 지정한 1일, 지정한 기간 1개 제외",
        ),
        ({"blackout": Blackout()}, ""),
    ],
)
def test_what_bears_upon_a_schedule_is_said_after_it(more: Mapping[str, Any], words: str) -> None:
    definition = ScheduleDefinition(name="etl", when=Cron(expression="0 6 * * *", timezone=SEOUL), **more)

    assert schedule_in_words(definition, language="ko") == f"매일 06:00 (Asia/Seoul){words}"
