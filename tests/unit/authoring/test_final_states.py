"""What the state of a flow, or a task, is by what its function returned."""

from typing import Any

import pytest

from schedulerd import (
    flow,
    task,
)
from schedulerd.authoring.refusals import (
    RunFailed,
)
from schedulerd.states import Cancelled, Completed, Failed, Paused, State, StateType
from tests.unit.authoring.samples import broken, doubled
from tests.unit.authoring.tape import Tape, run


class TestFinalStates:
    def test_any_value_completes_even_where_a_submitted_task_failed(self) -> None:
        @flow
        def careless() -> str:
            broken.submit()
            return "done"

        tape = Tape()
        outcome = run(careless, tape=tape)

        assert (outcome.state, outcome.result) == ("completed", '"done"')
        assert tape.final() == {"broken": "failed"}

    def test_a_returned_future_that_failed_fails_the_flow_with_its_error(self) -> None:
        @flow
        def returns() -> Any:
            return broken.submit()

        outcome = run(returns)

        assert outcome.state == "failed"
        assert outcome.failure is not None
        assert outcome.failure.type == "KeyError"
        with pytest.raises(KeyError, match="region"):
            returns()

    def test_returned_futures_that_completed_give_their_results(self) -> None:
        @flow
        def returns() -> Any:
            return [doubled.submit(1), doubled.submit(2)]

        assert returns() == [2, 4]

    @pytest.mark.parametrize(
        ("states", "word"),
        [
            ([Completed(), Completed()], "completed"),
            ([Completed(), Failed(), Cancelled()], "cancelled"),
            ([Completed(), Failed()], "failed"),
        ],
    )
    def test_several_states_come_to_one(self, states: list[State], word: str) -> None:
        @flow
        def returns() -> Any:
            return states

        assert run(returns).state == word

    def test_a_state_made_by_hand_is_the_flow_s(self) -> None:
        @flow
        def decides() -> State:
            return Failed(message="not today")

        outcome = run(decides)

        assert (outcome.state, outcome.message) == ("failed", "not today")
        with pytest.raises(RunFailed, match="it is Failed: not today"):
            decides()

    def test_a_state_that_is_no_end_fails_the_flow_with_a_reason(self) -> None:
        @flow
        def decides() -> State:
            return Paused()

        assert run(decides).message == "the flow returned the state paused, which is no end"

    def test_return_state_gives_the_state_and_raises_nothing(self) -> None:
        @flow
        def fails() -> None:
            raise ValueError("x")

        state = fails(return_state=True)

        assert (state.type, state.name, state.is_failed()) == (StateType.FAILED, "Failed", True)
        assert isinstance(state.result(raise_on_failure=False), ValueError)
        with pytest.raises(ValueError, match="x"):
            state.result()

    def test_a_task_may_make_its_state_and_the_next_is_given_its_data(self) -> None:
        @task
        def decides() -> State:
            return Completed(message="as expected", data=5)

        @flow
        def uses() -> int:
            return int(doubled(decides()))

        tape = Tape()
        assert run(uses, tape=tape).result == "10"
        assert tape.tasks[1]["message"] == "as expected"

    def test_a_task_that_makes_a_failed_state_raises_where_it_is_called(self) -> None:
        @task
        def decides() -> State:
            return Failed(message="no rows")

        @flow
        def uses() -> None:
            decides()

        outcome = run(uses)

        assert outcome.state == "failed"
        assert "no rows" in outcome.message
