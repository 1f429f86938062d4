"""`@task`: what it is given, and what calling a task does where."""

import inspect
import pickle
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from schedulerd import Flow, task
from schedulerd.authoring.nodes import Node
from schedulerd.authoring.tasks import Task


@task
def doubled(number: int) -> int:
    """Twice as much."""
    return number * 2


class Adder:
    def __call__(self, left: int, right: int) -> int:
        return left + right


def test_a_task_without_parentheses_takes_name_and_description_from_its_function() -> None:
    assert isinstance(doubled, Task)
    assert (doubled.name, doubled.description, doubled.retries, doubled.tags) == (
        "doubled",
        "Twice as much.",
        0,
        (),
    )


def test_a_task_with_options_keeps_them() -> None:
    made = task(name="x", description="d", tags=["b", "a", "b"], retries=2, retry_delay_seconds=1.5)(len)

    assert (made.name, made.description, made.tags, made.retries) == ("x", "d", ("b", "a"), 2)
    assert made.delay_after(1) == 1.5


def test_a_single_tag_may_be_a_string() -> None:
    assert task(tags="nightly")(len).tags == ("nightly",)


def test_the_names_of_prefect_1_mean_the_same() -> None:
    made = task(max_retries=3, retry_delay=timedelta(minutes=1))(len)

    assert (made.retries, made.delay_after(1)) == (3, 60.0)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1.0), (2, 10.0), (3, 60.0), (4, 60.0)])
def test_the_last_of_a_list_of_delays_is_repeated(attempt: int, seconds: float) -> None:
    made = task(retries=5, retry_delay_seconds=[1, timedelta(seconds=10), 60])(len)

    assert made.delay_after(attempt) == seconds


def test_none_means_no_retries_and_no_delay() -> None:
    made = Task(len, retries=None, retry_delay_seconds=None)

    assert (made.retries, made.delay_after(1)) == (0, 0.0)


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"retry": 3}, TypeError, r"task\(\) does not know retry; it knows name, .*retries"),
        ({"retries": 1, "max_retries": 1}, TypeError, "retries or max_retries, not both"),
        ({"retries": -1}, ValueError, "whole number from 0, not -1"),
        ({"retries": True}, ValueError, "whole number"),
        ({"retries": "3"}, ValueError, "whole number"),
        ({"retry_delay_seconds": "10"}, TypeError, "seconds or a timedelta, not '10'"),
        ({"retry_delay_seconds": True}, TypeError, "seconds or a timedelta, not True"),
        ({"retry_delay_seconds": -1}, ValueError, "0 or more"),
        ({"retry_delay_seconds": float("nan")}, ValueError, "finite"),
        ({"retry_delay_seconds": []}, ValueError, "must not be an empty list"),
        ({"tags": [1]}, TypeError, "tags must be strings"),
    ],
)
def test_a_wrong_option_is_refused_where_it_is_given(options: Any, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        task(**options)(len)


def test_only_something_callable_becomes_a_task() -> None:
    with pytest.raises(TypeError, match="made of a function, not of 'extract'"):
        Task("extract")  # type: ignore[arg-type]


def test_outside_everything_a_call_just_runs_the_function() -> None:
    assert doubled(4) == 8


def test_fn_and_run_are_the_function_itself_even_while_drawing() -> None:
    with Flow("x") as flow:
        assert doubled.fn(4) == doubled.run(4) == 8

    assert flow.nodes == []


def test_inside_a_flow_a_call_draws() -> None:
    with Flow("x") as flow:
        node = doubled(4)

    assert isinstance(node, Node)
    assert flow.nodes == [node]


def test_a_task_looks_like_its_function_to_inspect_and_help() -> None:
    assert inspect.signature(doubled) == inspect.signature(doubled.fn)
    assert (doubled.__name__, doubled.__doc__, doubled.__module__) == ("doubled", "Twice as much.", __name__)
    assert repr(doubled) == "<Task 'doubled'>"


def test_callables_without_a_name_are_named_after_their_class() -> None:
    assert task(partial(doubled.fn, 2)).name == "partial"
    assert task(Adder()).name == "Adder"
    assert task(Adder())(1, 2) == 3


def test_a_task_of_a_builtin_can_be_pickled() -> None:
    copy = pickle.loads(pickle.dumps(Task(len, retries=2)))

    assert (copy.name, copy.retries, copy([1])) == ("len", 2, 1)


def test_an_async_task_outside_everything_is_its_coroutine() -> None:
    @task
    async def fetched() -> int:
        return 1

    coroutine = fetched()

    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    assert ended.value.value == 1


def test_a_generator_task_gives_its_generator() -> None:
    @task
    def numbers() -> Iterator[int]:
        yield from (1, 2)

    assert list(numbers()) == [1, 2]


def test_set_upstream_outside_a_flow_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="doubled stands in no flow here: do this inside `with Flow"):
        doubled.set_upstream(doubled)
