"""`schedulerd.testing.history`: flows run in the process of the test, and are recorded as the daemon records them."""

import asyncio
import logging
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

import schedulerd.testing
from schedulerd import Flow, Parameter, flow, get_run_logger, task
from schedulerd.errors import BadParameters, NotFound
from schedulerd.tasks import task_input_hash
from schedulerd.testing import history
from schedulerd.testing.utilities import prefect_test_harness
from tests.rules.pages import REPOSITORY


@task
def squared(number: int) -> int:
    get_run_logger().info("squaring %d", number)
    return number * number


@task
def refuses(text: str) -> None:
    raise ValueError(text)


@flow(log_prints=True)
def sums(numbers: list[int], day: date | None = None) -> int:
    print("summing")
    return sum(squared.map(numbers).result())


@flow
def failing() -> None:
    refuses("no good")


with Flow("drawn") as drawn:
    limit = Parameter("limit", default=3)
    squared(limit)


def test_a_run_has_its_tasks_states_log_parameters_and_result() -> None:
    with history() as seen:
        value = sums([2, 3])

    assert value == 13
    with history() as seen:
        sums([2, 3], day=date(2026, 11, 27))
        run = seen.last
    assert (run.name, run.state, run.result) == ("sums#1", "completed", 13)
    assert run.states == ("scheduled", "pending", "running", "completed")
    assert run.parameters == {"numbers": [2, 3], "day": "2026-11-27"}
    assert sorted((one.map_index, one.state, one.result) for one in run.tasks) == [
        (0, "completed", 4),
        (1, "completed", 9),
    ]
    assert sorted(run.log) == ["squaring 2", "squaring 3", "summing"]


def test_what_a_flow_raises_is_raised_and_recorded_with_the_task_that_did() -> None:
    with history() as seen:
        with pytest.raises(ValueError, match="no good"):
            failing()

        run = seen.last

    assert not run.is_completed
    assert (run.state, run.message) == ("failed", "ValueError: no good")
    assert run.failure is not None
    assert (run.failure.task, run.task("refuses").state) == ("refuses", "failed")
    assert run.result is None


def test_a_graph_is_recorded_too() -> None:
    with history() as seen:
        state = drawn.run(limit=4, run_on_schedule=False)

        run = seen.last

    assert state.is_successful()
    assert (run.flow, run.parameters, run.task("squared").result) == ("drawn", {"limit": 4}, 16)


def test_wrong_parameters_of_a_graph_are_no_run() -> None:
    with history() as seen:
        with pytest.raises(ValueError, match="lim"):
            drawn.run(lim=4)

        assert seen.runs == ()


def test_async_flows_are_recorded() -> None:
    @flow
    async def later() -> str:
        await asyncio.sleep(0)
        return "done"

    with history() as seen:
        asyncio.run(later())

        assert seen.last.result == "done"


def test_a_flow_that_is_called_within_another_is_a_child_run_for_which_a_task_stands() -> None:
    @flow
    def outer() -> int:
        return int(sums([3]))

    with history() as seen:
        outer()

        (run,) = seen.runs
        (child,) = run.children
    assert [(one.name, one.state, one.result) for one in run.tasks] == [("sums", "completed", 9)]
    assert (child.name, child.flow, child.state, child.result) == ("outer#1.1", "sums", "completed", 9)
    assert child.parameters == {"numbers": [3], "day": None}
    assert [(one.name, one.state) for one in child.tasks] == [("squared", "completed")]
    assert child.log == ("summing", "squaring 3")
    assert run.log == child.log


def test_values_that_are_not_json_come_back_as_they_were() -> None:
    @flow
    def spans() -> dict[str, object]:
        return {"span": timedelta(hours=2), "many": list(range(100_000))}

    with history() as seen:
        spans()
        run = seen.last

    assert run.result == {"span": timedelta(hours=2), "many": list(range(100_000))}


def test_what_ends_the_process_is_recorded_too() -> None:
    @flow
    def leaves() -> None:
        sys.exit(3)

    with history() as seen:
        with pytest.raises(SystemExit):
            leaves()

        assert (seen.last.state, seen.last.message) == ("failed", "the flow called sys.exit(3)")


def test_flows_of_one_name_and_several_of_one_file_are_recorded() -> None:
    first, second = (flow(name="same")(lambda number=number: number) for number in (1, 2))

    with history() as seen:
        first(), second(), sums([1])

        assert [(run.name, run.result) for run in seen.runs] == [("same#1", 1), ("same#2", 2), ("sums#1", 1)]


def test_a_flow_of_a_file_runs_once_and_is_not_run_by_being_loaded(tmp_path: Path) -> None:
    file = tmp_path / "etl.py"
    file.write_text(
        "from schedulerd import flow\n@flow\ndef one(x: int = 1) -> int:\n    return x\n"
        "@flow\ndef two() -> None:\n    raise KeyError('two')\none()\n"
    )

    with history() as seen:
        assert seen.run(f"{file}:one", {"x": 5}).result == 5
        assert seen.run(f"{file}:two").state == "failed"
        with pytest.raises(NotFound, match="three"):
            seen.run(f"{file}:three")
        with pytest.raises(BadParameters):
            seen.run(f"{file}:one", {"y": 5})
        with pytest.raises(NotFound, match="etl"):
            seen.run("etl")

        assert [run.name for run in seen.runs] == ["one#1", "two#1"]


def test_what_is_cached_in_a_block_is_gone_with_it(tmp_path: Path) -> None:
    calls = []

    @task(cache_key_fn=task_input_hash)
    def counted(number: int) -> int:
        calls.append(number)
        return number

    @flow
    def counts() -> None:
        counted(7)

    for _ in range(2):
        with history() as seen:
            counts()
            counts()
            states = [run.task("counted").state for run in seen.runs]
        assert states == ["completed", "cached"]
    assert calls == [7, 7]
    assert "SCHEDULERD_RESULTS" not in os.environ


def test_a_task_that_is_not_there_is_named_with_those_that_are() -> None:
    with history() as seen:
        sums([1, 2])
        run = seen.last

    with pytest.raises(LookupError, match=r"sums#1 has no task 'cubed'; its tasks are: squared"):
        run.task("cubed")
    with pytest.raises(LookupError, match="has 2 task runs 'squared'"):
        run.task("squared")
    assert run.task("squared", 1).result == 4


def test_before_any_run_there_is_no_last_one() -> None:
    with history() as seen, pytest.raises(LookupError, match="no flow has run"):
        _ = seen.last


def test_blocks_may_stand_in_each_other_and_leave_nothing() -> None:
    before = list(logging.getLogger("schedulerd.run").handlers)

    with history() as outer, history() as inner:
        sums([1])
        assert (len(inner.runs), len(outer.runs)) == (1, 0)
    sums([2])

    left = [one for one in logging.getLogger("schedulerd.run").handlers if one not in before]
    assert [type(one).__name__ for one in left] in ([], ["ConsoleHandler"])


def test_under_prefects_name_it_is_the_same() -> None:
    with prefect_test_harness(server_startup_timeout=60) as seen:
        sums([1])

        assert seen.last.result == 1


def test_to_import_it_loads_no_store_and_an_unknown_name_is_told() -> None:
    program = (
        "import sys, schedulerd.testing, schedulerd.testing.utilities;"
        "print({'sqlalchemy', 'pydantic', 'schedulerd.store'} & set(sys.modules) or 'light')"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    assert said.stdout == "light\n"
    with pytest.raises(AttributeError, match="it has History"):
        _ = schedulerd.testing.nothing_of_this_name
