"""Mapped tasks of a graph: Prefect 1's `.map()`, `mapped`, `unmapped`, `flatten` (graph style, rank 8)."""

from typing import Any

import pytest

from schedulerd import Flow, Parameter, allow_failure, flatten, mapped, quote, task, triggers, unmapped
from schedulerd.engine import signals
from schedulerd.engine.state import Mapped
from tests.unit.authoring.tape import Tape, a_context, run


@task
def numbers() -> list[int]:
    return [1, 2, 3]


@task
def added(left: Any, right: Any = 0) -> Any:
    return left + right


@task
def total(several: Any) -> Any:
    return sum(several)


@task
def tenth(number: int) -> float:
    if number == 2:
        raise ValueError("two")
    return number * 10


@task
def kept(value: Any) -> Any:
    return value


def test_a_task_is_mapped_over_what_another_returns_and_each_item_is_recorded_with_its_index() -> None:
    tape = Tape()
    with Flow("x") as flow:
        node = added.map(numbers(), unmapped(10))

    state = flow.perform({}, a_context(tape))

    assert state.is_successful()
    assert state.result[node].is_mapped()
    assert state.result[node].result == [11, 12, 13]
    assert [child.result for child in state.result[node].map_states] == [11, 12, 13]
    assert [
        (record["number"], record["name"], record["map_index"], record["upstream"], record["result"])
        for record in tape.tasks
        if record["state"] == "completed"
    ] == [
        (1, "numbers", None, (), "[1, 2, 3]"),
        (2, "added", 0, (1,), "11"),
        (3, "added", 1, (1,), "12"),
        (4, "added", 2, (1,), "13"),
    ]


def test_the_shortest_of_several_lists_wins() -> None:
    with Flow("x") as flow:
        node = added.map(numbers(), right=[100, 200])

    assert flow.run().result[node].result == [101, 202]


def test_texts_tuples_and_ranges_are_mapped_over_too() -> None:
    with Flow("x") as flow:
        letters, pairs = kept.map("abc"), kept.map((1, 2))
        generated = kept.map(kept(range(2)))

    result = flow.run().result
    assert [result[node].result for node in (letters, pairs, generated)] == [["a", "b", "c"], [1, 2], [0, 1]]


def test_one_item_goes_through_a_row_of_mapped_tasks_before_the_next() -> None:
    tape = Tape()
    with Flow("x") as flow:
        first = added.map(numbers(), unmapped(1))
        second = kept.map(first)

    flow.perform({}, a_context(tape))

    done = [(record["name"], record["map_index"]) for record in tape.tasks if record["state"] == "completed"]
    assert done == [
        ("numbers", None),
        *(("added", 0), ("kept", 0)),
        *(("added", 1), ("kept", 1)),
        *(("added", 2), ("kept", 2)),
    ]
    assert flow.run().result[second].result == [2, 3, 4]


def test_a_plain_task_is_given_the_list_of_what_a_mapped_one_returned() -> None:
    with Flow("x") as flow:
        node = total(added.map(numbers(), numbers()))

    assert flow.run().result[node].result == 12


def test_mapping_over_nothing_is_a_success_and_is_recorded() -> None:
    tape = Tape()
    with Flow("x") as flow:
        first = added.map([])
        node = total(kept.map(first))

    state = flow.perform({}, a_context(tape))

    assert state.is_successful()
    assert (state.result[first].result, state.result[node].result) == ([], 0)
    assert [(record["name"], record["state"], record["message"]) for record in tape.tasks[:2]] == [
        ("added", "completed", "nothing to map over"),
        ("kept", "completed", "nothing to map over"),
    ]


def test_an_item_that_fails_holds_back_its_own_row_and_what_needs_all_of_them() -> None:
    tape = Tape()
    with Flow("x") as flow:
        first = tenth.map(numbers())
        second = kept.map(first)
        last = total(second)

    state = flow.perform({}, a_context(tape))

    assert state.is_failed()
    assert state.message == "1 of 4 tasks failed: tenth"
    assert state.failure is not None
    assert state.failure.message == "two"
    assert [child.name for child in state.result[first].map_states] == ["completed", "failed", "completed"]
    assert [child.name for child in state.result[second].map_states] == [
        "completed",
        "upstream_failed",
        "completed",
    ]
    assert state.result[last].name == "upstream_failed"
    held = [
        (record["name"], record["map_index"]) for record in tape.tasks if record["state"] == "upstream_failed"
    ]
    assert held == [("kept", 1), ("total", None)]


def test_what_failed_can_be_tolerated_and_is_given_as_its_exception() -> None:
    @task(trigger=triggers.all_finished)
    def errors(several: Any) -> list[str]:
        return [type(one).__name__ for one in several]

    with Flow("x") as flow:
        first = tenth.map(numbers())
        by_trigger = errors(first)
        by_mark = kept(allow_failure(first))

    result = flow.run().result
    assert result[by_trigger].result == ["int", "ValueError", "int"]
    assert str(result[by_mark].result[1]) == "two"


def test_a_skipped_item_skips_its_row_only() -> None:
    @task
    def odd(number: int) -> int:
        if number % 2 == 0:
            raise signals.SKIP("even")
        return number

    with Flow("x") as flow:
        second = kept.map(odd.map(numbers()))

    state = flow.run()
    assert state.is_successful()
    assert [child.is_skipped() for child in state.result[second].map_states] == [False, True, False]
    assert state.result[second].result == [1, None, 3]
    assert state.message == "all 3 tasks completed (2 skipped)"


