"""Schedules in words."""

from datetime import datetime, timedelta

import pytest

from schedulerd.domain.schedules import Cron, DayMatch, Interval, Once, When
from schedulerd.domain.wording import in_words


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
        ("0 0 1 1,3,6-8 *", "at 00:00 on the 1st of the month in January, March and June to August"),
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
        (Interval(every=timedelta(microseconds=1_500)), "every 1ms, UTC"),
        (
            Once(at=datetime.fromisoformat("2026-12-01T09:00"), timezone="Asia/Seoul"),
            "once, on 1 December 2026 at 09:00, Asia/Seoul time",
        ),
        (Once(at=datetime.fromisoformat("2026-12-01T09:00:05")), "once, on 1 December 2026 at 09:00:05, UTC"),
    ],
)
def test_intervals_and_single_times_in_words(when: When, words: str) -> None:
    assert in_words(when) == words
