"""Calculating with nodes, items of them, and unpacking them (graph style, ranks 2 and 4)."""

import operator
from typing import Any

import pytest

from schedulerd import Flow, Parameter, task
from schedulerd.authoring.nodes import Node
from tests.unit.authoring.tape import Tape, a_context


@task
def kept(value: Any) -> Any:
    return value


@pytest.mark.parametrize(
    "operate",
    [
        *(operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod),
        *(operator.pow, operator.lt, operator.le, operator.gt, operator.ge),
    ],
    ids=lambda operate: operate.__name__,
)
def test_an_operator_draws_a_task_on_either_side_and_with_parameters(operate: Any) -> None:
    with Flow("x") as flow:
        node, parameter = kept(7), Parameter("p", default=3)
        drawn = [operate(node, 2), operate(20, node), operate(node, parameter), operate(parameter, 2)]

    result = flow.run().result
    assert [result[one].result for one in drawn] == [
        operate(7, 2),
        operate(20, 7),
        operate(7, 3),
        operate(3, 2),
    ]


def test_logic_is_drawn_by_methods_and_signs() -> None:
    with Flow("x") as flow:
        yes, no = kept(True), kept(0)
        drawn = [yes & no, yes | no, yes.or_(no), yes.and_(1), no.not_(), -kept(5), 1 & yes, 0 | yes]

    result = flow.run().result
    assert [result[one].result for one in drawn] == [0, True, True, 1, True, -5, True, True]


def test_equality_is_drawn_by_methods_for_the_signs_are_identity() -> None:
    with Flow("x") as flow:
        one = kept(1)
        equal, unequal = one.is_equal(1), one.not_equal(1)

    result = flow.run().result
    assert (result[equal].result, result[unequal].result) == (True, False)
    assert (one == 1, one != 1) == (False, True)


def test_an_item_is_drawn_and_recorded_under_its_own_name() -> None:
    tape = Tape()
    with Flow("x") as flow:
        rows = kept({"rows": [1, 2]})
        key = kept("rows")
        first, by_task = rows["rows"][0], rows[key]

    state = flow.perform({}, a_context(tape))

    assert (state.result[first].result, state.result[by_task].result) == (1, [1, 2])
    assert ("GetItem", "completed") in tape.states()


def test_an_item_that_is_not_there_fails_its_task() -> None:
    with Flow("x") as flow:
        missing = kept({})["rows"]

    state = flow.run()

    assert state.message == "1 of 2 tasks failed: GetItem"
    assert isinstance(state.result[missing].result, KeyError)


def test_a_node_of_a_flow_calculates_after_its_block_too() -> None:
    with Flow("x") as flow:
        node = kept(1)

    later = node + 1

    assert flow.run().result[later].result == 2


def test_parameters_alone_need_a_flow() -> None:
    with pytest.raises(ValueError, match="<Parameter 'p'> stands in no flow here"):
        Parameter("p") + 1


def test_what_returns_several_is_unpacked_by_nout() -> None:
    with Flow("x") as flow:
        low, high = task(lambda: (1, 2), nout=2)()
        last = high - low

    assert flow.run().result[last].result == 1


def test_what_returns_several_is_unpacked_by_its_hint() -> None:
    @task
    def both() -> tuple[int, str]:
        return 1, "a"

    with Flow("x") as flow:
        number, text = both()

    result = flow.run().result
    assert (result[number].result, result[text].result) == (1, "a")


def test_nout_of_zero_gives_nothing() -> None:
    with Flow("x"):
        assert list(task(lambda: (), nout=0)()) == []


def _of_any_length() -> tuple[int, ...]:
    return (1,)


def _of_unknown_hint() -> "tuple[Nonesuch, int]":  # type: ignore[name-defined]  # noqa: F821
    return (1, 2)


@pytest.mark.parametrize("fn", [_of_any_length, _of_unknown_hint, lambda: (1, 2)])
def test_without_a_number_of_parts_unpacking_is_refused(fn: Any) -> None:
    with Flow("x"):
        node = task(fn)()
        assert isinstance(node, Node)
        with pytest.raises(
            TypeError, match=r"without @task\(nout=\.\.\.\) or a hint such as tuple\[int, str\]"
        ):
            _, _ = node


def test_unpacking_into_another_number_is_pythons_error() -> None:
    with Flow("x"), pytest.raises(ValueError, match="too many values to unpack"):
        _, _ = task(lambda: (1, 2, 3), nout=3)()
