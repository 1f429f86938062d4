"""Further attempts of tasks and flows, and limits on their time."""

import asyncio
import time
from typing import Any

import pytest

from schedulerd import (
    flow,
    task,
)
from schedulerd.authoring.flow_runs import FlowTimedOut
from schedulerd.authoring.running import TaskTimedOut
from schedulerd.states import State, StateType
from schedulerd.tasks import exponential_backoff
from tests.unit.authoring.samples import gate
from tests.unit.authoring.tape import Tape, run
from tests.waiting import eventually


class TestRetries:
    def test_exponential_backoff_doubles(self) -> None:
        made = task(retries=4, retry_delay_seconds=exponential_backoff(backoff_factor=3))(len)

        assert [made.delay_after(number) for number in range(1, 6)] == [3, 6, 12, 24, 24]

    def test_jitter_lengthens_a_delay_by_at_most_its_factor(self) -> None:
        retries = task(retries=1, retry_delay_seconds=10, retry_jitter_factor=0.5)(len).retries_given

        pauses = {retries.pause_after(1) for _ in range(50)}

        assert len(pauses) > 10
        assert all(10 <= pause <= 15 for pause in pauses)

    def test_a_condition_may_stop_and_is_given_the_error(self) -> None:
        seen: list[tuple[str, int, str]] = []

        def not_for_value_errors(tried: Any, task_run: Any, state: State) -> bool:
            seen.append((tried.name, task_run.attempt, state.name))
            return not isinstance(state.result(raise_on_failure=False), ValueError)

        @task(retries=3, retry_condition_fn=not_for_value_errors)
        def fails() -> None:
            raise ValueError("x")

        @flow
        def calls() -> None:
            fails()

        tape = Tape()
        run(calls, tape=tape)

        assert [record["state"] for record in tape.tasks] == ["running", "failed"]
        assert seen == [("fails", 1, "Failed")]

    def test_a_condition_that_raises_is_told_of_and_stops(self) -> None:
        @task(retries=3, retry_condition_fn=lambda *_: 1 / 0)
        def fails() -> None:
            raise ValueError("x")

        tape = Tape()
        run(flow(name="calls")(fails), tape=tape)

        assert [record["state"] for record in tape.tasks] == ["running", "failed"]
        assert "ZeroDivisionError" in tape.messages()[0]

    def test_a_flow_is_tried_again_without_the_tasks_that_completed(self) -> None:
        calls: list[str] = []

        @task
        def extract() -> int:
            calls.append("extract")
            return 5

        @task
        def load(value: int) -> int:
            calls.append("load")
            if len(calls) < 4:
                raise ConnectionError("away")
            return value

        @flow(retries=2)
        def etl() -> int:
            return int(load(extract()))

        assert etl() == 5
        assert calls == ["extract", "load", "load", "load"]

    def test_a_flow_without_retries_left_raises_its_last_error(self) -> None:
        counted: list[int] = []

        @flow(retries=1, retry_delay_seconds=0)
        def fails() -> None:
            counted.append(1)
            raise ValueError(len(counted))

        with pytest.raises(ValueError, match="2"):
            fails()


class TestTimeLimits:
    def test_a_task_in_the_main_thread_is_ended_even_while_it_sleeps(self) -> None:
        @task(timeout_seconds=0.05)
        def sleeps() -> None:
            time.sleep(30)  # noqa: TID251  what is ended

        started = time.monotonic()
        states: list[State] = []
        flow(name="waits")(lambda: states.append(sleeps(return_state=True)))()
        (state,) = states

        assert (state.name, state.type) == ("TimedOut", StateType.FAILED)
        assert time.monotonic() - started < 25
        with pytest.raises(TaskTimedOut, match=r"task 'sleeps' did not end within 0\.05 s"):
            state.result()

    def test_a_task_in_a_thread_is_ended_at_its_next_line(self) -> None:
        caught: list[str] = []

        @task(timeout_seconds=0.05)
        def spins() -> None:
            try:
                while True:
                    pass
            except Exception as error:
                caught.append(repr(error))

        @flow
        def waits() -> str:
            return str(spins.submit().wait().name)

        assert (waits(), caught) == ("TimedOut", [])

    def test_a_thread_that_does_not_come_back_is_no_longer_waited_for(self) -> None:
        opened, is_open = gate()
        spoke: list[bool] = []

        @task(timeout_seconds=0.05)
        def blocks() -> None:
            try:
                is_open()
            finally:  # it is met by the exception here
                spoke.append(True)

        @flow
        def waits() -> str:
            return str(blocks.submit().wait().name)

        tape = Tape()
        outcome = run(waits, tape=tape)
        opened.set()
        eventually(lambda: spoke)

        assert outcome.result == '"TimedOut"'
        assert [record["state"] for record in tape.tasks] == ["running", "timed_out"]

    def test_an_async_task_and_an_async_flow(self) -> None:
        @task(timeout_seconds=0.05)
        async def sleeps() -> None:
            await asyncio.sleep(30)

        @flow(timeout_seconds=0.1)
        async def waits() -> str:
            assert (await sleeps(return_state=True)).name == "TimedOut"
            await asyncio.sleep(30)
            return ""

        with pytest.raises(FlowTimedOut, match=r"flow 'waits' did not end within 0\.1 s"):
            asyncio.run(waits())

    def test_a_timed_out_attempt_is_tried_again(self) -> None:
        attempts: list[int] = []

        @task(timeout_seconds=0.05, retries=1)
        def slow_once() -> str:
            attempts.append(1)
            if len(attempts) == 1:
                time.sleep(30)  # noqa: TID251  what is ended
            return "in time"

        assert flow(name="waits")(slow_once)() == "in time"

    def test_the_limit_of_a_flow_holds_within_the_longer_one_of_a_task(self) -> None:
        @task(timeout_seconds=60)
        def sleeps() -> None:
            time.sleep(30)  # noqa: TID251  what is ended

        @flow(timeout_seconds=0.05)
        def waits() -> None:
            sleeps()

        with pytest.raises(FlowTimedOut):
            waits()

    def test_a_limit_that_was_kept_rings_no_more(self) -> None:
        @task(timeout_seconds=0.02)
        def fast() -> int:
            return 1

        @flow
        def goes_on() -> int:
            number = int(fast()) + int(fast.submit().result())
            time.sleep(0.05)  # noqa: TID251  beyond the limit
            return number

        assert goes_on() == 2

    @pytest.mark.parametrize(("given", "said"), [(0, "more than 0"), (-1, "0 or more"), ("5", "seconds")])
    def test_a_limit_that_is_none_is_refused(self, given: Any, said: str) -> None:
        with pytest.raises((TypeError, ValueError), match=said):
            task(timeout_seconds=given)(len)
