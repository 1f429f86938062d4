"""`schedulerd.context` as Prefect 1 has it: values of the present run by name (graph style, rank 7)."""

from datetime import datetime
from typing import Any

import pytest

import schedulerd
from schedulerd import Flow, Parameter, task
from tests.unit.authoring.tape import Tape, a_context

context: Any = schedulerd.context


def given(*names: str) -> dict[str, Any]:
    """What a task, the second of a map in a flow, finds under these names."""

    @task(tags=["t"])
    def asks(number: int) -> dict[str, Any]:
        return {name: context.get(name) for name in names}

    with Flow("asking") as flow:
        Parameter("p", default=3)
        node = asks.map([1, 2])
    state = flow.perform({}, a_context(Tape()))
    found: dict[str, Any] = state.result[node].result[1]
    return found


def test_a_task_finds_where_it_stands() -> None:
    names = ("task_name", "task_full_name", "map_index", "task_run_count", "task_loop_count", "task_tags")

    assert given(*names) == {
        "task_name": "asks",
        "task_full_name": "asks[1]",
        "map_index": 1,
        "task_run_count": 1,
        "task_loop_count": 1,
        "task_tags": {"t"},
    }


def test_a_task_finds_its_flow_and_the_day() -> None:
    found = given("parameters", "today", "yesterday_nodash", "tomorrow", "task_loop_result", "nonesuch")

    assert found == {
        "parameters": {"p": 3},
        "today": "1970-01-01",
        "yesterday_nodash": "19691231",
        "tomorrow": "1970-01-02",
        "task_loop_result": None,
        "nonesuch": None,
    }
    assert isinstance(given("scheduled_start_time")["scheduled_start_time"], datetime)
    assert given("running_with_backend") == {"running_with_backend": False}


def test_the_logger_of_a_task_bears_its_name() -> None:
    @task
    def logs() -> Any:
        return context.logger.extra

    with Flow("x") as flow:
        node = logs()

    assert flow.run().result[node].result == {"run": "logs: "}


def test_values_can_be_put_in_for_a_while() -> None:
    with context({"a": 1}, b=2), context(a=3):
        assert (context.a, context["b"], "a" in context, context.to_dict()["a"]) == (3, 2, True, 3)

    assert "a" not in context


def test_outside_a_run_there_is_the_day_and_a_logger_and_what_is_missing_is_named() -> None:
    assert context.today == context.date.strftime("%Y-%m-%d")
    assert {"date", "logger", "secrets"} <= set(context.keys())
    with pytest.raises(AttributeError, match=r"schedulerd\.context has no task_name here; it has .*today"):
        context.task_name  # noqa: B018
    with pytest.raises(KeyError):
        context["task_name"]


def test_the_module_still_has_prefect_3s_names() -> None:
    from schedulerd.context import get_run_context

    with pytest.raises(RuntimeError):
        get_run_context()
