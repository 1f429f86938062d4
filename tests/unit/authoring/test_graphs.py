"""The graph style: drawing, refusing, running."""

from typing import Any

import pytest

from schedulerd import Flow, Parameter, flow, task
from schedulerd.authoring.graphs import Flow as GraphFlow
from schedulerd.errors import BadParameters
from tests.unit.authoring.tape import Tape, a_context, run


@task
def one() -> int:
    return 1


@task
def two() -> int:
    return 2


@task
def total(numbers: Any, more: Any = 0) -> Any:
    return sum(numbers) + more


@task
def kept(value: Any) -> Any:
    return value


@task
def broken() -> None:
    raise ValueError("bad")


def names(drawn: GraphFlow) -> list[str]:
    return [node.name for node in drawn.nodes]


def test_drawing_runs_nothing() -> None:
    with Flow("x") as drawn:
        broken()

    assert names(drawn) == ["broken"]


def test_arguments_that_are_nodes_become_edges_each_once() -> None:
    with Flow("x") as drawn:
        first = one()
        total([first, first], more=first)

    assert list(drawn.edges) == [(0, 1)]


def test_results_flow_through_containers_keywords_and_constants() -> None:
    with Flow("x") as drawn:
        a, b = one(), two()
        node = kept({"list": [a, 10], "tuple": (b, [a]), "set": {a}, a: "key", "constant": [7]})

    state = drawn.run()

    assert state.result[node].result == {
        "list": [1, 10],
        "tuple": (2, [1]),
        "set": {1},
        1: "key",
        "constant": [7],
    }


def test_a_constant_container_is_handed_on_as_it_is() -> None:
    constant = [1, [2]]
    with Flow("x") as drawn:
        node = kept(constant)

    assert drawn.run().result[node].result is constant


def test_a_bare_task_as_an_argument_is_added_once() -> None:
    with Flow("x") as drawn:
        node = total([one, one, two])

    assert names(drawn) == ["one", "two", "total"]
    assert drawn.run().result[node].result == 4


def test_each_call_of_a_task_is_a_node_of_its_own() -> None:
    with Flow("x") as drawn:
        first, second = kept(1), kept(2)

    result = drawn.run().result

    assert (result[first].result, result[second].result) == (1, 2)
    with pytest.raises(KeyError, match="kept stands 2 times in this flow"):
        result[kept]


def test_results_are_found_by_the_task_that_was_drawn_once() -> None:
    with Flow("x") as drawn:
        one()

    result = drawn.run().result

    assert result[one].result == 1
    with pytest.raises(KeyError):
        result[two]
    with pytest.raises(KeyError):
        result["one"]


def test_upstream_tasks_order_without_handing_on_a_value() -> None:
    with Flow("x") as drawn:
        first = one()
        kept(0, upstream_tasks=[first, two])
        kept(1, upstream_tasks=first)
        kept(2, upstream_tasks=None)

    assert names(drawn) == ["one", "two", "kept", "kept", "kept"]
    assert list(drawn.edges) == [(0, 2), (1, 2), (0, 3)]


def test_set_upstream_and_set_downstream_order_nodes_bare_tasks_and_lists() -> None:
    with Flow("x") as drawn:
        a, b = one(), two()
        a.set_upstream(b)
        b.set_downstream([kept(0), total])
        broken.set_upstream(a)
        broken.set_downstream(kept(1))

    assert list(drawn.edges) == [(1, 0), (1, 2), (1, 3), (0, 4), (4, 5)]


def test_a_bare_task_can_be_ordered_in_a_flow_that_is_named() -> None:
    drawn = Flow("x")

    two.set_upstream(one, flow=drawn)

    assert names(drawn) == ["two", "one"]
    assert list(drawn.edges) == [(1, 0)]


def test_ordering_after_a_parameter_is_allowed_and_means_nothing() -> None:
    with Flow("x") as drawn:
        one().set_upstream(Parameter("p", default=1))

    assert list(drawn.edges) == []


def test_only_tasks_can_be_ordered() -> None:
    with Flow("x"):
        node = one()

        with pytest.raises(TypeError, match="only tasks can be put before or after each other, not 'two'"):
            node.set_upstream("two")


def test_a_node_of_another_flow_is_refused() -> None:
    with Flow("first"):
        node = one()

    with Flow("second"), pytest.raises(ValueError, match="one stands in flow 'first', not in 'second'"):
        kept(node)


