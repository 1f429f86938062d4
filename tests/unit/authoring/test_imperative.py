"""Flows put together call by call, and asked about their tasks (graph style, ranks 1, 3 and 16)."""

from pathlib import Path
from typing import Any

import pytest

from schedulerd import Flow, Parameter, task, unmapped
from schedulerd.core import Edge
from schedulerd.core.parameter import DateTimeParameter
from tests.unit.authoring.tape import a_context


@task
def one() -> int:
    return 1


@task
def kept(value: Any, more: Any = None) -> Any:
    return value


@task(tags=["slow"], slug="sum")
def total(numbers: Any) -> Any:
    return sum(numbers)


@task
def broken() -> None:
    raise ValueError("bad")


def test_tasks_and_edges_are_added_one_by_one() -> None:
    flow = Flow("x")
    flow.add_task(one)
    edge = flow.add_edge(one, kept, key="value")

    state = flow.run()

    assert state.result[kept].result == 1
    assert (edge.upstream_task, edge.downstream_task, edge.key, edge.mapped) == (one, kept, "value", False)
    assert edge == Edge(one, kept, "value")


def test_an_edge_maps_and_flattens() -> None:
    flow = Flow("x")
    numbers, lists = task(lambda: [1, 2]), task(lambda: [[1], [2, 3]])
    flow.add_edge(numbers, kept, key="value", mapped=True)
    flow.add_edge(lists, total, key="numbers", flattened=True)

    result = flow.run().result
    assert (result[kept].result, result[total].result) == ([1, 2], 6)


def test_a_flow_is_made_of_tasks_edges_and_reference_tasks() -> None:
    flow = Flow("x", tasks=[one, broken], edges=[Edge(one, kept, "value")], reference_tasks=[kept])

    state = flow.run()

    assert state.is_successful()
    assert state.result[broken].is_failed()


def test_a_chain_runs_in_its_order() -> None:
    flow = Flow("x")
    edges = flow.chain(broken, one, total)

    assert [(edge.upstream_task, edge.downstream_task) for edge in edges] == [(broken, one), (one, total)]
    assert [node.name for node in flow.sorted_tasks()] == ["broken", "one", "total"]


def test_a_circle_is_refused_where_it_is_closed() -> None:
    flow = Flow("x")
    flow.chain(one, total)

    with pytest.raises(ValueError, match="go in a circle: total → one → total"):
        flow.add_edge(total, one)


def test_dependencies_are_set_on_the_flow_on_tasks_and_on_nodes() -> None:
    flow = Flow("x")
    flow.set_dependencies(total, upstream_tasks=[broken], keyword_tasks={"numbers": [one, one]})
    kept.set_dependencies(flow=flow, keyword_tasks={"value": total}, downstream_tasks=[task(len, name="len")])
    with flow:
        node = kept(2)
        node.set_dependencies(upstream_tasks=[one], keyword_tasks={"more": 3})

    assert {node.name for node in flow.upstream_tasks(total)} == {"broken", "one"}
    assert node.kwargs["more"] == 3
    assert {one.name for one in flow.downstream_tasks(one)} == {"total", "kept"}


def test_set_upstream_may_name_the_argument_and_map() -> None:
    with Flow("x") as flow:
        numbers = kept([1, 2])
        node = kept(more=0)
        node.set_upstream(numbers, key="value", mapped=True)
        last = total()
        numbers.set_downstream(last, key="numbers")
        kept.set_upstream(numbers, key="value")

    result = flow.run().result
    assert (result[node].result, result[last].result, result[flow.add(kept)].result) == ([1, 2], 3, [1, 2])


def test_bind_gives_arguments_to_the_task_itself() -> None:
    flow = Flow("x")
    assert kept.bind(one, more=5, flow=flow) is kept
    mapped = task(lambda value: value + 1, name="mapped")
    mapped.bind([1, 2], mapped=True, upstream_tasks=[unmapped(one)], flow=flow)

    result = flow.run().result
    assert (result[kept].result, result[mapped].result) == (1, [2, 3])


def test_a_call_may_name_its_flow_and_options_of_this_use() -> None:
    flow = Flow("x")
    node = kept(5, flow=flow, task_args={"name": "five", "max_retries": 1, "retry_delay": 2})
    with Flow("y") as other:
        inside = kept(6)
        elsewhere = kept(7, flow=flow)

    assert (node.name, node.task.retries, kept.retries) == ("five", 1, 0)
    assert flow.run().result[node].result == 5
    assert [one.name for one in flow.nodes] == ["five", "kept"]
    assert (other.nodes, elsewhere.flow) == ([inside], flow)


@pytest.mark.parametrize("words", [{"upstream_tasks": [one]}, {"mapped": True}, {"task_args": {"name": "x"}}])
def test_words_of_drawing_outside_a_flow_are_refused(words: Any) -> None:
    with pytest.raises(ValueError, match=r"kept\(\w+\) draws, and stands in no flow here"):
        kept(1, **words)


def test_a_flow_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="flow= must be a Flow, not 'x'"):
        kept(1, flow="x")


def test_a_task_may_have_arguments_of_these_names() -> None:
    @task
    def odd(flow: Any, mapped: Any) -> Any:
        return flow, mapped

    with Flow("x") as drawn:
        node = odd(flow=1, mapped=[2])

    assert drawn.run().result[node].result == (1, [2])
    assert odd(flow=1, mapped=2) == (1, 2)


