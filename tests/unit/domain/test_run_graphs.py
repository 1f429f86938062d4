"""The graph of a run."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.graph import topological_order
from schedulerd.domain.run_graphs import MOST_EDGES, MOST_NODES, Plan, RunGraph, run_graph
from schedulerd.domain.states import TaskState
from schedulerd.domain.tasks import TaskRun

DONE, GOING, FAILED = TaskState.COMPLETED, TaskState.RUNNING, TaskState.FAILED


def a_task(
    number: int, name: str, *upstream: int, state: TaskState = DONE, index: int | None = None
) -> TaskRun:
    return TaskRun(number=number, name=name, state=state, upstream=upstream, map_index=index)


def named(graph: RunGraph) -> list[tuple[str, str]]:
    """The edges by the names of their ends."""
    return [(graph.nodes[a].name, graph.nodes[b].name) for a, b in graph.edges]


def test_a_task_run_is_a_node_and_comes_after_those_that_it_names() -> None:
    graph = run_graph([a_task(1, "extract"), a_task(2, "check", 1), a_task(3, "load", 1, 2, state=GOING)])

    assert [(node.name, node.task, node.state) for node in graph.nodes] == [
        ("extract", 1, DONE),
        ("check", 2, DONE),
        ("load", 3, GOING),
    ]
    assert named(graph) == [("extract", "check"), ("extract", "load"), ("check", "load")]


def test_the_runs_of_a_mapped_task_are_one_node_that_counts_them_and_tells_the_worst() -> None:
    states = [DONE] * 17 + [GOING] * 22 + [FAILED]
    mapped = [a_task(n, "load", 1, index=n, state=state) for n, state in enumerate(states, 2)]

    graph = run_graph([a_task(1, "extract"), *mapped, a_task(99, "report", *range(2, 42))])

    node = graph.nodes[1]
    assert (node.is_group, node.done, node.total, node.state) == (True, 18, 40, FAILED)
    assert dict(node.counts) == {FAILED: 1, GOING: 22, DONE: 17}
    assert named(graph) == [("extract", "load"), ("load", "report")]


def test_one_mapped_task_after_another_of_the_same_name_is_a_node_of_its_own() -> None:
    graph = run_graph(
        [a_task(1, "load", index=0), a_task(2, "load", index=1), a_task(3, "load", 1, 2, index=0)]
    )

    assert [node.total for node in graph.nodes] == [2, 1]
    assert named(graph) == [("load", "load")]


def test_of_a_great_many_tasks_those_of_one_name_are_one_node() -> None:
    many = [
        task for n in range(500) for task in (a_task(2 * n + 1, "get"), a_task(2 * n + 2, "put", 2 * n + 1))
    ]

    graph = run_graph(many)

    assert [(node.name, node.total, node.is_group) for node in graph.nodes] == [
        ("get", 500, True),
        ("put", 500, True),
    ]
    assert named(graph) == [("get", "put")]


def test_no_more_is_drawn_than_one_can_look_at_and_it_says_how_much_that_is_not() -> None:
    long = run_graph([a_task(1, "step1"), *(a_task(n, f"step{n}", n - 1) for n in range(2, 1_001))])
    dense = run_graph(
        [
            *(a_task(n, f"a{n}") for n in range(1, 61)),
            *(a_task(n, f"b{n}", *range(1, 61)) for n in range(61, 121)),
        ]
    )

    assert (len(long.nodes), long.left_out, len(long.edges)) == (MOST_NODES, 600, MOST_NODES - 1)
    assert long.nodes[0].name == "step1"
    assert (len(dense.edges), dense.edges_left_out) == (MOST_EDGES, 60 * 60 - MOST_EDGES)


def test_what_was_before_in_another_attempt_or_elsewhere_is_no_edge() -> None:
    graph = run_graph([a_task(2, "first", 5, 77), a_task(5, "second")])

    assert graph.edges == ()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.lists(st.integers(1, 30)), st.booleans()), max_size=30))
def test_there_is_always_an_order_in_which_the_nodes_can_run_and_each_task_run_is_counted_once(
    told: list[tuple[str, list[int], bool]],
) -> None:
    index = count()
    tasks = [
        a_task(number, name, *upstream, index=next(index) if is_mapped else None)
        for number, (name, upstream, is_mapped) in enumerate(told, 1)
    ]

    graph = run_graph(tasks)

    assert len(topological_order(len(graph.nodes), graph.edges)) == len(graph.nodes)
    assert sum(node.total for node in graph.nodes) == len(tasks)
    assert len({node.key for node in graph.nodes}) == len(graph.nodes)


# -- by a plan ----------------------------------------------------------------------------------------------------

DIAMOND = Plan(names=("start", "same", "same", "end"), edges=((0, 1), (0, 2), (1, 2), (2, 3)))


def test_what_a_flow_has_yet_to_do_is_drawn_and_stays_where_it_is_when_it_begins() -> None:
    before = run_graph([a_task(1, "start", state=GOING)], DIAMOND)
    after = run_graph([a_task(1, "start"), a_task(2, "same", 1)], DIAMOND)

    assert [node.state for node in before.nodes] == [GOING, None, None, None]
    assert [node.state for node in after.nodes] == [DONE, DONE, None, None]
    assert [node.key for node in before.nodes] == [node.key for node in after.nodes]
    assert before.edges == after.edges == DIAMOND.edges


def test_tasks_of_the_same_name_are_told_apart_by_what_they_came_after() -> None:
    tasks = [a_task(1, "start"), a_task(2, "same", 1), a_task(3, "same", 1, 2, state=FAILED)]

    graph = run_graph(tasks, DIAMOND)

    assert [node.task for node in graph.nodes] == [1, 2, 3, None]


def test_all_of_a_mapped_task_are_of_its_node_also_where_more_are_before_than_are_recorded() -> None:
    plan = Plan(names=("one", "each", "all"), edges=((0, 1), (1, 2)))
    each = [a_task(n, "each", 1, index=n - 2) for n in range(2, 1_502)]
    tasks = [a_task(1, "one"), *each, a_task(2_000, "all", *range(2, 1_002))]

    graph = run_graph(tasks, plan)

    assert [(node.total, node.is_group) for node in graph.nodes] == [(1, False), (1_500, True), (1, False)]


def test_two_mapped_nodes_that_are_alike_share_their_task_runs_by_index() -> None:
    plan = Plan(names=("each", "each"), edges=())
    tasks = [a_task(n, "each", index=n % 2) for n in range(1, 5)]

    graph = run_graph(tasks, plan)

    assert [node.total for node in graph.nodes] == [2, 2]


def test_where_a_task_run_is_of_no_node_the_task_runs_alone_are_drawn() -> None:
    graph = run_graph([a_task(1, "start"), a_task(2, "named otherwise", 1)], DIAMOND)

    assert named(graph) == [("start", "named otherwise")]
