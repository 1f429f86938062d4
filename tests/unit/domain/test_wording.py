"""Schedules in English words, and what holds in every language."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

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
from schedulerd.domain.wording import LANGUAGES, Language, day_name, in_words, schedule_in_words
from schedulerd.errors import BadExpression


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("*/1 * * * *", "every minute"),
        ("30 2 * * *", "at 02:30 every day"),
        ("15 2,3 * * *", "at 02:15 and 03:15 every day"),
        ("5 30 2 * * *", "at 02:30:05 every day"),
        ("0 * * * *", "every hour on the hour"),
        ("@hourly", "every hour on the hour"),
        ("0 */2 * * *", "every 2 hours on the hour"),
        ("0 9-17 * * mon-fri", "every hour from 09:00 to 17:00 on Monday to Friday"),
        ("0 1,3,5,7,9,11,13 * * *", "at minute 0 of the hours 01, 03, 05, 07, 09, 11 and 13"),
        ("5 * * * *", "at minute 5 of every hour"),
        ("5,35 * * * *", "at minutes 5 and 35 of every hour"),
        ("5,35 */2 * * *", "at minutes 5 and 35 of every 2nd hour from 00"),
        ("*/15 9-17 * * 1-5", "every 15 minutes from 09:00 to 17:59 on Monday to Friday"),
        ("* 6 * * *", "every minute from 06:00 to 06:59"),
        ("* * * * * *", "every second"),
        ("*/10 * * * * *", "every 10 seconds"),
        ("*/10 30 2 * * *", "every 10 seconds of minute 30 from 02:00 to 02:59"),
        ("*/10 */15 * * * *", "every 10 seconds of every 15 minutes"),
        ("30 * * * * *", "at second 30 of every minute"),
        (
            "5,6 0,30 6,9,12-14,20 * * *",
            "at seconds 5 and 6 of minutes 0 and 30 of the hours 06, 09, 12 to 14 and 20",
        ),
        ("0 0 13 * *", "at 00:00 on the 13th of the month"),
        ("0 0 1,2,3,22 * *", "at 00:00 on the 1st to the 3rd and 22nd of the month"),
        ("0 0 11-12,21 * *", "at 00:00 on the 11th, 12th and 21st of the month"),
        ("0 0 */10 * *", "at 00:00 on every 10th day from the 1st of the month"),
        ("0 0 L * *", "at 00:00 on the last day of the month"),
        ("0 0 1,L * *", "at 00:00 on the 1st and last day of the month"),
        ("0 0 15W * *", "at 00:00 on the weekday nearest to the 15th of the month"),
        ("0 0 * * 5#2,1#1", "at 00:00 on the first Monday and second Friday of the month"),
        ("0 0 * * L5", "at 00:00 on the last Friday of the month"),
        ("0 0 * * 0", "at 00:00 on Sunday"),
        ("0 0 * * sat,sun", "at 00:00 on Saturday and Sunday"),
        ("0 0 * * fri-sun", "at 00:00 on Friday to Sunday"),
        ("0 0 13 * 5", "at 00:00 on the 13th of the month, and on Friday too"),
        (
            "0 0 */2 * 1,3",
            "at 00:00 on every 2nd day from the 1st of the month where that is Monday or Wednesday",
        ),
        ("0 0 1 1,3,6-8 *", "at 00:00 on the 1st of January, March and June to August"),
        ("0 0 */10 3 *", "at 00:00 on every 10th day from the 1st of March"),
        ("0 0 15W 3 *", "at 00:00 on the weekday nearest to the 15th of March"),
        ("0 0 * 3 5L", "at 00:00 on the last Friday of March"),
        ("0 0 * * 1L,5#1", "at 00:00 on the first Friday and last Monday of the month"),
        ("0 9 * 6-8 *", "at 09:00 every day in June to August"),
        ("*/15 * * 6-8 1-5", "every 15 minutes on Monday to Friday in June to August"),
        ("0 0 13 3 5", "at 00:00 in March on the 13th of the month, and on Friday too"),
        ("0 0 * * 0-6", "at 00:00 every day"),
        ("0 0 9 1 3 * 2027", "at 09:00 on the 1st of March in 2027"),
        ("0 30 2 * * * 2027", "at 02:30 every day in 2027"),
        ("0 30 2 * * * 2027-2030", "at 02:30 every day in 2027 to 2030"),
    ],
)
def test_an_expression_in_words(expression: str, words: str) -> None:
    assert in_words(Cron(expression=expression)) == f"{words}, UTC"


def test_a_day_match_that_was_asked_for_shows_in_the_words() -> None:
    when = Cron(expression="0 0 13 * 5", day_match=DayMatch.BOTH)

    assert in_words(when) == "at 00:00 on the 13th of the month where that is Friday, UTC"


def test_hashed_times_are_told_as_they_are() -> None:
    words = {in_words(Cron(expression="H 3 * * *"), name=name) for name in ("etl", "report")}

    assert len(words) == 2
    assert all(told.startswith("at 03:") for told in words)


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (Interval(every=timedelta(minutes=15)), "every 15 minutes, UTC"),
        (Interval(every=timedelta(minutes=90)), "every 90 minutes, UTC"),
        (Interval(every=timedelta(hours=1)), "every hour, UTC"),
        (Interval(every=timedelta(days=1), timezone="Asia/Seoul"), "every day, Asia/Seoul time"),
        (Interval(every=timedelta(weeks=2)), "every 2 weeks, UTC"),
        (Interval(every=timedelta(milliseconds=1_500)), "every 1500 milliseconds, UTC"),
        (Interval(every=timedelta(microseconds=1_500)), "every millisecond, UTC"),
        (
            Interval(every=timedelta(hours=1), anchor=datetime.fromisoformat("2026-01-01T09:00")),
            "every hour, counted from 1 January 2026 at 09:00, UTC",
        ),
        (
            Interval(
                every=timedelta(hours=6), timezone="Asia/Seoul", anchor=datetime(2026, 1, 1, tzinfo=UTC)
            ),
            "every 6 hours, counted from 1 January 2026 at 09:00, Asia/Seoul time",
        ),
        (Reboot(), "once after each start of the machine"),
        (
            Once(at=datetime.fromisoformat("2026-12-01T09:00"), timezone="Asia/Seoul"),
            "once, on 1 December 2026 at 09:00, Asia/Seoul time",
        ),
        (Once(at=datetime.fromisoformat("2026-12-01T09:00:05")), "once, on 1 December 2026 at 09:00:05, UTC"),
    ],
)
def test_intervals_and_single_times_in_words(when: When, words: str) -> None:
    assert in_words(when) == words


def rule(text: str, anchor: str | None = None) -> RRule:
    return RRule(
        expression=text, timezone="Europe/Berlin", anchor=datetime.fromisoformat(anchor) if anchor else None
    )


@pytest.mark.parametrize(
    ("text", "anchor", "words"),
    [
        ("FREQ=DAILY", None, "every day at 00:00"),
        ("FREQ=DAILY;INTERVAL=3;BYHOUR=6", None, "every 3 days at 06:00"),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=9", None, "on Monday to Friday at 09:00"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;BYHOUR=9;BYMINUTE=0,30",
            None,
            "every 2 weeks on Monday and Friday at 09:00 and 09:30",
        ),
        ("FREQ=WEEKLY", None, "every week at 00:00"),
        ("FREQ=WEEKLY", "2026-01-05T09:30:10", "every week on Monday at 09:30:10, from 5 January 2026 at 09:30:10"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", None, "every month on the 1st and 15th at 00:00"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,-1", None, "every month on the 1st and last day at 00:00"),
        ("FREQ=MONTHLY;BYDAY=2FR,-1MO;BYHOUR=9", None, "every month on the second Friday and last Monday at 09:00"),
        ("FREQ=MONTHLY", "2026-01-05", "every month on the 5th at 00:00, from 5 January 2026"),
        ("FREQ=MONTHLY;UNTIL=20261231", None, "every month at 00:00, until 31 December 2026"),
        ("FREQ=DAILY;UNTIL=20261231T170000Z", None, "every day at 00:00, until 31 December 2026 at 18:00"),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1", None, "every year in March on the 1st at 00:00"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", None, "every year in March on the last Sunday at 00:00"),
        ("DTSTART:20260105T093000 FREQ=YEARLY", None, "every year in January on the 5th at 09:30, from 5 January 2026 at 09:30"),
        ("FREQ=HOURLY;INTERVAL=2", None, "every 2 hours on the hour"),
        ("FREQ=HOURLY;BYMINUTE=15,45", None, "every hour at minutes 15 and 45"),
        ("FREQ=MINUTELY;INTERVAL=15", None, "every 15 minutes"),
        ("FREQ=SECONDLY;INTERVAL=30", None, "every 30 seconds"),
    ],
)  # fmt: skip
def test_the_common_parts_of_a_rule_in_words(text: str, anchor: str | None, words: str) -> None:
    assert in_words(rule(text, anchor)) == f"{words}, Europe/Berlin time"


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1",
        "FREQ=MONTHLY;BYMONTHDAY=-2",
        "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR",
        "FREQ=MONTHLY;BYDAY=MO,2FR",
        "FREQ=MONTHLY;BYDAY=-2FR",
        "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=YEARLY;BYYEARDAY=100",
        "FREQ=YEARLY;BYWEEKNO=20",
        "FREQ=HOURLY;BYHOUR=9",
        "FREQ=MINUTELY;BYHOUR=9",
        "FREQ=DAILY;BYSECOND=30",
    ],
)
def test_a_rare_rule_says_itself(text: str) -> None:
    assert in_words(rule(text)) == f"by the rule {text}, Europe/Berlin time"


def at_six(**more: Any) -> ScheduleDefinition:
    return ScheduleDefinition(name="etl", when=Cron(expression="0 6 * * *", timezone="Asia/Seoul"), **more)


WINDOWS: Final = (BlackoutWindow(expression="0 22 * * 5", duration=timedelta(hours=2)),)
SPAN: Final = BlackoutSpan(
    start=datetime.fromisoformat("2026-01-01T10:00"), end=datetime.fromisoformat("2026-01-02T10:00")
)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, ""),
        ({"jitter": timedelta(minutes=5)}, ", up to 5 minutes later"),
        ({"jitter": timedelta(minutes=1)}, ", up to 1 minute later"),
        ({"start": datetime.fromisoformat("2026-12-01")}, ", from 1 December 2026"),
        (
            {
                "start": datetime.fromisoformat("2026-12-01T08:00"),
                "end": datetime.fromisoformat("2027-03-31T23:59:59.999999"),
            },
            ", from 1 December 2026 at 08:00 until 31 March 2027",
        ),
        ({"end": datetime(2027, 3, 31, 9, tzinfo=UTC)}, ", until 31 March 2027 at 18:00"),
        ({"blackout": Blackout(calendars=("holidays DE-BY",))}, ", not on holidays DE-BY"),
        (
            {
                "jitter": timedelta(seconds=90),
                "blackout": Blackout(
                    windows=WINDOWS,
                    days=(date(2026, 1, 1),),
                    calendars=("holidays DE-BY", "closed.ics"),
                    action=BlackoutAction.RUN_AFTER,
                ),
            },
            ", up to 90 seconds later, not on holidays DE-BY, on days of closed.ics or in the 2 hours from"
            " 22:00 on Friday, but right after",
        ),
        (
            {"blackout": Blackout(days=(date(2026, 1, 1), date(2026, 1, 2)), spans=(SPAN,))},
            ", not on 2 days or in 1 span of time",
        ),
        ({"blackout": Blackout(days=(date(2026, 1, 1),))}, ", not on 1 day"),
        ({"blackout": Blackout(spans=(SPAN, SPAN))}, ", not in 2 spans of time"),
        ({"blackout": Blackout()}, ""),
    ],
)
def test_what_bears_upon_a_schedule_is_said_after_it(more: Mapping[str, Any], words: str) -> None:
    assert schedule_in_words(at_six(**more)) == f"at 06:00 every day, Asia/Seoul time{words}"


def test_weekdays_have_short_names() -> None:
    sunday = date(2026, 11, 22)

    assert [day_name(sunday), day_name(sunday, language="ko")] == ["Sun", "일"]


# -- in every language --------------------------------------------------------------------------------------------

_LEFT_OVER: Final = re.compile(r"[{}<>]|None|  |^ | $| ,|\(\)")
_WORDS: Final = {"en": re.compile(r"[a-z]{2}"), "ko": re.compile(r"[가-힣]")}
items = st.one_of(
    st.sampled_from(["*", "*/2", "*/5", "*/7", "H", "?"]),
    st.integers(0, 31).map(str),
    st.builds(lambda low, more: f"{low}-{low + more}", st.integers(0, 12), st.integers(1, 11)),
    st.lists(st.integers(1, 12), min_size=2, max_size=4).map(lambda found: ",".join(map(str, found))),
)
days = st.one_of(items, st.sampled_from(["L", "15,L", "15W", "31"]))
weekdays = st.one_of(items, st.sampled_from(["mon-fri", "sat,sun", "5#2", "L5", "1#1,5L", "0-7"]))
fields = st.tuples(items, items, days, items, weekdays).map(" ".join)
expressions = st.one_of(
    fields,
    st.tuples(items, fields).map(" ".join),
    st.tuples(items, fields, st.sampled_from(["*", "2030", "2030-2032"])).map(" ".join),
)


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=400, deadline=None)
@given(expression=expressions, day_match=st.sampled_from([None, *DayMatch]))
def test_every_expression_has_words(language: Language, expression: str, day_match: DayMatch | None) -> None:
    when = Cron(expression=expression, timezone="Asia/Seoul", day_match=day_match)
    try:
        words = in_words(when, name="etl", language=language)
    except BadExpression:
        assume(False)

    assert _LEFT_OVER.search(words) is None, words
    assert _WORDS[language].search(words), words
    assert "Asia/Seoul" in words


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=300, deadline=None)
@given(
    frequency=st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"]),
    parts=st.sets(
        st.sampled_from(
            [
                "INTERVAL=2",
                "BYMONTH=3,4",
                "BYMONTHDAY=1,-1",
                "BYDAY=MO,FR",
                "BYDAY=2FR",
                "BYHOUR=9,17",
                "BYMINUTE=0,30",
                "UNTIL=20301231T120000",
                "BYSETPOS=1",
            ]
        )
    ),
    anchor=st.sampled_from([None, datetime.fromisoformat("2026-01-05T09:30")]),
)
def test_every_rule_has_words(
    language: Language, frequency: str, parts: set[str], anchor: datetime | None
) -> None:
    when = RRule(expression=";".join([f"FREQ={frequency}", *sorted(parts)]), anchor=anchor)
    try:
        words = in_words(when, language=language)
    except BadExpression:
        assume(False)

    assert _LEFT_OVER.search(words) is None, words
    assert _WORDS[language].search(words), words