def test_reference_tasks_decide_the_state() -> None:
    with Flow("x") as flow:
        bad = broken()
        good = one()
    flow.set_reference_tasks([good])

    state = flow.run()

    assert state.is_successful()
    assert state.message == "the reference tasks completed"
    assert flow.reference_tasks() == {good}
    flow.set_reference_tasks([])
    assert flow.reference_tasks() == {good, bad}


def test_a_reference_task_must_stand_in_the_flow() -> None:
    with pytest.raises(ValueError, match="<Task 'one'> does not stand in flow 'x'"):
        Flow("x").set_reference_tasks([one])
    with Flow("x") as flow:
        kept(1), kept(2)
    with pytest.raises(ValueError, match="<Task 'kept'> stands 2 times in flow 'x'"):
        flow.upstream_tasks(kept)


def test_tasks_are_found_by_name_slug_tags_and_type() -> None:
    with Flow("x") as flow:
        parameter = Parameter("p", 1, tags=["given"])
        first = kept(parameter)
        second = total([first])

    assert flow.tasks == {parameter, first, second}
    assert flow.get_tasks(name="kept") == [first]
    assert flow.get_tasks(slug="sum-2") == [second]
    assert flow.get_tasks(tags=["slow"]) == [second]
    assert flow.get_tasks(tags=["given"]) == flow.get_tasks(task_type=Parameter) == [parameter]
    assert flow.get_tasks() == [parameter, first, second]
    assert flow.get_tasks(name="nonesuch") == []
    assert flow.parameters() == {parameter}
    assert (flow.root_tasks(), flow.terminal_tasks()) == ({first}, {second})
    flow.validate()


def test_a_task_is_replaced_where_it_stands() -> None:
    with Flow("x") as flow:
        node = kept(broken())
    flow.replace(broken, one)

    assert flow.run().result[node].result == 1
    with pytest.raises(TypeError, match="a task is replaced by a task, not by 5"):
        flow.replace(one, 5)


def test_a_flow_takes_over_another() -> None:
    with Flow("inner") as inner:
        parameter = Parameter("p", default=[1, 2])
        mapped = kept.map(parameter, unmapped({"n": one()}))
        inner_total = total(mapped)
    with Flow("outer") as outer:
        Parameter("q", default=1)
        kept(0)
    outer.update(inner)

    state = outer.run(p=[5, 6])

    assert state.is_successful()
    assert state.result[outer.get_tasks(name="total")[0]].result == 11
    assert inner.run().result[inner_total].result == 3


def test_parameters_of_one_name_are_made_one_only_where_that_is_wanted() -> None:
    with Flow("inner") as inner:
        kept(Parameter("p"))
    with Flow("outer") as outer:
        kept(Parameter("p"))

    with pytest.raises(ValueError, match="two parameters named 'p'"):
        outer.update(inner)
    with pytest.raises(ValueError, match="cannot be added to itself"):
        outer.update(outer)
    with Flow("third") as third:
        kept(Parameter("p"))
    third.update(inner, merge_parameters=True)
    assert [state.result for state in map(third.run(p=4).result.get, third.nodes)] == [4, 4]


def test_nothing_comes_before_a_parameter() -> None:
    with Flow("x") as flow:
        parameter = Parameter("p", 1)
        with pytest.raises(TypeError, match="is an input of the flow: nothing comes before it"):
            flow.link(one, parameter)
        with pytest.raises(TypeError, match="is an input of the flow: it depends on nothing"):
            flow.set_dependencies(parameter)


def test_a_moment_may_be_given_as_text() -> None:
    with Flow("x") as flow:
        node = kept(DateTimeParameter("at", required=False))

    assert flow.run(at="2026-11-27T09:00").result[node].result.isoformat() == "2026-11-27T09:00:00"
    assert flow.run().result[node].result is None
    with pytest.raises(ValueError, match="Invalid isoformat string: 'noon'"):
        flow.run(at="noon")


def test_options_of_prefect_1_that_mean_nothing_here_are_taken() -> None:
    flow = Flow("x", None, None, run_config=object(), storage=object(), environment=object(), validate=True)

    assert flow.run().is_successful()
    with pytest.raises(TypeError, match="does not know executer"):
        Flow("x", executer=1)


def test_a_flow_registers_by_saying_that_it_need_not() -> None:
    assert Flow("x").register(project_name="p", labels=["a"]) == "x"


def test_a_graph_is_drawn_as_text_where_graphviz_is_not_installed(tmp_path: Path) -> None:
    with Flow('a "graph"') as flow:
        bad = broken()
        kept.map(bad)
    state = flow.perform({}, a_context())

    from schedulerd.authoring.visualizing import dot

    assert dot(flow) == (
        'digraph "a \\"graph\\"" {\n  n0 [label="broken"]\n'
        '  n1 [label="kept <map>", shape=box]\n  n0 -> n1\n}\n'
    )
    assert 'fillcolor="#eb0000"' in dot(flow, state)
    if isinstance(flow.visualize(), str):
        written = flow.visualize(filename=str(tmp_path / "graph"))
        assert Path(written).read_text() == dot(flow)
