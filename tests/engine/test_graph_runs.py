"""Runs of graphs in their own processes (graph style, ranks 1, 2, 5, 7, 8, 13, 15, 17, 19, 22 and 24)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.scenes import Ran, Spawning

HEAD = """
import schedulerd
from schedulerd import Flow, Parameter, case, task, triggers, unmapped
from schedulerd.engine import signals
from schedulerd.executors import LocalDaskExecutor
from schedulerd.schedules import CronSchedule
from schedulerd.tasks.control_flow import merge
from schedulerd.tasks.shell import ShellTask

@task
def numbers():
    return [1, 2, 3]

@task
def checked(number, limit):
    if number > limit:
        raise ValueError(f"{number} is more than {limit}")
    return number * 10
"""


@pytest.fixture
def spawning(tmp_path: Path) -> Iterator[Spawning]:
    with Spawning(tmp_path) as made:
        yield made


def states(ran: Ran) -> list[tuple[str, int | None, str]]:
    """Name, index and last state of each task run."""
    found = {record["n"]: (record["name"], record.get("i"), record["s"]) for record in ran.of("task")}
    return [found[number] for number in sorted(found)]


def test_each_item_of_a_map_is_a_task_run_with_its_index(spawning: Spawning) -> None:
    ran = spawning.flow(
        HEAD + "with Flow('etl', executor=LocalDaskExecutor(num_workers=2)) as etl:\n"
        "    limit = Parameter('limit', default=5)\n    checked.map(numbers(), unmapped(limit))\n"
    )

    assert ran.end["s"] == "completed"
    assert sorted(states(ran)) == [
        ("checked", 0, "completed"),
        ("checked", 1, "completed"),
        ("checked", 2, "completed"),
        ("numbers", None, "completed"),
    ]
    assert ran.of("result")[0]["v"] == "[10, 20, 30]"


def test_what_fails_holds_back_skips_and_triggers_as_it_says(spawning: Spawning) -> None:
    ran = spawning.flow(
        HEAD
        + "@task(trigger=triggers.any_failed)\ndef mends():\n    print('mended', schedulerd.context.task_name)\n"
        "with Flow('etl') as etl:\n    some = checked.map(numbers(), unmapped(2))\n    after = merge(some)\n"
        "    with case(numbers(), []):\n        ShellTask(command='echo never')()\n"
        "    mends(upstream_tasks=[some])\n"
    )

    assert ran.end["s"] == "failed"
    assert ran.end["m"] == "1 of 7 tasks failed: checked"
    assert set(states(ran)) >= {
        ("checked", 1, "completed"),
        ("checked", 2, "failed"),
        ("Merge", None, "upstream_failed"),
        ("CompareValue: []", None, "skipped"),
        ("ShellTask", None, "skipped"),
        ("mends", None, "completed"),
    }
    assert "mended mends" in ran.lines()


def test_a_file_that_runs_its_flow_on_a_schedule_does_not_wait_under_the_daemon(spawning: Spawning) -> None:
    ran = spawning.flow(
        HEAD
        + "with Flow('etl', CronSchedule('0 6 * * *')) as etl:\n    numbers()\netl.run()\netl.register()\n"
    )

    assert (ran.end["s"], states(ran)) == ("completed", [("numbers", None, "completed")])


def test_a_signal_is_recorded_as_the_state_that_it_is(spawning: Spawning) -> None:
    ran = spawning.flow(
        HEAD + "@task\ndef loops():\n    count = schedulerd.context.get('task_loop_result', 0)\n"
        "    if count < 3:\n        raise signals.LOOP(result=count + 1)\n    raise signals.SKIP(f'after {count}')\n"
        "with Flow('etl') as etl:\n    loops()\n"
    )

    assert ran.end["s"] == "completed"
    assert (ran.of("task")[-1]["s"], ran.of("task")[-1]["m"]) == ("skipped", "after 3")