def test_a_circle_is_refused_at_the_end_of_the_block_with_its_names() -> None:
    drawn = Flow("x").__enter__()
    a, b = one(), two()
    a.set_upstream(b)
    b.set_upstream(a)

    with pytest.raises(ValueError, match="tasks of flow 'x' go in a circle: one → two → one"):
        drawn.__exit__(None, None, None)


def test_an_error_in_the_block_is_raised_and_ends_the_drawing() -> None:
    with pytest.raises(ZeroDivisionError), Flow("x"):
        1 / 0  # noqa: B018

    assert one() == 1


def test_a_flow_can_be_drawn_on_and_inside_another() -> None:
    with Flow("outer") as outer:
        one()
        with Flow("inner") as inner:
            two()
        kept(0)
    with outer:
        kept(1)

    assert (names(outer), names(inner)) == (["one", "kept", "kept"], ["two"])


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(bool, id="truth"),
        pytest.param(list, id="iteration"),
        pytest.param(len, id="length"),
        pytest.param(lambda node: 1 in node, id="membership"),
        pytest.param(lambda node: pow(node, 2, 3), id="power"),
        pytest.param(lambda node: node @ 1, id="matrix product"),
        pytest.param(lambda node: 1 << node, id="shift, reflected"),
        pytest.param(int, id="int"),
        pytest.param(lambda node: round(node, 2), id="round"),
        pytest.param(range, id="index"),
    ],
)
def test_a_node_refuses_what_cannot_be_known_yet(use: Any) -> None:
    with Flow("x"):
        node = one()
        parameter = Parameter("p")

    with pytest.raises(
        TypeError, match=r"'one' is not possible while the flow is being drawn.*Do it inside a task"
    ):
        use(node)
    with pytest.raises(TypeError, match="'p' is not possible while the flow is being drawn"):
        use(parameter)


def test_equality_of_nodes_is_identity_so_that_they_are_keys() -> None:
    with Flow("x"):
        a, b = one(), one()

    assert a == a
    assert a != b
    assert len({a, b}) == 2


def test_things_that_are_drawn_have_a_readable_repr() -> None:
    with Flow("x") as drawn:
        node = one()

    assert (repr(drawn), repr(node), repr(Parameter("p"))) == (
        "<Flow 'x'>",
        "<Node 'one' of 'x'>",
        "<Parameter 'p'>",
    )


def test_tasks_run_one_after_the_other_and_are_recorded_with_what_they_came_after() -> None:
    tape = Tape()
    with Flow("x") as drawn:
        late = kept(0)
        early = one()
        late.set_upstream(early)

    outcome = run(drawn, tape=tape)

    assert outcome.state == "completed"
    assert outcome.message == "all 2 tasks completed"
    assert tape.states() == [
        ("one", "running"),
        ("one", "completed"),
        ("kept", "running"),
        ("kept", "completed"),
    ]
    assert [(record["number"], record["upstream"]) for record in tape.tasks[::2]] == [(1, ()), (2, (1,))]


def test_a_failed_task_holds_back_all_after_it_and_nothing_else() -> None:
    tape = Tape()
    with Flow("x") as drawn:
        bad = broken()
        after = kept(bad)
        last = kept(after)
        other = one()

    state = drawn.perform({}, a_context(tape))

    assert state.is_failed()
    assert not state.is_successful()
    assert state.is_finished()
    assert state.message == "1 of 4 tasks failed: broken"
    assert state.failure is not None
    assert (state.failure.type, state.failure.task) == ("ValueError", "broken")
    assert [state.result[node].name for node in (bad, after, last, other)] == [
        "failed",
        "upstream_failed",
        "upstream_failed",
        "completed",
    ]
    assert str(state.result[bad].result) == "bad"
    assert state.result[after].is_failed()
    assert state.result[last].message == "kept did not complete"
    held_back = [record for record in tape.tasks if record["state"] == "upstream_failed"]
    assert [(record["number"], record["upstream"]) for record in held_back] == [(2, (1,)), (3, (2,))]


def test_a_flow_with_one_task_or_none_says_so() -> None:
    with Flow("x") as drawn:
        broken()
    with Flow("y") as single:
        one()

    assert drawn.run().message == "1 of 1 task failed: broken"
    assert single.run().message == "1 task completed"
    assert Flow("z").run().message == "the flow has no tasks"


