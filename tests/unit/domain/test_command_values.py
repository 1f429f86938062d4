"""What a table may say of a command's surroundings, and the addresses that its output is mailed to."""

from datetime import timedelta
from typing import Any

import pytest

from schedulerd.domain.command_values import surroundings_of
from schedulerd.domain.entries import BadEntry, Entry
from schedulerd.domain.mail_addresses import parse_addresses
from schedulerd.domain.surroundings import Surroundings
from schedulerd.errors import BadExpression

NOTHING = {
    "environment": {},
    "surroundings": Surroundings(),
    "timeout": None,
    "stdin": None,
    "mail_to": None,
}


def entry(**values: Any) -> Entry:
    return Entry({"command": "true"} | values)


def test_a_command_may_have_variables_something_to_read_and_addresses() -> None:
    found = surroundings_of(
        entry(environment={"A": "1", "odd name": ""}, stdin=" \n", mail_to="kim,lee@example.org")
    )

    assert found == NOTHING | {
        "environment": {"A": "1", "odd name": ""},
        "stdin": " \n",
        "mail_to": "kim, lee@example.org",
    }


@pytest.mark.parametrize("values", [{}, {"environment": {}, "stdin": ""}])
def test_it_need_not(values: Any) -> None:
    assert surroundings_of(entry(**values)) == NOTHING


def test_a_command_has_surroundings_and_a_time_limit() -> None:
    found = surroundings_of(entry(nice=5, timeout="10m"))

    assert found == NOTHING | {"surroundings": Surroundings(nice=5), "timeout": timedelta(minutes=10)}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"environment": "A=1"}, "`environment` must be a table, such as { PATH"),
        ({"environment": {"": "1"}}, "`environment`: '' cannot be the name of a variable"),
        ({"environment": {"A=B": "1"}}, "`environment`: 'A=B' cannot be the name of a variable"),
        ({"environment": {"A\0": "1"}}, "cannot be the name of a variable"),
        ({"environment": {"A": 1}}, "`environment`: A must be text in quotes"),
        ({"environment": {"A": "\0"}}, "`environment`: A must be text in quotes"),
        ({"environment": {"A": "x" * 100_001}}, "of at most 100000 bytes"),
        ({"stdin": 1}, "`stdin` must be text in quotes"),
        ({"mail_to": ""}, "`mail_to` is empty"),
        ({"mail_to": "kim, <lee>"}, "`mail_to`: '<lee>' is no mail address"),
    ],
)
def test_a_mistake_is_told(values: Any, reason: str) -> None:
    with pytest.raises(BadEntry) as caught:
        surroundings_of(entry(**values))

    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("key", "instead"),
    [
        ("environment", r"a flow says it in its file: @flow\(environment=...\)"),
        ("memory", r"a flow says it in its file: @flow\(memory=...\)"),
        ("timeout", r"a flow says it in its file: @flow\(timeout_seconds=...\)"),
        ("stdin", "a flow has `parameters`"),
        ("mail_to", "a flow has `parameters`"),
    ],
)
def test_a_schedule_of_a_flow_has_none_of_it(key: str, instead: str) -> None:
    with pytest.raises(BadEntry, match=f"`{key}` is for a `command`; {instead}"):
        surroundings_of(Entry({"flow": "etl", key: "x"}))


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("kim", "kim"),
        (" kim ,, lee@example.org, ", "kim, lee@example.org"),
        ("root+cron@host-1.example.org", "root+cron@host-1.example.org"),
    ],
)
def test_addresses_are_a_list_with_commas(text: str, addresses: str) -> None:
    assert parse_addresses(text) == addresses


@pytest.mark.parametrize(
    ("text", "caret"),
    [
        ("kim\nBcc: lee", "^^^^^^^^^^^^"),
        ("a, -f, b", "   ^^"),
        ("a b", "^^^"),
        ('"kim"', "^^^^^"),
        ("김@example.org", "^^^^^^^^^^^^^^"),
        ("", "^"),
        (" , ", "^^^"),
        ("x" * 1_001, "^" * 50),
    ],
)
def test_what_could_be_more_than_an_address_is_refused(text: str, caret: str) -> None:
    with pytest.raises(BadExpression) as caught:
        parse_addresses(text)

    assert caught.value.caret().splitlines()[-1] == caret
