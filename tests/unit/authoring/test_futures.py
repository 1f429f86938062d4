"""Submitted tasks: their futures, what waits for them, and where they run."""

import asyncio
import pickle
import threading
import time
from typing import Any

import pytest

from schedulerd import (
    allow_failure,
    flow,
    task,
)
from schedulerd.authoring.context import flow_run
from schedulerd.authoring.refusals import TaskNotReady
from schedulerd.futures import Future, as_completed, wait
from schedulerd.states import Failed, State, StateType
from schedulerd.task_runners import ConcurrentTaskRunner, SequentialTaskRunner, ThreadPoolTaskRunner
from tests.unit.authoring.samples import broken, doubled, gate
from tests.unit.authoring.tape import Tape, run
from tests.waiting import eventually


class TestFutures:
    def test_tasks_that_are_submitted_run_side_by_side(self) -> None:
        met = threading.Barrier(3, timeout=60)

        @task
        def meets() -> int:
            return met.wait()

        @flow
        def several() -> list[int]:
            return sorted(future.result() for future in [meets.submit() for _ in range(3)])

        assert several() == [0, 1, 2]

    def test_futures_inside_lists_and_dicts_are_waited_for(self) -> None:
        @task
        def total(parts: dict[str, list[int]]) -> int:
            return sum(parts["a"]) + sum(parts["b"])

        @flow
        def sums() -> int:
            parts = {"a": [doubled.submit(1), doubled.submit(2)], "b": [10]}
            return int(total.submit(parts).result()) + int(total(parts))

        assert sums() == 32

    def test_what_comes_after_a_failed_task_never_runs_and_is_not_ready(self) -> None:
        seen: list[Any] = []
        sees = task(name="sees")(seen.append)

        @flow
        def after() -> str:
            state = sees.submit(broken.submit()).wait()
            assert state is not None
            assert (state.type, state.name) == (StateType.PENDING, "NotReady")
            return "looked"

        tape = Tape()
        assert run(after, tape=tape).result == '"looked"'
        assert tape.final()["sees"] == "upstream_failed"
        assert tape.tasks[-1]["upstream"] == (1,)
        assert seen == []

    def test_who_asks_for_what_never_ran_is_told_which_task_and_of_the_first_cause(self) -> None:
        sends = task(name="sends")(lambda what: what)

        @flow
        def raises() -> Any:
            return sends.submit(doubled.submit(broken.submit())).result()

        @flow
        def returns() -> Any:
            return sends.map(doubled.map([broken.submit()]))

        with pytest.raises(TaskNotReady) as caught:
            raises()
        said = "did not run, as task 'broken' failed: KeyError: 'region'"
        assert str(caught.value) == f"task 'sends' {said}"
        assert isinstance(caught.value.__cause__, KeyError)
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
        outcome = run(returns)
        assert outcome.message == f"1 of 1 did not complete: task 'sends'[0] {said}"

    def test_the_first_cause_may_be_a_state_made_by_hand_or_a_time_that_was_over(self) -> None:
        @task
        def refuses() -> State:
            return Failed(message="not today")

        @task(timeout_seconds=0.05)
        def dawdles() -> None:
            threading.Event().wait(30)

        @flow
        def raises(first: Any) -> Any:
            return doubled.submit(first.submit()).result()

        with pytest.raises(TaskNotReady, match="as task 'refuses' failed: not today"):
            raises(refuses)
        with pytest.raises(TaskNotReady, match="as task 'dawdles' timed out: "):
            raises(dawdles)

    def test_a_call_with_a_failed_future_raises_that_error(self) -> None:
        @flow
        def after() -> None:
            doubled(broken.submit())

        tape = Tape()
        outcome = run(after, tape=tape)

        assert outcome.failure is not None
        assert outcome.failure.type == "KeyError"
        assert tape.final() == {"broken": "failed", "doubled": "upstream_failed"}

    def test_allow_failure_gives_the_exception(self) -> None:
        @task
        def told(error: Any) -> str:
            return type(error).__name__

        @flow
        def tolerant() -> str:
            return str(told.submit(allow_failure(broken.submit())).result())

        assert tolerant() == "KeyError"

    def test_wait_for_holds_back_until_the_others_have_ended(self) -> None:
        opened, is_open = gate()
        order: list[str] = []

        @task
        def first() -> None:
            is_open()
            order.append("first")

        second = task(name="second")(lambda: order.append("second"))

        @flow
        def ordered() -> None:
            future = second.submit(wait_for=[first.submit()])
            opened.set()
            future.result()
            second(wait_for=[future])

        ordered()

        assert order == ["first", "second", "second"]

    def test_a_future_tells_its_state_and_refuses_to_wait_for_ever(self) -> None:
        opened, is_open = gate()

        @flow
        def waits() -> None:
            future = task(is_open).submit()
            assert future.state.is_pending()
            with pytest.raises(TimeoutError, match=r"has not ended after 0\.01 s"):
                future.result(timeout=0.01)
            assert future.wait(0.01) is None
            opened.set()
            assert future.result(timeout=60) is True
            assert future.state.is_completed()

        waits()

    def test_wait_and_as_completed(self) -> None:
        opened, is_open = gate()

        @flow
        def both() -> None:
            slow, fast = task(is_open).submit(), doubled.submit(1)
            fast.wait()
            done, not_done = wait([slow, fast], timeout=0.01)
            assert (done, not_done) == ({fast}, {slow})
            ended = as_completed([slow, fast])
            assert next(ended) is fast
            opened.set()
            assert next(ended) is slow
            with pytest.raises(TimeoutError, match="1 of 1 tasks have not ended"):
                list(as_completed([Future("never", 9)], timeout=0.01))

        both()

    def test_return_state_of_a_submitted_task(self) -> None:
        @flow
        def looks() -> None:
            assert broken.submit(return_state=True).is_failed()
            assert broken(return_state=True).name == "Failed"
            assert doubled(2, return_state=True).result() == 4

        looks()

    def test_a_flow_ends_only_when_all_that_it_submitted_has(self) -> None:
        opened, is_open = gate()
        ended: list[bool] = []

        @flow
        def leaves() -> None:
            task(lambda: ended.append(is_open())).submit()
            threading.Timer(0.05, opened.set).start()

        leaves()

        assert ended == [True]

    def test_a_task_may_submit_tasks(self) -> None:
        @task
        def outer() -> int:
            return sum(doubled.map([1, 2]).result())

        @flow
        def nested() -> int:
            return int(outer.submit().result())

        assert nested() == 6

    def test_a_sync_task_can_be_submitted_by_an_async_flow_and_an_async_one_by_a_sync_flow(self) -> None:
        @task
        async def fetched(number: int) -> int:
            await asyncio.sleep(0)
            return number + 1

        @flow
        async def asynchronous() -> int:
            future = await fetched.submit(doubled.submit(1))
            return int(await fetched(future))

        @flow
        def synchronous() -> int:
            return int(fetched.submit(1).result())

        assert (asyncio.run(asynchronous()), synchronous()) == (4, 2)