def test_a_flow_can_run_again_and_numbers_its_tasks_anew() -> None:
    with Flow("x") as drawn:
        node = one()

    for _ in range(2):
        tape = Tape()
        state = drawn.perform({}, a_context(tape))
        assert state.result[node].result == 1
        assert tape.tasks[0]["number"] == 1


def test_an_async_task_runs_in_a_graph() -> None:
    @task
    async def fetched(number: int) -> int:
        return number + 1

    with Flow("x") as drawn:
        node = fetched(one())

    assert drawn.run().result[node].result == 2


def test_parameters_are_given_as_a_dict_by_name_or_by_default() -> None:
    with Flow("x") as drawn:
        p = Parameter("p")
        q = Parameter("q", 10)
        node = total([p, q])

    assert drawn.run({"p": 1}).result[node].result == 11
    assert drawn.run(p=2, q=3).result[node].result == 5
    assert drawn.run(parameters={"p": 1}, q=1).result[p].result == 1


def test_a_parameter_made_before_the_flow_belongs_to_it_once_used() -> None:
    p = Parameter("p", required=False)
    with Flow("x") as drawn:
        node = kept([p])

    assert drawn.run().result[node].result == [None]


def test_a_parameter_as_a_plain_argument_is_filled_in() -> None:
    with Flow("x") as drawn:
        node = kept(Parameter("p", default=5))

    assert drawn.run().result[node].result == 5


def test_missing_and_unknown_parameters_are_named() -> None:
    with Flow("x") as drawn:
        Parameter("day")
        Parameter("region", default="kr")

    with pytest.raises(
        ValueError, match=r"flow 'x': missing 'day'; unknown 'dya' \(it takes 'day', 'region'\)"
    ) as e:
        drawn.run(dya=1)

    assert isinstance(e.value, BadParameters)


def test_a_flow_without_parameters_says_that_it_takes_none() -> None:
    with pytest.raises(ValueError, match=r"unknown 'p' \(it takes none\)"):
        Flow("x").run(p=1)


def test_two_parameters_of_one_name_are_refused() -> None:
    with Flow("x"):
        Parameter("p")

        with pytest.raises(ValueError, match="flow 'x' has two parameters named 'p'"):
            Parameter("p")


@pytest.mark.parametrize("name", ["", None])
def test_a_parameter_needs_a_name(name: Any) -> None:
    with pytest.raises(TypeError, match="a parameter needs a name"):
        Parameter(name)


def test_a_required_parameter_has_no_default() -> None:
    with pytest.raises(ValueError, match="'p' is required; a default would never be used"):
        Parameter("p", default=1, required=True)


def test_running_inside_the_block_is_refused() -> None:
    with Flow("x") as drawn, pytest.raises(RuntimeError, match="cannot run inside `with Flow"):
        drawn.run()


def test_a_graph_within_a_running_flow_is_recorded_there() -> None:
    tape = Tape()
    with Flow("inner") as inner:
        node = kept(1)

    @flow
    def outer() -> int:
        one()
        return int(inner.run().result[node].result)

    outcome = run(outer, tape=tape)

    assert outcome.result == "1"
    assert tape.messages() == ["inner: completed: 1 task completed"]
    assert [(one["number"], one["within"], one["name"], one["state"]) for one in tape.tasks] == [
        (1, None, "one", "running"),
        (1, None, "one", "completed"),
        (2, None, "inner", "running"),
        (1_000_001, 2, "kept", "running"),
        (1_000_001, 2, "kept", "completed"),
        (2, None, "inner", "completed"),
    ]


@pytest.mark.parametrize("name", ["", " ", None, 5])
def test_a_flow_needs_a_name(name: Any) -> None:
    with pytest.raises(TypeError, match="a flow needs a name"):
        Flow(name)


@pytest.mark.parametrize(
    ("timeout", "said"), [(0, "more than 0"), (-1, "0 or more"), (float("inf"), "finite")]
)
def test_a_limit_that_is_none_is_refused(timeout: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Flow("x", timeout_seconds=timeout)


def test_a_state_shows_its_message() -> None:
    with Flow("x") as drawn:
        node = one()
    state = drawn.run()

    assert repr(state) == '<Success: "1 task completed">'
    assert repr(state.result[node]) == '<Success: "">'
    assert state.is_completed()


def test_variables_are_ours_and_an_environment_that_is_none_is_prefect_s() -> None:
    ours, old = Flow("a", environment={"A": "1"}), Flow("b", environment=object())

    assert ours.surroundings == {"environment": {"A": "1"}}
    assert old.surroundings == {}
