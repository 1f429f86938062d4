"""What a run of either style records of which task came after which, as its graph is drawn by it."""

from schedulerd import flow, task, unmapped
from schedulerd.authoring.graphs import Flow
from schedulerd.domain.run_graphs import Plan, RunGraph, run_graph
from schedulerd.domain.states import TaskState
from schedulerd.domain.tasks import TaskRun
from tests.unit.authoring.tape import Tape, a_context, run


@task
def numbers() -> list[int]:
    return [1, 2, 3]


@task
def doubled(number: int, by: int = 2) -> int:
    return number * by


@task
def total(values: list[int]) -> int:
    return sum(values)


@task
def said() -> None:
    """Only waited for."""


def graph_of(tape: Tape, plan: Plan | None = None) -> RunGraph:
    """The graph of what was recorded, as the store has it."""
    last = {record["number"]: record for record in tape.tasks}
    tasks = [
        TaskRun(
            number=number,
            name=one["name"],
            state=TaskState(one["state"]),
            upstream=one["upstream"],
            map_index=one["map_index"],
        )
        for number, one in sorted(last.items())
    ]
    return run_graph(tasks, plan)


def edges(graph: RunGraph) -> set[tuple[str, str]]:
    return {(graph.nodes[a].name, graph.nodes[b].name) for a, b in graph.edges}


def test_a_function_records_the_futures_that_a_task_is_given_or_waits_for() -> None:
    @flow
    def works() -> int:
        found = numbers.submit()
        each = doubled.map(found, unmapped(2))
        done = said.submit(wait_for=[each])
        return int(total.submit(each, wait_for=[done]).result())

    tape = Tape()

    assert run(works, tape=tape).result == "12"
    graph = graph_of(tape)
    assert edges(graph) == {
        ("numbers", "doubled"),
        ("doubled", "said"),
        ("doubled", "total"),
        ("said", "total"),
    }
    assert {node.name: node.total for node in graph.nodes} == {
        "numbers": 1,
        "doubled": 3,
        "said": 1,
        "total": 1,
    }


def test_a_graph_records_what_it_was_drawn_with_and_each_task_run_is_found_at_its_node() -> None:
    with Flow("drawn") as drawn:
        each = doubled.map(numbers(), unmapped(2))
        end = total(each)
        again = doubled(end)
        again.set_upstream(said())
    plan = Plan(names=tuple(node.name for node in drawn.nodes), edges=tuple(drawn.edges))
    tape = Tape()

    drawn.perform({}, a_context(tape))

    graph = graph_of(tape, plan)
    assert graph.edges == plan.edges
    assert [(node.name, node.total) for node in graph.nodes] == [
        ("numbers", 1),
        ("doubled", 3),
        ("total", 1),
        ("doubled", 1),
        ("said", 1),
    ]
    assert edges(graph_of(tape)) == edges(graph)