class TestRunners:
    def test_no_more_threads_than_workers(self) -> None:
        running, most, lock = [0], [0], threading.Lock()

        @task
        def counts(_: int) -> None:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            time.sleep(0.005)  # noqa: TID251  so that they overlap
            with lock:
                running[0] -= 1

        @flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
        def two() -> None:
            counts.map(range(8)).result()

        two()

        assert most[0] == 2

    def test_one_after_the_other_in_the_flow_s_own_thread(self) -> None:
        @task
        def where() -> int:
            return threading.get_ident()

        @flow(task_runner=SequentialTaskRunner)
        def alone() -> set[int]:
            return {where.submit().result() for _ in range(3)}

        assert alone() == {threading.get_ident()}

    def test_prefect_2_names_are_taken_as_classes(self) -> None:
        @flow(task_runner=ConcurrentTaskRunner)
        def several() -> list[int]:
            return [future.result() for future in doubled.map([1, 2])]

        assert several() == [2, 4]

    def test_what_is_no_runner_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r"task_runner must be a task runner .*not 'threads'"):
            flow(task_runner="threads")(len)  # type: ignore[call-overload]
        with pytest.raises(ValueError, match="max_workers must be a whole number of at least 1"):
            ThreadPoolTaskRunner(max_workers=0)


def test_a_flow_holds_only_the_futures_that_go_on() -> None:
    context_seen: list[int] = []

    @flow
    def long() -> int:
        context = flow_run.get()
        assert context is not None
        first = doubled.submit(1)
        for number in range(100):
            doubled.submit(number).wait()
        eventually(lambda: not context.futures)
        context_seen.append(len(context.futures))
        return int(doubled(first)) + int(doubled([first][0]))

    assert long() == 8
    assert context_seen == [0]