def test_mapped_marks_one_argument_of_a_plain_call() -> None:
    with Flow("x") as flow:
        node = added(mapped(numbers()), 10)
        other = added(numbers(), mapped=True)

    result = flow.run().result
    assert (result[node].result, result[other].result) == ([11, 12, 13], [1, 2, 3])


def test_flatten_makes_one_list_of_lists() -> None:
    @task
    def up_to(number: int) -> list[int]:
        return list(range(number))

    with Flow("x") as flow:
        lists = up_to.map(numbers())
        mapped_over = added.map(flatten(lists), unmapped(100))
        whole = kept(flatten(lists))
        given_whole = added.map([[7], [8]], unmapped(flatten(lists)))

    result = flow.run().result
    assert result[mapped_over].result == [100, 100, 101, 100, 101, 102]
    assert result[whole].result == [0, 0, 1, 0, 1, 2]
    assert result[given_whole].result == [[7, 0, 0, 1, 0, 1, 2], [8, 0, 0, 1, 0, 1, 2]]


def test_a_list_of_tasks_is_mapped_over_task_by_task() -> None:
    with Flow("x") as flow:
        one, two = kept(1), kept(2)
        node = added.map([one, two], unmapped(5))

    assert flow.run().result[node].result == [6, 7]


def test_a_parameter_is_mapped_over() -> None:
    with Flow("x") as flow:
        node = added.map(Parameter("days", default=[1]), unmapped(1))

    assert flow.run(days=[5, 6]).result[node].result == [6, 7]
    assert flow.run().result[node].result == [2]


def test_upstream_tasks_of_a_map_are_waited_for_item_by_item_or_whole() -> None:
    tape = Tape()
    with Flow("x") as flow:
        first = kept.map([1, 2])
        setup = kept("ready")
        node = added.map([10, 20, 30], upstream_tasks=[first, unmapped(setup)])

    state = flow.perform({}, a_context(tape))

    assert state.result[node].result == [10, 20]
    upstream = {record["map_index"]: record["upstream"] for record in tape.tasks if record["name"] == "added"}
    assert [len(numbers) for numbers in upstream.values()] == [2, 2]
    assert upstream[0] != upstream[1]


def test_an_upstream_task_that_returns_no_list_is_just_waited_for() -> None:
    with Flow("x") as flow:
        node = added.map([1, 2], upstream_tasks=[kept(None)])

    assert flow.run().result[node].result == [1, 2]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (5, r"5 cannot be mapped over: it is no list; put it into unmapped\(\.\.\.\)"),
        ({"a": 1}, r"cannot be mapped over: it is no list; map over its \.items\(\)"),
    ],
)
def test_what_cannot_be_mapped_over_fails_with_a_message(value: Any, said: str) -> None:
    tape = Tape()
    with Flow("x") as flow:
        node = added.map(kept(value))

    state = flow.perform({}, a_context(tape))

    assert state.is_failed()
    assert state.message == "1 of 2 tasks failed: added"
    with pytest.raises(TypeError, match=said):
        raise state.result[node].result
    assert tape.tasks[-1]["state"] == "failed"


def test_a_map_with_nothing_to_map_over_fails_with_a_message() -> None:
    with Flow("x") as flow:
        node = added.map(unmapped(1))

    assert flow.run().result[node].message == "added has nothing to map over"


def test_a_map_over_what_failed_is_held_back_once() -> None:
    tape = Tape()
    with Flow("x") as flow:
        node = added.map(kept.map(tenth(2)))

    state = flow.perform({}, a_context(tape))

    assert tape.states()[-2:] == [("kept", "upstream_failed"), ("added", "upstream_failed")]
    assert not state.result[node].is_mapped()


def test_a_long_row_of_maps_that_are_held_back_ends() -> None:
    with Flow("x") as flow:
        node = added.map(tenth(2))
        for _ in range(1_000):
            node = added.map(node)

    assert flow.run().result[node].name == "upstream_failed"


def test_quoted_arguments_are_given_as_they_are() -> None:
    with Flow("x") as flow:
        node = kept(quote([1, [2]]))
        several = kept.map(quote([1, 2]))

    result = flow.run().result
    assert (result[node].result, result[several].result) == ([1, [2]], [1, 2])


def test_each_item_of_a_map_is_tried_again_by_itself() -> None:
    attempts: list[int] = []

    @task(retries=1)
    def flaky(number: int) -> int:
        attempts.append(number)
        if attempts.count(number) == 1 and number == 2:
            raise OSError
        return number

    tape = Tape()
    with Flow("x") as flow:
        node = total(kept.map(flaky.map(numbers())))

    state = flow.perform({}, a_context(tape))

    assert state.result[node].result == 6
    assert attempts == [1, 2, 3, 2]
    assert ("flaky", "retrying") in tape.states()


def test_a_map_of_a_flow_that_is_executed_as_the_engine_does_gives_its_list() -> None:
    with Flow("x") as flow:
        added.map(numbers(), unmapped(1))

    assert run(flow).result == "[2, 3, 4]"


def test_a_mapped_state_made_by_hand_has_no_states() -> None:
    assert Mapped("m").map_states == []


def test_the_console_names_each_item_of_a_map(caplog: pytest.LogCaptureFixture) -> None:
    with Flow("x") as flow:
        kept.map([5, 6])

    with caplog.at_level("INFO"):
        flow.run()

    said = [record.getMessage().split(" in ")[0] for record in caplog.records]
    assert said[:2] == ["kept[0]: completed", "kept[1]: completed"]
