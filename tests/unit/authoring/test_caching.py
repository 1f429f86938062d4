"""The cache of tasks: policies, keys, expiration, and what cannot be kept."""

import os
import stat
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schedulerd import flow, task
from schedulerd.authoring.functions import FunctionFlow
from schedulerd.authoring.keeping import FOLDER_VARIABLE
from schedulerd.cache_policies import (
    DEFAULT,
    FLOW_PARAMETERS,
    INPUTS,
    NO_CACHE,
    RUN_ID,
    TASK_SOURCE,
    CachePolicy,
)
from schedulerd.tasks import task_input_hash
from tests.unit.authoring.tape import Tape, run


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "results"))
    return tmp_path / "results"


def counted(calls: list[Any], **options: Any) -> FunctionFlow:
    """A flow of one cached task, which notes each call of it."""

    @task(**options)
    def costly(value: Any, other: Any = 0) -> Any:
        calls.append(value)
        return [value, len(calls)]

    @flow
    def uses(value: Any, other: Any = 0) -> Any:
        return costly(value, other)

    return uses


def test_a_task_with_the_same_inputs_does_not_run_again() -> None:
    calls: list[Any] = []
    uses = counted(calls, cache_policy=INPUTS)
    tape = Tape()

    assert (uses(1), uses(1), uses(2)) == ([1, 1], [1, 1], [2, 2])
    run(uses, {"value": 1}, tape=tape)

    assert calls == [1, 2]
    assert [(record["state"], record["result"]) for record in tape.tasks] == [("cached", "[1, 1]")]


def test_what_is_kept_is_for_this_user_only(results: Path) -> None:
    counted([], cache_policy=INPUTS)(1)

    (file,) = (results / "cache").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("policy", "calls_made"),
    [
        (INPUTS, [1, 1, 2]),
        (INPUTS - "other", [1, 2]),
        (TASK_SOURCE, [1]),
        (TASK_SOURCE + INPUTS, [1, 1, 2]),
        (FLOW_PARAMETERS, [1, 1, 2]),
        (RUN_ID, [1, 1, 1, 2]),
        (DEFAULT, [1, 1, 1, 2]),
        (NO_CACHE, [1, 1, 1, 2]),
        (INPUTS + NO_CACHE, [1, 1, 2]),
    ],
)
def test_what_a_policy_depends_on(policy: CachePolicy, calls_made: list[int]) -> None:
    calls: list[Any] = []
    uses = counted(calls, cache_policy=policy)

    uses(1)
    uses(1)
    uses(1, other=5)
    uses(2)

    assert calls == calls_made


def test_a_key_function_is_given_context_and_arguments_and_may_decline() -> None:
    calls: list[Any] = []

    def by_value(context: Any, arguments: dict[str, Any]) -> str | None:
        assert context.task.name == "costly"
        return None if arguments["value"] == 0 else f"key-{arguments['value'] % 10}"

    uses = counted(calls, cache_key_fn=by_value)

    assert (uses(1), uses(11), uses(0), uses(0)) == ([1, 1], [1, 1], [0, 2], [0, 3])


def test_task_input_hash_is_a_key_function() -> None:
    calls: list[Any] = []
    uses = counted(calls, cache_key_fn=task_input_hash, cache_expiration=timedelta(hours=1))

    uses({"a": [1, 2]})
    uses({"a": [1, 2]})
    uses({"a": [1, 3]})

    assert calls == [{"a": [1, 2]}, {"a": [1, 3]}]


def test_inputs_that_cannot_be_hashed_are_not_cached_and_task_input_hash_says_none() -> None:
    calls: list[Any] = []
    by_policy, by_function = counted(calls, cache_policy=INPUTS), counted(calls, cache_key_fn=task_input_hash)
    lock = threading.Lock()
    tape = Tape()

    run(by_policy, {"value": lock}, tape=tape)
    by_function(lock)

    assert calls == [lock, lock]
    assert any("is not cached: its key cannot be made" in message for message in tape.messages())


def test_an_expired_value_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    expired, fresh = (
        counted(calls, cache_policy=INPUTS, cache_expiration=timedelta(microseconds=1)),
        counted(calls, cache_for=timedelta(hours=1)),
    )

    expired(1)
    expired(1)
    fresh(2)
    fresh(2)

    assert calls == [1, 1, 2]


def test_refresh_makes_it_anew_and_keeps_that() -> None:
    calls: list[Any] = []
    uses = counted(calls, cache_policy=INPUTS)
    refreshes = counted(calls, cache_policy=INPUTS, refresh_cache=True)

    uses(1)
    assert refreshes(1) == [1, 2]
    assert uses(1) == [1, 2]


def test_persist_result_alone_means_the_default_policy_and_false_none() -> None:
    calls: list[Any] = []
    never = counted(calls, cache_policy=INPUTS, persist_result=False)

    @task(persist_result=True)
    def costly(value: int) -> int:
        calls.append(value)
        return value

    @flow
    def twice() -> None:
        costly(7)
        costly(7)

    never(1)
    never(1)
    twice()

    assert calls == [1, 1, 7]


def test_values_that_are_no_json_come_back_as_they_were() -> None:
    calls: list[Any] = []

    @task(cache_policy=INPUTS)
    def costly(value: Any) -> Any:
        calls.append(value)
        return {"when": timedelta(seconds=1), "pair": (1, 2), 5: {1, 2}}

    @flow
    def uses() -> Any:
        return costly(1)

    assert uses() == uses() == {"when": timedelta(seconds=1), "pair": (1, 2), 5: {1, 2}}
    assert calls == [1]


def test_a_value_that_cannot_be_kept_is_a_warning() -> None:
    @task(cache_policy=INPUTS)
    def locks(value: int) -> Any:
        return threading.Lock()

    tape = Tape()
    outcome = run(flow(name="x")(lambda: [locks(1)][1:]), tape=tape)

    assert outcome.state == "completed"
    assert any("the value of locks is not kept" in message for message in tape.messages())


def test_half_a_file_is_made_anew(results: Path) -> None:
    calls: list[Any] = []
    uses = counted(calls, cache_policy=INPUTS)
    uses(1)
    (file,) = (results / "cache").iterdir()
    os.truncate(file, 4)

    assert uses(1) == [1, 2]
    assert uses(1) == [1, 2]


def test_a_cached_mapped_task_runs_once_for_each_value() -> None:
    calls: list[Any] = []

    @task(cache_policy=INPUTS)
    def costly(value: int) -> int:
        calls.append(value)
        return value

    @flow
    def maps() -> Any:
        return costly.map([1, 2]).result() + costly.map([2, 1]).result()

    assert maps() == [1, 2, 2, 1]
    assert sorted(calls) == [1, 2]
