"""When a task of a graph runs: triggers and skips (graph style, ranks 2 and 19)."""

from typing import Any

import pytest

from schedulerd import Flow, task, triggers
from schedulerd.engine import signals
from schedulerd.engine.state import Failed, Skipped, State, Success
from tests.unit.authoring.tape import Tape, a_context


@task
def good() -> int:
    return 1


@task
def bad() -> None:
    raise ValueError("bad")


@task
def left_out() -> None:
    raise signals.SKIP("not today")


_TASKS = {"good": good, "bad": bad, "skip": left_out}


@pytest.mark.parametrize(
    ("trigger", "before", "word"),
    [
        (triggers.all_successful, "good good", "completed"),
        (triggers.all_successful, "good bad", "upstream_failed"),
        (triggers.all_failed, "bad bad", "completed"),
        (triggers.all_failed, "good bad", "upstream_failed"),
        (triggers.all_finished, "good bad skip", "completed"),
        (triggers.always_run, "bad", "completed"),
        (triggers.any_successful, "good bad", "completed"),
        (triggers.any_successful, "bad bad", "upstream_failed"),
        (triggers.any_successful, "", "completed"),
        (triggers.any_failed, "good bad", "completed"),
        (triggers.any_failed, "good good", "upstream_failed"),
        (triggers.any_failed, "", "completed"),
        (triggers.not_all_skipped, "good skip", "completed"),
        (triggers.not_all_skipped, "skip skip", "skipped"),
        (triggers.not_all_skipped, "good bad", "upstream_failed"),
        (triggers.some_failed(at_least=1, at_most=1), "good bad", "completed"),
        (triggers.some_failed(at_least=2), "good bad", "upstream_failed"),
        (triggers.some_failed(at_least=0.5), "good bad", "completed"),
        (triggers.some_failed(at_most=0.4), "good bad", "upstream_failed"),
        (triggers.some_failed(at_least=5), "", "completed"),
        (triggers.some_successful(at_least=0.5), "good bad", "completed"),
        (triggers.some_successful(at_least=2), "good bad", "upstream_failed"),
        (triggers.some_successful(), "bad", "completed"),
    ],
)
def test_a_task_runs_by_how_those_before_it_ended(trigger: Any, before: str, word: str) -> None:
    last = task(trigger=trigger, skip_on_upstream_skip=False)(lambda: "ran")
    tape = Tape()
    with Flow("x") as flow:
        node = last(upstream_tasks=[_TASKS[name]() for name in before.split()])

    state = flow.perform({}, a_context(tape))

    assert state.result[node].name == word
    assert tape.tasks[-1]["state"] == word
    assert state.is_successful() is (word != "upstream_failed")


def test_a_trigger_counts_the_tasks_of_a_map_one_by_one() -> None:
    @task
    def halves(number: int) -> int:
        if number:
            raise ValueError
        return number

    @task(trigger=triggers.some_failed(at_least=2, at_most=2))
    def last(several: Any) -> int:
        return len(several)

    with Flow("x") as flow:
        node = last(halves.map([0, 1, 1]))

    assert flow.run().result[node].result == 3


def test_a_mapped_task_has_its_trigger_item_by_item() -> None:
    @task
    def fails_on(number: int) -> int:
        if number:
            raise ValueError
        return number

    @task(trigger=triggers.any_failed)
    def mends(value: Any) -> str:
        return type(value).__name__

    with Flow("x") as flow:
        node = mends.map(fails_on.map([0, 1]))

    assert [state.name for state in flow.run().result[node].map_states] == ["upstream_failed", "completed"]


def test_what_comes_after_a_skipped_task_is_skipped_and_the_flow_succeeds() -> None:
    with Flow("x") as flow:
        first = left_out()
        second = good(upstream_tasks=[first])

    state = flow.run()

    assert state.is_successful()
    assert (state.result[first].message, state.result[second].message) == (
        "not today",
        "something before it was skipped",
    )
    assert state.message == "all 2 tasks completed (2 skipped)"


