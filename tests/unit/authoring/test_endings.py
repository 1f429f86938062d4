"""Hooks for the end of a run that the daemon has called after it, and those that a flow calls itself."""

from typing import Any

import pytest

from schedulerd import Flow, flow, task
from schedulerd.authoring.context import Facts, FlowContext
from schedulerd.authoring.endings import Ending, calls_at_end
from schedulerd.authoring.execution import execute
from schedulerd.authoring.graph_states import Failed as GraphFailed
from schedulerd.authoring.graph_states import Success
from tests.unit.authoring.tape import Tape, run

Called = list[tuple[Any, ...]]
ALL_ENDS = {"completed", "failed", "timed_out", "crashed", "cancelled"}
A_SECOND = 1_000_000


@task
def one() -> int:
    return 1


@task
def broken() -> None:
    raise ValueError("no rows")


def called_at_end(flow: Any, ending: Ending, parameters: dict[str, Any] | None = None) -> Tape:
    tape = Tape()
    context = FlowContext("x", tape, now=lambda: 9 * A_SECOND, facts=Facts(id="a", name="x#7", attempt=2))
    for call in calls_at_end(flow, ending, parameters or {}, context):
        call.make(context)
    return tape


def ending(word: str, **changes: Any) -> Ending:
    return Ending(word, **{"at": 5 * A_SECOND, "started_at": 2 * A_SECOND, **changes})


def test_a_flow_says_for_which_ends_it_has_hooks() -> None:
    def hook(*_: Any) -> None: ...

    assert flow(on_failure=[hook])(one.fn).hooked_ends() == {"failed", "timed_out"}
    assert flow(on_running=[hook])(one.fn).hooked_ends() == set()
    assert flow(on_crashed=hook, on_completion=hook)(one.fn).hooked_ends() == {"crashed", "completed"}
    assert flow(one.fn).hooked_ends() == set()
    assert Flow("x").hooked_ends() == set()
    assert Flow("x", on_failure=hook).hooked_ends() == {"failed", "timed_out", "crashed"}
    assert Flow("x", state_handlers=[hook]).hooked_ends() == ALL_ENDS


def test_under_the_daemon_a_run_leaves_those_hooks_to_it_and_calls_the_others() -> None:
    called: Called = []

    def note(name: str) -> list[Any]:
        return [lambda flow, flow_run, state: called.append((name, state.name))]

    @flow(name="x", on_running=note("running"), on_completion=note("completion"), on_failure=note("failure"))
    def fine() -> int:
        return 1

    execute(fine, {}, Tape(), facts=Facts(id="a", hooks_after=["completed", "failed", "timed_out"]))
    assert called == [("running", "Running")]

    execute(fine, {}, Tape(), facts=Facts(id="b", hooks_after=["failed"]))
    assert called[1:] == [("running", "Running"), ("completion", "Completed")]


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("completed", "Completed"),
        ("failed", "Failed"),
        ("timed_out", "TimedOut"),
        ("cancelled", "Cancelled"),
        ("crashed", "Crashed"),
    ],
)
def test_a_hook_after_the_run_is_given_what_one_within_it_would_be(word: str, name: str) -> None:
    called: Called = []

    def note(flow: Any, flow_run: Any, state: Any) -> None:
        called.append(
            (flow.name, flow_run.name, flow_run.run_count, flow_run.parameters, state.name, state.message)
        )
        assert flow_run.start_time.timestamp() == 2
        assert state.timestamp.timestamp() == 5

    names = ("on_completion", "on_failure", "on_cancellation", "on_crashed")

    hooks: dict[str, Any] = dict.fromkeys(names, note)

    @flow(name="x", **hooks)
    def waits(number: int, *, unit: str = "s") -> None: ...

    called_at_end(waits, ending(word, message="why"), {"number": "3"})

    assert called == [("x", "x#7", 2, {"number": 3}, name, "why")]


