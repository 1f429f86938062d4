"""Branches of a graph: `case`, `merge`, `switch`, `ifelse`, `FilterTask` (graph style, rank 15)."""

from typing import Any

import pytest

from schedulerd import Flow, Parameter, case, task
from schedulerd.engine.state import Skipped
from schedulerd.tasks.control_flow import FilterTask, ifelse, merge, switch
from tests.unit.authoring.tape import Tape, a_context


@task
def kept(value: Any) -> Any:
    return value


@task
def added(left: int, right: int) -> int:
    return left + right


@task
def broken() -> None:
    raise ValueError


def test_what_is_drawn_in_a_case_runs_only_where_the_value_is_that() -> None:
    with Flow("x") as flow:
        asked = Parameter("side", default="left")
        with case(asked, "left"):
            left = kept("went left")
            after_left = kept(left)
        with case(asked, "right"):
            right = kept("went right")
        met = merge(after_left, right)

    for side in ("left", "right"):
        state = flow.run(side=side)
        assert state.is_successful()
        assert state.result[met].result == f"went {side}"
        assert state.result[right].is_skipped() is (side == "left")
        assert state.result[after_left].is_skipped() is (side == "right")


def test_the_comparison_is_a_task_that_is_recorded_and_says_why() -> None:
    tape = Tape()
    with Flow("x") as flow, case(kept(False), True):
        kept("inside")

    flow.perform({}, a_context(tape))

    assert tape.final() == {"kept": "skipped", "CompareValue: True": "skipped"}
    assert (
        next(record for record in tape.tasks if record["state"] == "skipped")["message"]
        == "False is not True"
    )


def test_only_the_first_tasks_of_a_case_hang_on_its_comparison() -> None:
    with Flow("x") as flow:
        asked = kept(True)
        with case(asked, True):
            first = kept(1)
            second = kept(first)

    compared = next(node for node in flow.nodes if node.name.startswith("CompareValue"))
    assert flow.upstream_tasks(first) == {compared}
    assert flow.upstream_tasks(second) == {first}


def test_cases_stand_within_each_other() -> None:
    with Flow("x") as flow:
        outer, inner = Parameter("outer"), Parameter("inner")
        with case(outer, 1):
            with case(inner, 2):
                both = kept("both")
            one = kept("one")

    def skipped(**given: int) -> tuple[bool, bool]:
        result = flow.run(given).result
        return result[both].is_skipped(), result[one].is_skipped()

    assert skipped(outer=1, inner=2) == (False, False)
    assert skipped(outer=1, inner=3) == (True, False)
    assert skipped(outer=3, inner=2) == (True, True)


def test_a_case_of_a_comparison_between_tasks() -> None:
    with Flow("x") as flow:
        count = kept(5)
        with case(count > 3, True):
            many = kept("many")
        with case(count > 3, False):
            few = kept("few")

    result = flow.run().result
    assert (result[many].result, result[few].is_skipped()) == ("many", True)


@pytest.mark.parametrize(
    ("given", "said"),
    [((kept, kept), "the value must be known"), ((5, 1), r"case\(task, value\): 5 is no task")],
)
def test_a_case_needs_a_task_and_a_value(given: Any, said: str) -> None:
    with Flow("x"), pytest.raises(TypeError, match=said):
        case(*given)


def test_a_case_needs_a_flow() -> None:
    with pytest.raises(ValueError, match="branches are drawn, and no flow is"), case(kept, 1):
        pass


def test_an_error_in_a_case_leaves_it() -> None:
    with Flow("x") as flow:
        with pytest.raises(ZeroDivisionError), case(kept(1), 1):
            1 / 0  # noqa: B018
        node = kept("after")

    assert flow.cases == []
    assert flow.upstream_tasks(node) == set()


def test_switch_runs_the_task_that_stands_by_the_value() -> None:
    with Flow("x") as flow:
        asked = Parameter("asked")
        branches = {name: kept(name) for name in ("a", "b")}
        switch(asked, branches)
        met = merge(*branches.values())

    assert flow.run(asked="b").result[met].result == "b"
    nothing = flow.run(asked="c")
    assert nothing.is_successful()
    assert isinstance(nothing.result[met], Skipped)


def test_ifelse_takes_either_task_by_truth() -> None:
    with Flow("x") as flow:
        asked = Parameter("asked")
        yes, no = kept("yes"), kept("no")
        ifelse(asked, yes, no)
        only = kept("only")
        ifelse(asked, only, None)

    result = flow.run(asked=[1]).result
    assert (result[yes].result, result[no].is_skipped(), result[only].result) == ("yes", True, "only")
    result = flow.run(asked=0).result
    assert (result[yes].is_skipped(), result[no].result, result[only].is_skipped()) == (True, "no", True)


def test_merge_fails_with_its_branch() -> None:
    with Flow("x") as flow:
        met = merge(broken(), kept(1))

    assert flow.run().result[met].name == "upstream_failed"


def test_branches_of_a_map_come_together_item_by_item() -> None:
    with Flow("x") as flow:
        numbers = kept([1, 2])
        met = merge(added.map(numbers, [10, 20]), numbers, mapped=True)

    assert flow.run().result[met].result == [11, 22]


def test_filter_keeps_what_succeeded() -> None:
    @task
    def odd(number: int) -> int:
        if number % 2 == 0:
            raise ValueError
        return number

    kept_odd, kept_big = (
        FilterTask(),
        FilterTask(filter_func=lambda n: n == 3, log_func=lambda kept: f"{kept}"),
    )
    with Flow("x") as flow:
        numbers = odd.map([1, 2, 3])
        node, big = kept_odd(numbers), kept_big(kept([1, 3]))

    result = flow.run().result
    assert (result[node].result, result[big].result) == ([1, 3], [3])


def test_names_of_prefect_1_are_where_they_were() -> None:
    from schedulerd.tasks.control_flow.case import case as there
    from schedulerd.tasks.control_flow.conditional import merge as merged
    from schedulerd.tasks.control_flow.filter import FilterTask as Filtering

    assert (there, merged, Filtering) == (case, merge, FilterTask)
    with pytest.raises(ImportError):
        from schedulerd.tasks.control_flow import nonesuch  # type: ignore[attr-defined]  # noqa: F401
