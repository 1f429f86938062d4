"""A whole flow run: every way in which user code can end."""

import asyncio
import sys
from typing import Any

import pytest

from schedulerd import Flow, flow, task
from schedulerd.authoring.execution import Cancelled, execute
from tests.unit.authoring.tape import Tape, run


def raising(error: BaseException) -> Any:
    @flow
    def ends() -> None:
        raise error

    return ends


def exiting(*args: Any) -> Any:
    @flow
    def ends() -> None:
        sys.exit(*args)

    return ends


def test_a_flow_that_returns_completes_and_its_result_is_recorded() -> None:
    @flow
    def etl() -> dict[str, int]:
        return {"rows": 3}

    tape = Tape()
    outcome = execute(etl, {}, tape)

    assert (outcome.state, outcome.message, outcome.failure) == ("completed", "", None)
    assert outcome.result == '{"rows": 3}'
    assert tape.results == ['{"rows": 3}']


def test_a_flow_that_returns_nothing_has_no_result() -> None:
    tape = Tape()

    @flow
    def etl() -> None: ...

    assert run(etl, tape=tape).result is None
    assert tape.results == []


def test_a_flow_that_raises_fails_with_its_place() -> None:
    outcome = run(raising(ValueError("no rows")))

    assert (outcome.state, outcome.message, outcome.result) == ("failed", "ValueError: no rows", None)
    assert outcome.failure is not None
    assert outcome.failure.file == __file__
    assert outcome.failure.task is None
    assert "raise error" in outcome.failure.traceback
    assert "authoring/functions.py" not in outcome.failure.traceback


def test_an_exception_that_says_nothing_is_named_by_its_type() -> None:
    assert run(raising(ValueError())).message == "ValueError"


def test_a_failure_that_came_out_of_a_task_names_the_task() -> None:
    @task
    def extract() -> None:
        raise OSError("gone")

    @flow
    def etl() -> None:
        extract()

    outcome = run(etl)

    assert outcome.failure is not None
    assert outcome.failure.task == "extract"
    assert [
        line for line in outcome.failure.traceback.splitlines() if "in extract" in line or "in etl" in line
    ]


@pytest.mark.parametrize("args", [(), (None,), (0,), (False,)])
def test_sys_exit_without_an_error_completes(args: tuple[Any, ...]) -> None:
    outcome = run(exiting(*args))

    assert (outcome.state, outcome.message, outcome.failure) == ("completed", "sys.exit(0)", None)


@pytest.mark.parametrize(
    ("code", "said"),
    [(3, "sys.exit(3)"), (True, "sys.exit(True)"), ("", "sys.exit('')"), ("why", "sys.exit('why')")],
)
def test_sys_exit_with_an_error_fails_with_its_place(code: Any, said: str) -> None:
    outcome = run(exiting(code))

    assert (outcome.state, outcome.message) == ("failed", f"the flow called {said}")
    assert outcome.failure is not None
    assert outcome.failure.type == "SystemExit"
    assert outcome.failure.message == outcome.message
    assert outcome.failure.file == __file__


def test_sys_exit_in_a_task_of_a_graph_ends_the_flow() -> None:
    @task
    def leaves() -> None:
        sys.exit(3)

    @task
    def never() -> None:
        raise AssertionError

    tape = Tape()
    with Flow("x") as drawn:
        never(upstream_tasks=[leaves()])

    outcome = run(drawn, tape=tape)

    assert (outcome.state, outcome.message) == ("failed", "the flow called sys.exit(3)")
    assert outcome.failure is not None
    assert outcome.failure.task == "leaves"
    assert tape.final() == {"leaves": "failed"}


@pytest.mark.parametrize("error", [Cancelled(), KeyboardInterrupt(), asyncio.CancelledError()])
def test_a_run_that_was_asked_to_stop_is_cancelled(error: BaseException) -> None:
    outcome = run(raising(error))

    assert (outcome.state, outcome.message, outcome.failure) == ("cancelled", "cancelled", None)


@pytest.mark.parametrize("error", [GeneratorExit(), type("Odd", (BaseException,), {})("x")])
def test_whatever_else_ends_user_code_fails_the_run(error: BaseException) -> None:
    outcome = run(raising(error))

    assert outcome.state == "failed"
    assert outcome.failure is not None
    assert outcome.failure.type == type(error).__name__


def test_parameters_that_do_not_fit_fail_the_run_before_any_line_of_it() -> None:
    @flow
    def etl(limit: int) -> None:
        raise AssertionError

    outcome = run(etl, {"limit": "many"})

    assert outcome.state == "failed"
    assert "parameter 'limit': 'many' (a str) is not a whole number" in outcome.message
    assert outcome.failure is not None
    assert outcome.failure.line == etl.fn.__code__.co_firstlineno + 1


def test_a_graph_that_fails_says_which_task_and_why() -> None:
    @task
    def extract() -> None:
        raise OSError("gone")

    with Flow("x") as drawn:
        extract()

    outcome = run(drawn)

    assert (outcome.state, outcome.message, outcome.result) == ("failed", "1 of 1 task failed: extract", None)
    assert outcome.failure is not None
    assert (outcome.failure.task, outcome.failure.message) == ("extract", "gone")


def test_the_result_of_a_graph_is_what_its_last_task_returned() -> None:
    @task
    def given(value: Any) -> Any:
        return value

    with Flow("x") as single:
        given(given([1]))
    with Flow("x") as several:
        given(1)
        given.set_upstream(given(None))
    with Flow("x") as nothing:
        given(None)

    assert run(single).result == "[1]"
    assert run(nothing).result is None
    assert run(Flow("empty")).result is None
    assert run(several).state == "failed"  # the bare task lacks its argument


def test_the_result_of_a_graph_with_several_last_tasks_is_theirs_by_name() -> None:
    @task
    def a() -> int:
        return 1

    @task
    def b() -> int:
        return 2

    @task
    def c() -> None: ...

    with Flow("x") as drawn:
        a()
        b()
        c()

    assert run(drawn).result == '{"a": 1, "b": 2}'


def test_a_result_that_cannot_be_shown_does_not_hurt_the_run() -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise SystemExit(1)

    @flow
    def etl() -> object:
        return Hostile()

    outcome = run(etl)

    assert outcome.state == "completed"
    assert outcome.result == "<Hostile: its repr() failed with SystemExit>"
