"""How a task runs: attempts, records, and what ends more than the task."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from schedulerd import flow, task
from schedulerd.authoring.context import FlowContext, flow_run, task_run, wait
from schedulerd.authoring.execution import execute
from schedulerd.authoring.recording import Recorder
from schedulerd.authoring.records import TaskRecord
from schedulerd.authoring.running import Cancelled, TaskOutcome, run_task, run_task_async
from schedulerd.authoring.tasks import Task
from tests.unit.authoring.tape import NoRecorder, Tape, a_context
from tests.work import counted


class Flaky:
    """Raises until it has been called often enough."""

    def __init__(self, *, failures: int) -> None:
        self.calls = 0
        self._failures = failures

    def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self._failures:
            raise ConnectionError(f"call {self.calls}")
        return self.calls


def raiser(error: BaseException) -> Callable[[], None]:
    def raises() -> None:
        raise error

    return raises


def flaky_task(flaky: Flaky, **options: Any) -> Task:
    async def fetched() -> int:
        return flaky()

    return Task(fetched, **options)


def test_a_task_that_returns_completes_with_its_value_and_preview() -> None:
    tape = Tape()

    outcome = run_task(Task(len), ([1, 2],), {}, a_context(tape), upstream=(7,))

    assert (outcome.state, outcome.value, outcome.error, outcome.attempts) == ("completed", 2, None, 1)
    assert [(record["state"], record["at"], record["upstream"]) for record in tape.tasks] == [
        ("running", 1, (7,)),
        ("completed", 2, (7,)),
    ]
    assert tape.tasks[-1]["result"] == "2"


def test_a_task_that_raises_fails_with_the_place_in_its_code() -> None:
    tape = Tape()

    outcome = run_task(Task(raiser(ValueError("bad"))), (), {}, a_context(tape))

    assert outcome.state == "failed"
    assert isinstance(outcome.error, ValueError)
    assert outcome.failure is tape.tasks[-1]["failure"]
    assert outcome.failure is not None
    assert (outcome.failure.type, outcome.failure.message, outcome.failure.task) == (
        "ValueError",
        "bad",
        "raises",
    )
    assert outcome.failure.file == __file__


def test_arguments_that_do_not_fit_are_placed_at_the_function() -> None:
    @task
    def needs(one: int) -> None: ...

    outcome = run_task(needs, (), {}, a_context())

    assert outcome.failure is not None
    assert outcome.failure.file == __file__
    assert outcome.failure.line == needs.fn.__code__.co_firstlineno + 1
    assert "missing 1 required positional argument: 'one'" in outcome.failure.message


def test_a_task_is_tried_again_after_its_delays() -> None:
    tape, pauses = Tape(), list[float]()
    flaky = Task(Flaky(failures=2), name="flaky", retries=2, retry_delay_seconds=[1, 10])

    outcome = run_task(flaky, (), {}, a_context(tape, pause=pauses.append))

    assert (outcome.state, outcome.value, outcome.attempts) == ("completed", 3, 3)
    assert pauses == [1.0, 10.0]
    assert [(record["state"], record["attempt"], record["message"]) for record in tape.tasks] == [
        ("running", 1, ""),
        ("retrying", 1, "retry 1 of 2 in 1 s"),
        ("running", 2, ""),
        ("retrying", 2, "retry 2 of 2 in 10 s"),
        ("running", 3, ""),
        ("completed", 3, ""),
    ]
    assert tape.tasks[1]["failure"].message == "call 1"
    assert {record["number"] for record in tape.tasks} == {1}


def test_a_task_without_retries_left_fails_with_its_last_error() -> None:
    tape = Tape()

    outcome = run_task(Task(Flaky(failures=9), retries=2), (), {}, a_context(tape))

    assert (outcome.state, str(outcome.error), outcome.attempts) == ("failed", "call 3", 3)
    assert tape.tasks[-1]["message"] == "failed 3 times"


def test_an_async_task_is_tried_again_without_holding_the_loop() -> None:
    tape, flaky = Tape(), Flaky(failures=1)
    made = flaky_task(flaky, retries=1)

    outcome = asyncio.run(run_task_async(made, (), {}, a_context(tape)))

    assert (outcome.state, outcome.value) == ("completed", 2)
    assert [record["state"] for record in tape.tasks] == ["running", "retrying", "running", "completed"]


def test_an_async_task_without_retries_left_fails() -> None:
    outcome = asyncio.run(run_task_async(flaky_task(Flaky(failures=1)), (), {}, a_context()))

    assert outcome.state == "failed"


@pytest.mark.parametrize("error", [Cancelled(), KeyboardInterrupt(), asyncio.CancelledError()])
def test_a_cancellation_is_recorded_and_raised_and_never_retried(error: BaseException) -> None:
    tape = Tape()

    with pytest.raises(type(error)):
        run_task(Task(raiser(error), retries=5), (), {}, a_context(tape))

    assert [record["state"] for record in tape.tasks] == ["running", "cancelled"]


@pytest.mark.parametrize(
    ("code", "state", "message"),
    [
        (None, "completed", "the task called sys.exit(0)"),
        (0, "completed", "the task called sys.exit(0)"),
        (3, "failed", "the task called sys.exit(3)"),
        ("", "failed", "the task called sys.exit('')"),
        ("no input", "failed", "the task called sys.exit('no input')"),
    ],
)
def test_sys_exit_in_a_task_is_recorded_and_raised(code: Any, state: str, message: str) -> None:
    tape = Tape()

    with pytest.raises(SystemExit):
        run_task(Task(raiser(SystemExit(code)), retries=5), (), {}, a_context(tape))

    assert (tape.tasks[-1]["state"], tape.tasks[-1]["message"]) == (state, message)


def test_another_base_exception_fails_the_task_and_is_raised() -> None:
    class Odd(BaseException):
        pass

    tape = Tape()

    with pytest.raises(Odd):
        run_task(Task(raiser(Odd("x"))), (), {}, a_context(tape))

    assert tape.tasks[-1]["state"] == "failed"
    assert tape.tasks[-1]["failure"].type == "Odd"


def test_a_cancellation_between_two_attempts_ends_the_task_as_cancelled() -> None:
    def interrupted(seconds: float) -> None:
        raise Cancelled

    tape = Tape()

    with pytest.raises(Cancelled):
        run_task(Task(Flaky(failures=1), retries=1), (), {}, a_context(tape, pause=interrupted))

    assert [record["state"] for record in tape.tasks] == ["running", "retrying", "cancelled"]


def test_an_async_task_that_is_cancelled_says_so_whether_it_runs_or_waits() -> None:
    async def ending(made: Task, tape: Tape) -> None:
        running = asyncio.ensure_future(run_task_async(made, (), {}, a_context(tape)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    async def forever() -> None:
        await asyncio.get_running_loop().create_future()

    runs, waits = Tape(), Tape()
    asyncio.run(ending(Task(forever), runs))
    asyncio.run(ending(flaky_task(Flaky(failures=9), retries=1, retry_delay_seconds=3600), waits))

    assert [record["state"] for record in runs.tasks] == ["running", "cancelled"]
    assert [record["state"] for record in waits.tasks] == ["running", "retrying", "cancelled"]


def test_the_present_task_is_known_only_while_it_runs() -> None:
    seen: list[tuple[str, int]] = []

    def looks() -> None:
        present = task_run.get()
        assert present is not None
        seen.append((present.name, present.number))

    run_task(Task(looks), (), {}, a_context())

    assert seen == [("looks", 1)]
    assert task_run.get() is None
    assert flow_run.get() is None


def test_results_are_not_previewed_for_a_recorder_that_wants_none() -> None:
    class Unprintable:
        def __repr__(self) -> str:
            raise AssertionError("nobody asked for this")

    tape = Tape()
    tape.previews = False

    outcome = run_task(Task(Unprintable), (), {}, a_context(tape))

    assert outcome.state == "completed"
    assert tape.tasks[-1]["result"] is None


def test_the_wait_between_attempts_ends() -> None:
    assert wait(0.001) is None  # type: ignore[func-returns-value]


def test_an_outcome_holds_what_it_was_given() -> None:
    outcome = TaskOutcome(3, "completed", attempts=2, value="x")

    assert (outcome.number, outcome.state, outcome.attempts, outcome.value) == (3, "completed", 2, "x")


def test_a_trivial_task_costs_few_calls() -> None:
    count = 1_000

    @task
    def trivial(number: int) -> int:
        return number

    @flow
    def loop() -> None:
        for number in range(count):
            trivial(number)

    recorder: Recorder = NoRecorder()
    with counted() as work:
        outcome = execute(loop, {}, recorder)

    assert outcome.state == "completed"
    assert work.calls < 60 * count  # with 31, more than 20,000 of them run in a second


def test_recording_nothing_is_a_recorder() -> None:
    recorder: Recorder = NoRecorder()

    recorder.task(TaskRecord(1, "x", "running", 1))
    recorder.log(20, "", "x", 1)
    recorder.result("x", 1)

    assert FlowContext("x", recorder, now=lambda: 1).nested("y").recorder is recorder
