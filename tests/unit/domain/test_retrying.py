"""When a run that ended badly is tried again."""

from datetime import timedelta
from typing import Any

import pytest

from schedulerd.domain.entries import BadEntry, Entry
from schedulerd.domain.retry_values import retries_of
from schedulerd.domain.retrying import NEVER, RetryPolicy, read_retries, retries_json
from schedulerd.domain.states import RunState

SECOND = timedelta(seconds=1)


def a_command(**values: Any) -> Entry:
    return Entry({"command": "true", **values})


@pytest.mark.parametrize(("attempt", "delay"), [(1, SECOND), (2, 10 * SECOND), (3, 10 * SECOND), (4, None)])
def test_the_last_delay_is_repeated_until_there_is_no_retry_left(
    attempt: int, delay: timedelta | None
) -> None:
    policy = RetryPolicy(retries=3, delays=(SECOND, 10 * SECOND))

    assert policy.after(attempt, RunState.FAILED) == delay


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.CANCELLED, RunState.CRASHED])
def test_what_did_not_fail_is_not_tried_again(state: RunState) -> None:
    assert RetryPolicy(retries=3).after(1, state) is None


def test_a_crash_is_tried_again_only_where_that_is_wanted() -> None:
    assert RetryPolicy(retries=1, on_crash=True).after(1, RunState.CRASHED) == timedelta()
    assert RetryPolicy(retries=1).after(1, RunState.TIMED_OUT) == timedelta()


def test_a_policy_in_words() -> None:
    policy = RetryPolicy(retries=3, delays=(90 * SECOND,))

    assert policy.words(1, 90 * SECOND) == "retry 1 of 3 in 1m30s"
    assert policy.words(2, timedelta()) == "retry 2 of 3"


@pytest.mark.parametrize(
    "policy", [NEVER, RetryPolicy(retries=2, delays=(SECOND, timedelta()), on_crash=True)]
)
def test_a_policy_comes_back_from_json(policy: RetryPolicy) -> None:
    assert read_retries(retries_json(policy)) == policy


def test_what_a_command_says_of_its_retries() -> None:
    assert retries_of(a_command()) == NEVER
    assert retries_of(a_command(retries=2)) == RetryPolicy(retries=2)
    assert retries_of(a_command(retries=2, retry_delay="10s", retry_on_crash=True)) == RetryPolicy(
        retries=2, delays=(10 * SECOND,), on_crash=True
    )
    assert retries_of(a_command(retries=2, retry_delay=["1s", "10s"])).delays == (SECOND, 10 * SECOND)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            Entry({"flow": "etl", "retries": 2}),
            r"is for a `command`; a flow says it in its file: @flow\(retries=3",
        ),
        (a_command(retry_delay="1s"), "without `retries` there is none"),
        (a_command(retries=-1), "a whole number from 0 to 1,000"),
        (a_command(retries=True), "a whole number from 0 to 1,000"),
        (a_command(retries=1_001), "a whole number from 0 to 1,000"),
        (a_command(retries=1, retry_delay=[]), "must have a delay in it"),
        (a_command(retries=1, retry_delay=5), "must be a duration in quotes"),
        (a_command(retries=1, retry_delay=["x"]), "retry_delay"),
        (a_command(retries=1, retry_on_crash=1), "must be true or false"),
    ],
)
def test_what_is_wrong_with_them_is_told(entry: Entry, said: str) -> None:
    with pytest.raises(BadEntry, match=said):
        retries_of(entry)
