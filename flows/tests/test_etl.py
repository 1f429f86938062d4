"""The two ETL flows: as a graph, and as functions."""

from pathlib import Path

import pytest

import schedulerd.testing

FLOWS = Path(__file__).parents[1]


def test_the_graph_hands_each_task_what_the_one_before_returned():
    with schedulerd.testing.history() as seen:
        run = seen.run(FLOWS / "etl.py")

    assert run.state == "completed"
    assert [task.name for task in run.tasks] == ["extract", "transform", "load"]
    assert run.task("transform").result == [2, 4, 6, 8, 10]


@pytest.mark.parametrize(
    ("region", "summary"), [("kr", {"orders": 3, "total": 147.4}), ("jp", {"orders": 1, "total": 80.0})]
)
def test_the_functions_sum_up_a_region(region, summary):
    with schedulerd.testing.history() as seen:
        run = seen.run(FLOWS / "etl_functions.py", {"region": region})

    assert run.result == summary


def test_an_order_without_an_amount_is_left_out_and_told():
    with schedulerd.testing.history() as seen:
        run = seen.run(FLOWS / "etl_functions.py", {"region": "de"})

    assert run.result == {"orders": 0, "total": 0}
    assert "1 order(s) without an amount are left out" in run.log