def test_a_task_that_does_not_skip_is_given_none_for_what_was_skipped() -> None:
    @task(skip_on_upstream_skip=False)
    def asks(value: Any) -> str:
        return f"given {value}"

    with Flow("x") as flow:
        node = asks(left_out())

    assert flow.run().result[node].result == "given None"


def test_a_flow_whose_last_task_cleans_up_succeeds_though_another_failed() -> None:
    @task(trigger=triggers.always_run)
    def cleanup() -> None:
        return None

    with Flow("x") as flow:
        cleanup(upstream_tasks=[bad()])

    state = flow.run()

    assert state.is_successful()
    assert state.message == "the reference tasks completed"


def test_a_trigger_that_fails_says_which_and_is_what_the_flow_failed_of() -> None:
    last = task(trigger=triggers.all_failed)(lambda: None)
    with Flow("x") as flow:
        node = last(upstream_tasks=[good()])

    state = flow.run()

    assert state.result[node].message == "trigger all_failed: the tasks before it did not end like that"
    assert isinstance(state.result[node].result, signals.TRIGGERFAIL)
    assert state.message == state.result[node].message


def test_a_task_that_only_a_person_starts_fails_where_nobody_can_be_asked() -> None:
    with Flow("x") as flow:
        node = task(trigger=triggers.manual_only)(lambda: None)()

    state = flow.run()

    assert state.is_failed()
    assert "the flow waits for approval, and no daemon runs it" in state.result[node].message


def test_a_trigger_of_ones_own_is_given_the_states_by_edge() -> None:
    seen: list[tuple[str, str, State]] = []

    def mine(upstream_states: Any) -> bool:
        seen.extend(
            (edge.upstream_task.name, edge.downstream_task.name, state)
            for edge, state in upstream_states.items()
        )
        return len(seen) == 1

    last = task(trigger=mine, name="last")(lambda value: value)
    with Flow("x") as flow:
        node = last(good())

    assert flow.run().result[node].result == 1
    assert [(before, after, type(state)) for before, after, state in seen] == [("good", "last", Success)]


@pytest.mark.parametrize(
    ("trigger", "said"),
    [
        (lambda states: False, "its trigger does not hold"),
        (lambda states: 1 / 0, "its trigger raised ZeroDivisionError: division by zero"),
    ],
)
def test_a_trigger_of_ones_own_that_refuses_or_raises_holds_the_task_back(trigger: Any, said: str) -> None:
    with Flow("x") as flow:
        node = task(trigger=trigger)(lambda: None)(upstream_tasks=[good()])

    state = flow.run().result[node]

    assert (state.name, state.message) == ("upstream_failed", said)


@pytest.mark.parametrize("limit", [-1, "half", True])
def test_a_share_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(ValueError, match="some_failed: a number of tasks, or a share between 0 and 1, not"):
        triggers.some_failed(at_least=limit)


def test_triggers_are_plain_functions_of_states() -> None:
    assert triggers.all_finished({1: Success(), 2: Failed(), 3: Skipped()})
    with pytest.raises(signals.TRIGGERFAIL):
        triggers.all_finished({1: State()})


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"trigger": "all_failed"}, TypeError, "trigger must be a function, not 'all_failed'"),
        ({"nout": -1}, ValueError, "nout must be a whole number from 0, not -1"),
        ({"nout": True}, ValueError, "nout"),
        ({"state_handlers": ["x"]}, TypeError, "state_handlers must be a function"),
        ({"retry_on": ValueError}, ValueError, "retry_on counts only where there are retries"),
        ({"retry_on": "ValueError", "retries": 1}, TypeError, "retry_on must be a class of exceptions"),
        ({"cache_key": "x"}, ValueError, "cache_key counts only where values are kept"),
        ({"cache_key": 1}, TypeError, "cache_key must be a text"),
        ({"max_retries": 2}, ValueError, "needs retry_delay too"),
        ({"target": 5}, TypeError, "target must be a text"),
        ({"result": "folder"}, TypeError, "result must be a place"),
    ],
)
def test_an_option_that_is_wrong_is_refused_where_it_is_given(
    options: Any, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        task(**options)(len)
