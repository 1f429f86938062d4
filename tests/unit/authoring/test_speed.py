"""A trivial task costs little. The floor is a fifth of what a busy machine does: it shows a step up, not a slope."""

import time
from collections.abc import Callable

import pytest

from schedulerd import Flow, flow, task
from tests.unit.authoring.tape import run

TASKS = 1_000
FLOOR = 5_000
"""So many of them are to run in a second of CPU."""


@task
def same(number: int) -> int:
    return number


@flow
def loop() -> None:
    for number in range(TASKS):
        same(number)


@flow
def mapped() -> None:
    same.map(list(range(TASKS))).result()


with Flow("drawn") as drawn:
    same.map(list(range(TASKS)))


def rate(work: Callable[[], object]) -> float:
    """Tasks a second of CPU, the best of a few."""
    rates = []
    for _ in range(3):
        began = time.process_time()
        work()
        rates.append(TASKS / (time.process_time() - began))
    return max(rates)


@pytest.mark.parametrize("one", [loop, mapped, drawn], ids=["loop", "mapped", "drawn"])
def test_a_thousand_trivial_tasks_run_at_more_than_five_thousand_a_second(one: Flow) -> None:
    found = rate(lambda: run(one))

    assert found >= FLOOR
