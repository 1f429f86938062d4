"""Where the tasks of a graph run (graph style, rank 13)."""

import threading
from typing import Any

import pytest

from schedulerd import Flow, task
from schedulerd.engine import signals
from schedulerd.engine.executors import LocalExecutor as WhereItWas
from schedulerd.executors import LocalDaskExecutor, LocalExecutor
from tests.unit.authoring.tape import Tape, a_context

DEADLINE = 30.0


@task
def kept(value: Any) -> Any:
    return value


@task
def thread_of(value: Any) -> str:
    return threading.current_thread().name


def test_by_default_tasks_run_one_after_the_other_in_the_main_thread() -> None:
    with Flow("x") as flow:
        node = thread_of.map([1, 2])

    here = threading.current_thread().name
    executors: list[Any] = [None, LocalExecutor(), LocalExecutor, LocalDaskExecutor(scheduler="sync")]
    for executor in executors:
        assert flow.run(executor=executor).result[node].result == [here, here]
    assert WhereItWas is LocalExecutor


def test_tasks_that_do_not_depend_on_each_other_run_beside_each_other() -> None:
    met = threading.Barrier(3)

    @task
    def meets(value: int) -> int:
        met.wait(DEADLINE)
        return value

    with Flow("x", executor=LocalDaskExecutor(num_workers=3)) as flow:
        node = meets.map([1, 2, 3])
        last = kept(node)

    assert flow.run().result[last].result == [1, 2, 3]


def test_there_are_no_more_at_a_time_than_workers() -> None:
    lock, now, most = threading.Lock(), [0], [0]

    @task
    def counts(value: int) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        with lock:
            now[0] -= 1

    with Flow("x") as flow:
        counts.map(range(50))
    flow.executor = LocalDaskExecutor(num_workers=2)

    assert flow.run().is_successful()
    assert most[0] <= 2


def test_failures_skips_retries_and_loops_are_what_they_are_in_one_thread() -> None:
    attempts: list[int] = []

    @task(retries=1)
    def flaky(number: int) -> int:
        attempts.append(number)
        if attempts.count(number) == 1:
            raise OSError
        if number == 2:
            raise signals.SKIP("two")
        if number == 3:
            raise ValueError("three")
        return number

    with Flow("x") as flow:
        node = kept.map(flaky.map([1, 2, 3]))

    tape = Tape()
    state = flow.perform({}, a_context(tape), LocalDaskExecutor(num_workers=4))

    assert [one.name for one in state.result[node].map_states] == ["completed", "skipped", "upstream_failed"]
    assert state.message == "1 of 2 tasks failed: flaky"
    assert [word for _, word in tape.states()].count("retrying") == 3


def test_what_ends_more_than_a_task_is_raised_by_the_flow() -> None:
    @task
    def leaves() -> None:
        raise SystemExit(3)

    with Flow("x") as flow:
        leaves()

    with pytest.raises(SystemExit):
        flow.run(executor=LocalDaskExecutor())


def test_tasks_that_go_on_when_the_run_is_cancelled_are_recorded_as_that() -> None:
    has_begun, let_go = threading.Event(), threading.Event()

    @task
    def goes_on() -> None:
        has_begun.set()
        let_go.wait(DEADLINE)

    @task
    def interrupts() -> None:
        has_begun.wait(DEADLINE)
        raise KeyboardInterrupt

    tape = Tape()
    with Flow("x") as flow:
        goes_on(), interrupts()
    with pytest.raises(KeyboardInterrupt):
        flow.perform({}, a_context(tape), LocalDaskExecutor(num_workers=2))
    let_go.set()

    assert tape.final() == {"goes_on": "cancelled", "interrupts": "cancelled"}


def test_a_task_that_does_not_end_in_time_is_no_longer_waited_for() -> None:
    let_go = threading.Event()

    @task(timeout_seconds=0.2)
    def stuck() -> None:
        while not let_go.wait(DEADLINE):
            pass

    with Flow("x") as flow:
        node = stuck()
    state = flow.run(executor=LocalDaskExecutor())
    let_go.set()

    assert state.result[node].name == "timed_out"


def test_a_thousand_items_run_in_threads() -> None:
    with Flow("x") as flow:
        node = kept(kept.map(kept.map(range(500))))

    assert flow.run(executor=LocalDaskExecutor(num_workers=8)).result[node].result == list(range(500))


@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (lambda: LocalDaskExecutor(scheduler="fast"), ValueError, 'scheduler must be "threads"'),
        (lambda: LocalDaskExecutor(num_workers=0), ValueError, "num_workers must be a whole number"),
        (lambda: Flow("x").run(executor=5), TypeError, "executor must be an executor such as"),  # type: ignore[arg-type]
    ],
)
def test_an_executor_that_is_none_is_refused(make: Any, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        make()
