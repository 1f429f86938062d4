"""The semantics that are most likely to be got wrong, by their numbers; in a plain Python process and under the daemon."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schedulerd import Flow, flow, task
from schedulerd.authoring.caching import Caching
from schedulerd.schedules import IntervalSchedule
from schedulerd.testing import RunHistory, TestDaemon, history
from tests.prefect.conftest import FUNCTION_STYLE, GRAPH_STYLE

Run = Callable[..., RunHistory]
PLACES = ["plain", "daemon"]


@pytest.fixture(params=PLACES)
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Runs a flow by its name, in one place and in the other."""
    if request.param == "daemon":
        started: TestDaemon = request.getfixturevalue("daemon_of_flows")
        yield started.run
        return
    with history() as seen:
        yield lambda name, parameters=None: seen.run(f"{_file(name)}:{name}", parameters)


def _file(name: str) -> Path:
    return GRAPH_STYLE if name in ("s06", "g08", "g01") else FUNCTION_STYLE


def test_1_a_value_completes_a_flow_though_a_task_failed_that_nobody_looked_at(run: Run) -> None:
    careless, looked, by_hand = run("s01"), run("s01-future"), run("r23-fails")

    assert (careless.state, careless.result) == ("completed", "nobody looked")
    assert careless.task("breaks").state == "failed"
    assert (looked.state, by_hand.state) == ("failed", "failed")
    assert run("r23-cancelled").state == "cancelled"


def test_2_a_retry_of_a_flow_does_not_run_again_what_completed(run: Run, tmp_path: Path) -> None:
    ran = run("s02", {"path": str(tmp_path / "ran")})

    assert (ran.state, ran.result) == ("completed", "once")
    assert (tmp_path / "ran").read_text() == "once\nonce\n"  # both attempts had its value
    assert ran.log.count("said once") == 1  # of which one ran it


def test_3_what_caches_is_kept_and_what_is_not_kept_is_not_cached() -> None:
    kept = task(cache_key_fn=lambda run, given: "key")(_nothing).caching
    refused = task(cache_key_fn=lambda run, given: "key", persist_result=False)(_nothing).caching

    assert isinstance(kept, Caching)
    assert refused is None


def test_4_the_last_delay_is_repeated_and_a_condition_stops(run: Run) -> None:
    ran = run("s04")

    assert list(ran.result) == [4, True]
    assert sorted(one.attempt for one in ran.tasks) == [2, 4]


def test_5_a_map_of_prefect_1_goes_as_far_as_the_shortest_and_one_of_prefect_3_refuses(run: Run) -> None:
    assert run("g08").result == 9
    assert "MappingLengthMismatch" in run("r11-fails").message


def test_6_a_retry_of_prefect_1_lets_the_others_have_their_turn_first(run: Run) -> None:
    assert run("s06").result == ["tried", "beside", "tried"]


def test_7_a_graph_with_a_schedule_runs_once_where_it_is_asked_for(run: Run) -> None:
    """That `flow.run()` goes on at its times in plain Python is shown by tests/unit/authoring/test_on_schedule.py."""
    ran = run("g01")

    assert (ran.state, len(ran.tasks)) == ("completed", 1)


def test_8_prints_are_logged_as_the_flow_around_says(run: Run) -> None:
    ran = run("s08")

    assert "from a task" in ran.log


def test_9_what_is_called_in_async_code_is_awaited() -> None:
    @task
    async def waits() -> int:
        await asyncio.sleep(0)
        return 3

    @flow
    async def outer() -> Any:
        return await waits(), await waits.submit(), 1

    assert asyncio.run(outer())[0] == 3


def test_10_a_flow_is_called_after_its_function_with_dashes(run: Run) -> None:
    ran = run("s10-has-underscores")

    assert (ran.flow, ran.result) == ("s10-has-underscores", "s10-has-underscores")


def test_a_schedule_of_nothing_is_refused() -> None:
    with pytest.raises(Exception, match="interval"):
        Flow("never", IntervalSchedule(interval=timedelta()))


def _nothing() -> None:
    """Does nothing."""
