"""Names of runs, what code within a run can ask of it, and options."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from schedulerd import (
    flow,
    get_run_context,
    get_run_logger,
    runtime,
    tags,
    task,
)
from schedulerd.authoring.refusals import (
    MissingContext,
    ParametersRefused,
)
from tests.unit.authoring.samples import doubled
from tests.unit.authoring.tape import Tape, run


class TestNamesAndContexts:
    def test_task_runs_are_named_by_a_template_or_a_function(self) -> None:
        @task(task_run_name="load {region} of {rows}")
        def load(region: str, rows: int = 3) -> None: ...

        @task(task_run_name=lambda: "by a function")
        def other() -> None: ...

        @task(task_run_name="{missing}")
        def unfitting() -> None: ...

        tape = Tape()
        run(flow(name="x")(lambda: [load("kr"), other(), unfitting()]), tape=tape)

        assert list(tape.final()) == ["load kr of 3", "by a function", "unfitting"]

    def test_the_run_context_tells_of_flow_and_task(self) -> None:
        @task(tags=["slow"])
        def looks(number: int) -> tuple[Any, ...]:
            context: Any = get_run_context()
            return (
                context.task_run.name,
                context.task_run.run_count,
                context.parameters,
                context.task_run.tags,
            )

        @flow(flow_run_name="of {region}", tags=["etl"])
        def told(region: str) -> tuple[Any, ...]:
            with tags("nightly"):
                found = looks(5)
            context: Any = get_run_context()
            return found, context.flow_run.name, context.flow_run.flow_name, context.parameters

        found, name, flow_name, parameters = told("kr")

        assert found == ("looks", 1, {"number": 5}, ["etl", "nightly", "slow"])
        assert (name, flow_name, parameters) == ("of kr", "told", {"region": "kr"})
        with pytest.raises(MissingContext, match="no run here"):
            get_run_context()

    def test_runtime_has_the_same_as_attributes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        @task
        def looks() -> tuple[Any, ...]:
            return runtime.task_run.name, runtime.flow_run.name, runtime.flow_run.parameters

        @flow
        def told(region: str) -> Any:
            @flow
            def inner() -> bool:
                return bool(runtime.flow_run.parent_flow_run_id == outer)

            outer = runtime.flow_run.id
            assert inner()
            return looks()

        assert told("kr") == ("looks", "told", {"region": "kr"})
        assert (runtime.flow_run.id, runtime.flow_run.parameters, runtime.deployment.name) == (None, {}, None)
        with pytest.raises(
            AttributeError, match=r"runtime\.flow_run has no attribute 'colour'; it has id, name"
        ):
            _ = runtime.flow_run.colour
        monkeypatch.setenv("SCHEDULERD__RUNTIME__FLOW_RUN__NAME", "made up")
        assert runtime.flow_run.name == "made up"

    def test_log_prints_makes_lines_of_what_is_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        @task
        def prints() -> None:
            print("from", "the task")

        @task(log_prints=False)
        def shouts() -> None:
            print("aloud")

        @flow(log_prints=True)
        def told() -> None:
            print("from the flow")
            prints()
            shouts()

        records: list[str] = []

        class Keeps(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                records.append(record.getMessage())

        get_run_logger().logger.addHandler(keeps := Keeps())
        try:
            told()
        finally:
            get_run_logger().logger.removeHandler(keeps)
        print("outside")

        assert [text for text in records if text.startswith("from")] == ["from the flow", "from the task"]
        assert capsys.readouterr().out == "aloud\noutside\n"


class TestOptions:
    def test_with_options_is_a_copy(self) -> None:
        other = doubled.with_options(name="twice", retries=2)
        named = flow(name="a", retries=1)(len).with_options(name="b")

        assert (other.name, other.retries, doubled.name, doubled.retries) == ("twice", 2, "doubled", 0)
        assert other.fn is doubled.fn
        assert (named.name, named.retries) == ("b", 1)
        with pytest.raises(TypeError, match="does not know colour"):
            doubled.with_options(colour=1)

    def test_parameters_are_made_to_fit_their_hints(self) -> None:
        @flow
        def typed(count: int, name: str = "x") -> tuple[int, str]:
            return count, name

        assert typed("3") == (3, "x")
        with pytest.raises(
            ParametersRefused,
            match=r"flow 'typed' .*: parameter 'count': 'three' \(a str\) is not a whole number",
        ):
            typed("three")
        assert typed.with_options(validate_parameters=False)("three") == ("three", "x")

    def test_names_of_calls_cannot_be_arguments(self) -> None:
        with pytest.raises(ValueError, match="has an argument wait_for"):

            @task
            def waits(wait_for: int) -> None: ...

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"log_prints": "yes"}, "log_prints must be True or False"),
            ({"task_run_name": 5}, "task_run_name must be a text"),
            ({"retry_condition_fn": 5}, "retry_condition_fn must be a function"),
            ({"retry_jitter_factor": -1}, "0 or more"),
            ({"retries": 1, "retry_delay_seconds": [1] * 51}, "50 delays, not 51"),
            ({"cache_policy": "inputs"}, "cache_policy must be a policy"),
            ({"cache_key_fn": 5}, "cache_key_fn must be a function"),
            ({"cache_expiration": "1h"}, "seconds or a timedelta"),
        ],
    )
    def test_wrong_options_are_refused(self, options: Any, said: str) -> None:
        with pytest.raises((TypeError, ValueError), match=said):
            task(**options)(len)

    def test_a_limit_may_be_a_timedelta(self) -> None:
        assert task(timeout_seconds=timedelta(minutes=1))(len).timeout_seconds == 60
