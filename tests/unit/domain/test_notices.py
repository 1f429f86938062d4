"""Rules, grouping, limits, and what of a URL is shown."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.messages import LONGEST_PAUSE, PATIENCE, next_try
from schedulerd.domain.notice_batches import AN_HOUR, next_message
from schedulerd.domain.notice_texts import MOST_TOLD, Told, message, span_text
from schedulerd.domain.notices import Happening, Notice, NoticeKind, NoticeRule
from schedulerd.domain.shown_urls import shown_url, without_secrets
from schedulerd.domain.zones import zone
from tests.builders import NOW


@given(
    moments=st.lists(st.integers(0, 20_000), min_size=1, max_size=60),
    group=st.integers(0, 600),
    limit=st.integers(1, 5),
)
def test_every_notice_is_told_once_and_never_more_often_than_the_limit(
    moments: list[int], group: int, limit: int
) -> None:
    rule = NoticeRule(name="ops", group=timedelta(seconds=group), limit=limit)
    happened = sorted(NOW + timedelta(seconds=one) for one in moments)
    made: list[datetime] = []
    told: list[datetime] = []

    while len(told) < len(happened):
        oldest = happened[len(told)]
        now = next_message(rule, oldest=oldest, made=made, now=max([oldest, *made[-1:]])).at
        assert next_message(rule, oldest=oldest, made=made, now=now).at <= now
        together = [one for one in happened[len(told) :] if one <= now]
        made.append(now)
        told += together
        assert now - oldest <= max(rule.group, AN_HOUR)

    assert told == happened
    for one in made:
        assert sum(one - AN_HOUR < other <= one for other in made) <= limit


def test_a_clock_that_was_set_back_keeps_nothing_waiting() -> None:
    rule = NoticeRule(name="ops", limit=1)
    ahead = NOW + timedelta(days=1)

    assert next_message(rule, oldest=ahead, made=[ahead], now=NOW).at == NOW


@given(st.integers(1, 10_000))
def test_what_is_tried_again_is_so_soon_and_not_for_ever(tries: int) -> None:
    again = next_try(tries, since=NOW, now=NOW)

    assert again is not None
    assert timedelta() < again - NOW <= LONGEST_PAUSE
    assert next_try(tries, since=NOW, now=NOW + PATIENCE) is None


def test_a_rule_without_narrowing_is_told_of_every_file_and_a_narrow_one_of_its_flows() -> None:
    on = frozenset({NoticeKind.BROKEN})
    narrow = NoticeRule(name="a", on=on, flows=("etl-*",))
    new_file = Happening(kind=NoticeKind.BROKEN, at=NOW, subject="new.py")
    known = Happening(kind=NoticeKind.BROKEN, at=NOW, subject="etl.py", flows={"etl-1": ()})

    assert NoticeRule(name="b", on=on).wants(new_file)
    assert not narrow.wants(new_file)
    assert narrow.wants(known)


def test_slow_is_a_multiple_of_what_is_usual_and_of_some_length() -> None:
    rule = NoticeRule(name="a", on=frozenset({NoticeKind.SLOW}))

    def slow(took: int, usual: int) -> bool:
        delay, median = timedelta(seconds=took), timedelta(seconds=usual)
        return rule.wants(Happening(kind=NoticeKind.SLOW, at=NOW, subject="", delay=delay, usual=median))

    assert [slow(59, 1), slow(60, 1), slow(299, 100), slow(300, 100)] == [False, True, False, True]


def test_many_notices_are_told_in_short_with_how_many_were_held_back() -> None:
    told = [Told(notice=Notice(kind=NoticeKind.FAILED, at=NOW, subject=f"etl#{n}")) for n in range(MOST_TOLD)]
    counts = {NoticeKind.FAILED: 12, NoticeKind.CRASHED: 1}

    words = message(told, counts, host="web1", zone=zone("UTC"), held=True)

    assert words.title == "[schedulerd@web1] 12 failed, 1 crashed"
    assert words.body.endswith(
        "3 more were held back, for the limit of messages in an hour: 2 failed, 1 crashed"
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("slack://tokena/tokenb/tokenc", "slack://…"),
        ("json://user:secret@example.com:8080/path?x=1", "json://example.com:8080/…"),
        ("mailto://me:secret@example.com", "mailto://example.com/…"),
        ("no url at all", "…"),
    ],
)
def test_of_a_url_only_the_service_and_its_host_are_shown(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_what_a_library_says_loses_every_part_of_the_url() -> None:
    url = "tgram://12345:AbC%2Fdef/chat-1?token=hush-hush"

    words = without_secrets("POST /bot12345:AbC/def/chat-1 token=hush-hush failed: 404", url)

    assert "12345" not in words
    assert "hush" not in words
    assert "404" in words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.44, "0.4 s"), (12, "12 s"), (185, "3 min 5 s"), (7_800, "2 h 10 min"), (86_400, "1 d")],
)
def test_a_span_is_said_as_people_do(seconds: float, said: str) -> None:
    assert span_text(timedelta(seconds=seconds)) == said