def test_the_name_and_the_value_of_the_run_are_told_too() -> None:
    called: Called = []

    @flow(
        name="x",
        flow_run_name="for {number}",
        on_completion=lambda flow, flow_run, state: called.append((flow_run.name, state.result())),
    )
    def named(number: int) -> None: ...

    called_at_end(named, ending("completed", value={"rows": 3}), {"number": 3})

    assert called == [("for 3", {"rows": 3})]


def test_parameters_that_do_not_fit_are_told_as_they_were_given() -> None:
    called: list[Any] = []

    @flow(on_failure=lambda flow, flow_run, state: called.append(flow_run.parameters))
    def typed(number: int) -> None: ...

    called_at_end(typed, ending("failed"), {"number": "many"})

    assert called == [{"number": "many"}]


def test_what_ends_a_graph_is_told_to_its_handlers_and_to_on_failure() -> None:
    called: Called = []

    def handle(flow: Any, old: Any, new: Any) -> None:
        called.append((flow.name, type(old).__name__, type(new).__name__, new.message))

    graph = Flow("g", state_handlers=handle, on_failure=lambda flow, state: called.append((flow.name, state)))

    called_at_end(graph, ending("crashed", message="killed by SIGKILL"))
    called_at_end(graph, ending("cancelled"))

    assert called[0] == ("g", "Running", "Failed", "killed by SIGKILL")
    assert isinstance(called[1][1], GraphFailed)
    assert called[2:] == [("g", "Running", "Cancelled", "")]


# -- the handlers of a graph where it runs ------------------------------------------------------------------------------


def test_the_handlers_of_a_graph_are_called_when_it_begins_and_ends_and_may_change_its_state() -> None:
    called: Called = []

    def excuse(flow: Any, old: Any, new: Any) -> Any:
        called.append((type(old).__name__, type(new).__name__))
        return Success("excused") if new.is_failed() else new

    with Flow("g", state_handlers=[excuse]) as graph:
        node = broken()

    state = graph.run()

    assert called == [("Pending", "Running"), ("Running", "Failed")]
    assert (state.is_successful(), state.message) == (True, "excused")
    assert state.result[node].is_failed()


def test_on_failure_of_a_graph_is_called_when_it_has_failed_and_what_it_raises_changes_nothing() -> None:
    called: list[str] = []

    def tell(flow: Any, state: Any) -> None:
        called.append(f"{flow.name} {state.message}")
        raise KeyError("colour")

    tape = Tape()
    with Flow("g", on_failure=tell) as graph:
        broken()
    outcome = run(graph, tape=tape)
    with Flow("fine", on_failure=tell) as fine:
        one()
    run(fine)

    assert called == ["g 1 of 1 task failed: broken"]
    assert outcome.state == "failed"
    assert any("raised KeyError: 'colour'" in message for message in tape.messages())


def test_a_handler_may_end_a_graph_before_it_begins() -> None:
    with Flow("g", state_handlers=[lambda flow, old, new: GraphFailed("not today")]) as graph:
        one()

    outcome = run(graph)

    assert (outcome.state, outcome.message) == ("failed", "not today")


def test_a_handler_that_raises_fails_the_graph() -> None:
    def handler(flow: Any, old: Any, new: Any) -> None:
        raise KeyError("colour")

    with Flow("g", state_handlers=[handler]) as graph:
        one()

    assert run(graph).message == "a state handler raised KeyError: 'colour'"


def test_under_the_daemon_the_handlers_of_a_graph_are_called_at_its_begin_only() -> None:
    called: Called = []
    with Flow(
        "g",
        state_handlers=[lambda flow, old, new: called.append((type(new).__name__,))],
        on_failure=lambda flow, state: called.append(("failed",)),
    ) as graph:
        broken()

    execute(graph, {}, Tape(), facts=Facts(id="a", hooks_after=sorted(ALL_ENDS)))

    assert called == [("Running",)]


@pytest.mark.parametrize("given", ["mail", [1]])
def test_what_is_no_handler_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match="state_handlers must be a function"):
        Flow("g", state_handlers=given)
    with pytest.raises(TypeError, match="on_failure must be a function"):
        Flow("g", on_failure=3)  # type: ignore[arg-type]
