"""Flows within flows: what is told of their child runs, and what another attempt does not call again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from schedulerd import Flow, Parameter, flow, get_run_context, runtime, task
from schedulerd.authoring.execution import execute
from schedulerd.authoring.keeping import Keeper, call_parts
from schedulerd.authoring.known import Known
from schedulerd.authoring.running import Cancelled
from schedulerd.states import Paused, State
from tests.unit.authoring.tape import Tape, Ticks, run

calls: list[str] = []


@task
def note(what: str) -> str:
    calls.append(what)
    return what


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


def told(tape: Tape) -> list[tuple[str, str]]:
    return [(record.flow, record.task.state) for record in tape.flows]


def within(*, raising: BaseException | None = None, value: Any = 5) -> tuple[Tape, Any]:
    """A flow that calls another, which ends so."""
    tape = Tape()

    @flow
    def inner(number: int = 1) -> Any:
        if raising is not None:
            raise raising
        return value

    @flow
    def outer() -> Any:
        return inner(7, return_state=True).name

    return tape, run(outer, tape=tape)


def test_a_child_run_is_told_with_its_parameters_once() -> None:
    tape, _ = within()

    begun, ended = tape.flows
    assert told(tape) == [("inner", "running"), ("inner", "completed")]
    assert (begun.parameters, ended.parameters) == ({"number": 7}, {})
    assert begun.id == ended.id
    assert UUID(begun.id).version == 7
    assert ended.task.result == "5"


def test_what_a_child_run_fails_with_is_told() -> None:
    tape, outcome = within(raising=ValueError("no"))

    assert told(tape)[-1] == ("inner", "failed")
    assert tape.flows[-1].task.message == "ValueError: no"
    assert outcome.state == "completed"


@pytest.mark.parametrize(
    ("error", "state", "message"),
    [
        (Cancelled(), "cancelled", "cancelled"),
        (SystemExit(3), "failed", "the flow called sys.exit(3)"),
        (SystemExit(0), "completed", "sys.exit(0)"),
    ],
)
def test_what_ends_the_whole_run_ends_the_child_run_too(
    error: BaseException, state: str, message: str
) -> None:
    tape, _ = within(raising=error)

    assert told(tape)[-1] == ("inner", state)
    assert tape.flows[-1].task.message == message


def test_a_child_run_has_an_end_whatever_state_its_flow_returns() -> None:
    tape, _ = within(value=Paused())

    assert told(tape)[-1] == ("inner", "failed")
    assert "paused" in tape.flows[-1].task.message


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (1, 1),
        ("kr", "kr"),
        (["kr", {"a": 1}], ["kr", {"a": 1}]),
        ({1, 2}, "{1, 2}"),
        ("x" * 257, "x" * 257),
    ],
)
def test_parameters_are_told_as_json_where_they_are(given: object, shown: object) -> None:
    tape = Tape()

    @flow
    def inner(value: Any) -> None:
        pass

    @flow
    def outer() -> None:
        inner(given)

    run(outer, tape=tape)

    assert tape.flows[0].parameters == {"value": shown}


def test_of_a_large_parameter_the_beginning_is_told() -> None:
    tape = Tape()

    @flow
    def inner(rows: list[int]) -> None:
        pass

    @flow
    def outer() -> None:
        inner(list(range(100_000)))

    run(outer, tape=tape)

    shown = tape.flows[0].parameters["rows"]
    assert shown.startswith("[0, 1, 2")
    assert len(shown) < 2_000


def test_a_task_that_calls_a_flow_is_not_the_task_of_what_that_does() -> None:
    tape, seen = Tape(), []

    @flow
    def inner() -> None:
        seen.append((type(get_run_context()).__name__, runtime.task_run.name))

    @task
    def calling() -> None:
        inner()
        seen.append((type(get_run_context()).__name__, runtime.task_run.name))

    @flow
    def outer() -> None:
        calling()

    run(outer, tape=tape)

    assert seen == [("FlowRunContext", None), ("TaskRunContext", "calling")]


def test_a_graph_that_runs_within_a_flow_is_a_child_run_too() -> None:
    tape = Tape()
    with Flow("drawn") as drawn:
        note(Parameter("what"))

    @flow
    def outer() -> bool:
        return bool(drawn.run(what="x").is_successful())

    assert run(outer, tape=tape).result == "true"

    assert told(tape) == [("drawn", "running"), ("drawn", "completed")]
    assert tape.flows[0].parameters == {"what": "x"}
    assert tape.flows[1].task.result == '"x"'


def test_a_graph_that_cannot_run_within_a_flow_is_told_of_nowhere() -> None:
    tape = Tape()
    with Flow("drawn") as drawn:
        note(Parameter("what"))

    @flow
    def outer() -> None:
        drawn.run(wrong=1)

    assert run(outer, tape=tape).state == "failed"
    assert tape.flows == []


def failing_once() -> Callable[[str], str]:
    """A flow that calls a task, and fails the first time."""
    tries: list[int] = []

    @flow
    def shaky(what: str) -> str:
        said = note(what)
        tries.append(1)
        if len(tries) < 2:
            raise ValueError("not yet")
        return str(said)

    return shaky


def test_a_flow_that_is_tried_again_in_plain_python_calls_again_only_what_failed() -> None:
    shaky = failing_once()

    @flow
    def sound(what: str) -> str:
        return str(note(what))

    @flow(retries=1)
    def outer() -> list[str]:
        return [sound("a"), shaky("b"), sound("c")]

    assert outer() == ["a", "b", "c"]

    assert calls == ["a", "b", "c"]


def test_the_next_attempt_is_given_what_calls_came_to_that_completed(tmp_path: Any) -> None:
    shaky = failing_once()

    @flow
    def sound(what: str, more: str = "") -> list[str]:
        return [note(what)]

    @flow
    def outer() -> Any:
        return [sound("a"), shaky("b"), sound("c")]

    first, second = Tape(), Tape()
    first.keeper = second.keeper = keeper = Keeper(tmp_path, limit=1_000_000)
    assert execute(outer, {}, first, now=Ticks(), known=Known.of_earlier([], keeper)).state == "failed"
    values = [kept(one) for one in first.tasks if one["kept"] is not None]
    outcome = execute(outer, {}, second, now=Ticks(), known=Known.of_earlier(values, keeper))

    assert outcome.result == '[["a"], "b", ["c"]]'
    assert calls == ["a", "b", "c"]
    assert [(one.flow, one.id is None, one.task.state) for one in second.flows] == [
        ("sound", True, "completed"),
        ("shaky", False, "running"),
        ("shaky", False, "completed"),
        ("sound", False, "running"),
        ("sound", False, "completed"),
    ]
    assert second.flows[0].task.message == "completed in an earlier attempt"
    assert (second.flows[0].task.began_at, second.flows[0].task.at) == (12, 34)
    assert {call_parts(one["call"])[2] for one in values} == {
        "sound/",
        "sound/0/note",
        "shaky/0/note",
    }


def kept(record: dict[str, Any]) -> dict[str, str]:
    """As the daemon tells it to the next attempt."""
    from base64 import b64encode

    value = record["kept"]
    content = value.content or (record["result"] or "null").encode()
    return {
        "call": record["call"],
        "kind": value.kind,
        "content": b64encode(content).decode(),
        "began": "12",
        "ended": "34",
    }


def test_a_state_can_be_asked_of_a_call_that_is_known() -> None:
    states: list[State] = []

    @flow
    def inner() -> int:
        return 1

    @flow(retries=1)
    def outer() -> None:
        states.append(inner(return_state=True))
        if len(states) < 2:
            raise ValueError

    outer()

    assert [state.is_completed() for state in states] == [True, True]
    assert states[1].result() == 1
