"""How people write which runs they look for, and where in the list of them one is."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta, timezone

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.run_filters import KEYS, parse_query, query_of, term_of, terms
from schedulerd.domain.run_queries import RunQuery, cursor_at, fits, is_pattern, read_cursor
from schedulerd.domain.runs import Trigger
from schedulerd.domain.states import ACTIVE, BAD, FINAL, RunState
from schedulerd.errors import BadExpression
from tests.builders import NOW

KST = timezone(timedelta(hours=9), "KST")


def meant(text: str) -> dict[str, object]:
    """What the text narrows, and to what."""
    query, all_runs = parse_query(text, now=NOW, zone=KST), RunQuery()
    values = {name: getattr(query, name) for name in RunQuery.__dataclass_fields__ if name != "terms"}
    return {name: value for name, value in values.items() if value != getattr(all_runs, name)}


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", {}),
        ("  ", {}),
        ("state:bad", {"states": BAD}),
        ("state:active", {"states": ACTIVE}),
        ("state:done", {"states": FINAL}),
        ("state:waiting", {"states": {RunState.SCHEDULED}}),
        ("state:ok,FAILED", {"states": {RunState.COMPLETED, RunState.FAILED}}),
        ("flow:etl*", {"flows": ("etl*",)}),
        ('flow:etl,"month end"', {"flows": ("etl", "month end")}),
        ("tag:prod tag:kr", {"tags": ("prod", "kr")}),
        ("agent:seoul-2", {"agents": ("seoul-2",)}),
        ("schedule:etl-morning", {"schedules": ("etl-morning",)}),
        ("trigger:schedule,manual", {"triggers": {Trigger.SCHEDULE, Trigger.MANUAL}}),
        ("since:24h", {"since": NOW - timedelta(hours=24)}),
        ("since:2026-11-01T09:00", {"since": datetime(2026, 11, 1, tzinfo=UTC)}),
        ("until:today", {"until": datetime(2026, 11, 21, 15, tzinfo=UTC)}),
        ("dur:>5m", {"at_least": timedelta(minutes=5)}),
        ("dur:5m", {"at_least": timedelta(minutes=5)}),
        ("dur:<=10s", {"at_most": timedelta(seconds=10)}),
        ("dur:5m..1h", {"at_least": timedelta(minutes=5), "at_most": timedelta(hours=1)}),
        ("error:\"KeyError: 'region'\"", {"errors": ("KeyError: 'region'",)}),
        (r'error:"say \"no\""', {"errors": ('say "no"',)}),
        ("param.region:kr param.day:7", {"parameters": (("region", "kr"), ("day", "7"))}),
        ("nightly 보고서", {"words": ("nightly", "보고서")}),
        ('"a b"', {"words": ("a b",)}),
        ("a,b", {"words": ("a,b",)}),
        ('error:no" such "file', {"errors": ("no such file",)}),
    ],
)
def test_a_filter_means_what_it_says(text: str, query: dict[str, object]) -> None:
    assert meant(text) == query


@pytest.mark.parametrize(
    ("text", "marked", "code", "said"),
    [
        ("sate:bad", "sate:bad", "key", "did you mean state"),
        ("x zzz:1", "zzz:1", "key", "param.NAME"),
        ("param.:kr", "param.:kr", "key", "did you mean param.NAME"),
        ("state:faild", "state:faild", "state", "did you mean failed"),
        ("state:x9", "state:x9", "state", "did you mean scheduled"),
        ("trigger:manuel", "trigger:manuel", "trigger", "did you mean manual"),
        ("a state:", "state:", "value", "needs a value"),
        ("tag:a,", "tag:a,", "value", "needs a value"),
        ("tag:a,b", "tag:a,b", "value", "takes one value"),
        ('""', '""', "value", "nothing"),
        ("since:soon", "since:soon", "time", "no time"),
        ("since:2026-13-01", "since:2026-13-01", "time", "no time"),
        ("dur:long", "dur:long", "dur", "a duration is written"),
        ("dur:>5m..1h", "dur:>5m..1h", "dur", "5m..1h"),
        ("dur:5m..x", "dur:5m..x", "dur", "a duration is written"),
        ('flow:a error:"KeyError', '"KeyError', "quote", "not closed"),
        ("flow:a flow:b", "flow:b", "twice", "flow:one,other"),
        ("x" * 2_001, "x", "length", "2000 characters"),
        (" ".join(["a"] * 51), "a", "length", "50 terms"),
    ],
)
def test_what_is_wrong_with_a_filter_is_told_with_its_place(
    text: str, marked: str, code: str, said: str
) -> None:
    with pytest.raises(BadExpression) as caught:
        parse_query(text, now=NOW, zone=KST)

    error = caught.value
    assert text[error.start : error.end] == marked
    assert error.code == f"filter.{code}"
    assert said in error.reason


def test_each_key_is_known_by_the_words_that_say_what_it_takes() -> None:
    values = {"state": "ok", "trigger": "manual", "since": "1h", "until": "1h", "dur": "1m"}

    for key in KEYS:
        written = "param.a" if key == "param.NAME" else key
        assert meant(f"{written}:{values.get(key, 'x')}")


def test_a_term_that_is_told_apart_means_the_same() -> None:
    apart = [term_of("state", "failed,crashed"), term_of("param.region", '"k r"')]

    query = query_of(apart, now=NOW, zone=KST)

    assert query == parse_query('state:failed,crashed param.region:"k r"', now=NOW, zone=KST)


@pytest.mark.parametrize("value", ["", "a b", 'a"b c" d'])
def test_a_value_that_is_told_apart_and_has_bare_spaces_is_refused(value: str) -> None:
    with pytest.raises(BadExpression, match="needs a value"):
        term_of("param.region", value)


@pytest.mark.parametrize("key", ["flow", "tag", "schedule", "agent"])
@pytest.mark.parametrize(
    "name", ["100 %", "  leading", "a, b", 'quo"te', 'a"b c" d', " ", "back\\slash", "<b>"]
)
def test_a_name_that_is_told_apart_stands_as_it_is(key: str, name: str) -> None:
    assert term_of(key, name).values == (name,)


def test_a_name_that_is_told_apart_may_also_be_one_of_several_or_in_quotes_but_not_empty() -> None:
    assert term_of("flow", 'etl*,"a, b"').values == ("etl*", "a, b")
    with pytest.raises(BadExpression, match="needs a value"):
        term_of("flow", "")


def test_terms_know_their_places() -> None:
    text = 'state:bad  error:"a b" x'

    assert [text[term.start : term.end] for term in terms(text)] == ["state:bad", 'error:"a b"', "x"]


@pytest.mark.parametrize(
    ("name", "pattern", "is_one"),
    [("etl-kr", "etl*", True), ("etl", "etl*", True), ("my-etl", "etl*", False), ("a[b]?", "a[b]?", True)],
)
def test_a_star_stands_for_anything_and_nothing_else_does(name: str, pattern: str, is_one: bool) -> None:
    assert fits(name, (pattern,)) == is_one
    assert is_pattern(pattern) == ("*" in pattern)


def test_a_cursor_leads_back_to_its_run_whatever_the_moment_and_the_order_of_terms() -> None:
    before = parse_query("since:24h state:bad", now=NOW, zone=KST)
    later = parse_query("state:bad since:24h", now=NOW + timedelta(hours=1), zone=KST)

    assert read_cursor(later, cursor_at(before, RunKey(1842))) == 1842


def test_a_cursor_of_other_filters_is_refused() -> None:
    cursor = cursor_at(parse_query("state:bad", now=NOW, zone=KST), RunKey(7))

    with pytest.raises(BadExpression, match="other filters") as caught:
        read_cursor(parse_query("state:ok", now=NOW, zone=KST), cursor)

    assert caught.value.code == "cursor-mismatch"


@pytest.mark.parametrize(
    "text", ["", "%", "é", "x" * 500, "[" * 390, '{"v":2,"k":1}', "[1]", '{"v":1,"k":"1"}', "nothing"]
)
@pytest.mark.parametrize("encoded", [True, False])
def test_what_is_no_cursor_is_refused(text: str, encoded: bool) -> None:
    cursor = urlsafe_b64encode(text.encode()).decode().rstrip("=") if encoded else text

    with pytest.raises(BadExpression) as caught:
        read_cursor(RunQuery(), cursor)

    assert caught.value.code == "cursor"
