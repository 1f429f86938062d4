"""Hooks of flows and tasks: which are called, with what, and what becomes of one that raises."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from schedulerd import flow, task
from schedulerd.authoring.context import Facts
from schedulerd.authoring.execution import execute
from schedulerd.authoring.outcomes import Cancelled
from schedulerd.states import Completed, Crashed, Failed
from tests.unit.authoring.tape import Tape, run

Called = list[tuple[Any, ...]]


def noting(called: Called) -> dict[str, Any]:
    """A hook for every state of a flow, which notes what it is given."""

    def note(name: str) -> Callable[..., None]:
        return lambda flow, flow_run, state: called.append((name, flow.name, flow_run.flow_name, state.name))

    names = ("on_running", "on_completion", "on_failure", "on_cancellation", "on_crashed")
    return {name: [note(name)] for name in names}


@pytest.mark.parametrize(
    ("returns", "name", "state"),
    [
        (lambda: 1, "on_completion", "Completed"),
        (lambda: 1 / 0, "on_failure", "Failed"),
        (Failed, "on_failure", "Failed"),
        (lambda: Completed(name="Done"), "on_completion", "Done"),
        (Crashed, "on_crashed", "Crashed"),
    ],
)
def test_the_hooks_of_its_state_are_called_with_flow_run_and_state(
    returns: Callable[[], Any], name: str, state: str
) -> None:
    called: Called = []

    run(flow(name="x", **noting(called))(returns))

    assert called == [("on_running", "x", "x", "Running"), (name, "x", "x", state)]


def test_a_cancelled_flow_calls_its_hooks_and_is_cancelled_all_the_same() -> None:
    called: Called = []

    @flow(name="x", **noting(called))
    def cancelled() -> None:
        raise Cancelled

    outcome = run(cancelled)

    assert outcome.state == "cancelled"
    assert [name for name, *_ in called] == ["on_running", "on_cancellation"]


def test_a_failure_that_is_tried_again_calls_no_hook_of_failure() -> None:
    called, attempts = list[tuple[Any, ...]](), list[int]()

    @flow(name="x", retries=1, **noting(called))
    def flaky() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("once")

    flaky()

    assert [name for name, *_ in called] == ["on_running", "on_completion"]


def test_under_the_daemon_only_the_last_attempt_calls_the_hooks_of_failure() -> None:
    called: Called = []

    @flow(name="x", retries=1, **noting(called))
    def fails() -> None:
        raise ValueError("x")

    for attempt in (1, 2):
        execute(fails, {}, Tape(), facts=Facts(id="a", attempt=attempt))

    assert [name for name, *_ in called] == ["on_running", "on_running", "on_failure"]


def test_a_hook_that_raises_is_told_of_and_changes_nothing() -> None:
    called: list[str] = []

    def broken(*_: Any) -> None:
        raise KeyError("colour")

    tape = Tape()

    @flow(on_completion=[broken, lambda *_: called.append("second")])
    def fine() -> int:
        return 1

    outcome = run(fine, tape=tape)

    assert outcome.state == "completed"
    assert called == ["second"]
    (message,) = tape.messages()
    assert message.startswith("hook broken (")
    assert message.endswith(" raised KeyError: 'colour'")
    assert __file__ in message


def test_hooks_are_registered_as_decorators_too() -> None:
    called: list[str] = []

    @task
    def works() -> int:
        return 1

    @flow
    def uses() -> int:
        return int(works())

    @works.on_completion
    def of_task(task: Any, task_run: Any, state: Any) -> None:
        called.append(f"{task.name} {task_run.run_count} {state.result()}")

    @uses.on_completion
    def of_flow(flow: Any, flow_run: Any, state: Any) -> None:
        called.append(f"{flow.name} {flow_run.run_count} {state.result()}")

    uses()

    assert called == ["works 1 1", "uses 1 1"]


def test_hooks_of_tasks_are_called_at_each_attempt_and_at_the_end() -> None:
    called: list[str] = []

    def note(name: str) -> list[Callable[..., None]]:
        return [lambda task, task_run, state: called.append(f"{name} {task_run.run_count} {state.name}")]

    @task(retries=1, on_running=note("running"), on_failure=note("failure"), on_completion=note("completion"))
    def fails() -> None:
        raise ValueError("x")

    @flow
    def uses() -> None:
        fails(return_state=True)

    uses()

    assert called == ["running 1 Running", "running 2 Running", "failure 2 Failed"]


def test_hooks_may_be_async_in_either_kind_of_flow() -> None:
    called: list[str] = []

    async def note(flow: Any, flow_run: Any, state: Any) -> None:
        await asyncio.sleep(0)
        called.append(flow.name)

    @flow(on_completion=note)
    def synchronous() -> None: ...

    @flow(on_completion=note)
    async def asynchronous() -> None: ...

    synchronous()
    asyncio.run(asynchronous())

    assert called == ["synchronous", "asynchronous"]


@pytest.mark.parametrize("given", ["mail", [1], [len, None]])
def test_what_is_no_hook_is_refused_where_it_is_given(given: Any) -> None:
    with pytest.raises(TypeError, match="on_completion must be a list of functions"):
        flow(on_completion=given)(len)
    with pytest.raises(TypeError, match="on_completion must be a list of functions"):
        task(on_completion=given)(len)


def test_a_task_with_hooks_whose_arguments_do_not_fit_fails_as_any_other_does() -> None:
    called: list[Any] = []

    def note(task: Any, task_run: Any, state: Any) -> None:
        called.append((state.name, task_run.parameters))

    @task(on_running=[note], on_failure=[note])
    def needs(one: int) -> None: ...

    @flow
    def uses() -> str:
        return str(needs(return_state=True).name)

    tape = Tape()
    assert run(uses, tape=tape).result == '"Failed"'
    assert "missing 1 required positional argument" in tape.tasks[-1]["failure"].message
    assert called == [("Running", {}), ("Failed", {})]


@pytest.mark.parametrize(
    ("made", "called"), [(Completed(data=5), ["Completed"]), (Failed(message="no rows"), ["Failed"])]
)
def test_a_state_that_a_task_made_calls_its_hooks(made: Any, called: list[str]) -> None:
    heard: list[str] = []

    def note(task: Any, task_run: Any, state: Any) -> None:
        heard.append(state.name)

    @task(on_completion=[note], on_failure=[note])
    def decides() -> Any:
        return made

    run(flow(name="x")(lambda: str(decides(return_state=True))))

    assert heard == called
