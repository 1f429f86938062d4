"""Durations are read as people write them, and written so that they can be read again."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.durations import LONGEST, duration_text, parse_duration
from schedulerd.errors import BadExpression


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("15m", timedelta(minutes=15)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("1h 30m", timedelta(hours=1, minutes=30)),
        (" 2w ", timedelta(weeks=2)),
        ("45s", timedelta(seconds=45)),
        ("500ms", timedelta(milliseconds=500)),
        ("1m500ms", timedelta(minutes=1, milliseconds=500)),
        ("0s", timedelta()),
        ("90m", timedelta(minutes=90)),
        ("1w2d3h4m5s6ms", timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5, milliseconds=6)),
        ("36525d", timedelta(days=36_525)),
    ],
)
def test_a_duration_is_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", ""),
        ("  ", "  "),
        ("15", "15"),
        ("m", "m"),
        ("15 m", "15 m"),
        ("1.5h", "1.5h"),
        ("-5m", "-5m"),
        ("15min", "15min"),
        ("1h30", "30"),
        ("30m1h", "1h"),
        ("1m1m", "1m"),
        ("1h, 30m", ", 30m"),
        ("1H", "1H"),
        ("٣m", "٣m"),
        ("1m ago", "ago"),
    ],
)
def test_what_is_no_duration_is_refused_at_its_place(text: str, wrong: str) -> None:
    with pytest.raises(BadExpression, match="15m, 1h30m, 2w, 45s or 500ms") as refused:
        parse_duration(text)

    assert text[refused.value.start : refused.value.end] == wrong
    assert refused.value.code == "duration"


@pytest.mark.parametrize("text", ["36526d", "999999999999w", "999999999999d"])
def test_a_duration_of_more_than_a_century_is_refused(text: str) -> None:
    with pytest.raises(BadExpression, match="100 years"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(minutes=90), "1h30m"),
        (timedelta(days=14), "2w"),
        (timedelta(), "0s"),
        (timedelta(milliseconds=1_500), "1s500ms"),
        (timedelta(microseconds=20), "0s"),
        (timedelta(seconds=-90), "-1m30s"),
        (timedelta(microseconds=-20), "0s"),
    ],
)
def test_a_duration_is_written(duration: timedelta, text: str) -> None:
    assert duration_text(duration) == text


@given(st.integers(0, LONGEST // timedelta(milliseconds=1)))
def test_what_is_written_is_read_again(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)

    assert parse_duration(duration_text(duration)) == duration


@given(st.text(alphabet="0123456789wdhms .-", max_size=12))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    read = read_or_refused(text)

    assert isinstance(read, BadExpression) or timedelta() <= read


def read_or_refused(text: str) -> timedelta | BadExpression:
    try:
        return parse_duration(text)
    except BadExpression as refused:
        return refused
