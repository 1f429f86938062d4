"""Tasks of a graph that wait for somebody's approval: `signals.PAUSE`, and the trigger `manual_only`."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import schedulerd
from schedulerd import Flow, Task, task, triggers
from schedulerd.authoring.asking import answer_by
from schedulerd.authoring.graph_states import Paused, State, Success
from schedulerd.authoring.outcomes import Cancelled
from schedulerd.authoring.signals import PAUSE
from schedulerd.executors import LocalDaskExecutor
from tests.unit.authoring.tape import Tape, run


class Somebody:
    """Answers what runs wait for, in order; approves what there is no answer for, and remembers what was asked."""

    is_by_daemon = True

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.answers: list[Mapping[str, Any] | BaseException] = []

    def ask(self, kind: str, body: Mapping[str, Any], **how: Any) -> Mapping[str, Any]:
        assert kind == "pause"
        self.asked.append(body)
        answer = self.answers.pop(0) if self.answers else {"approved": True, "by": "kim"}
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def tell(self, kind: str, **said: Any) -> None:
        raise AssertionError(kind)


REJECTED = {"approved": False, "by": "kim", "reason": "not now"}


@pytest.fixture
def somebody() -> Iterator[Somebody]:
    """Who is asked, as a daemon asks."""
    found = Somebody()
    before = answer_by(found)
    yield found
    answer_by(before)


def by_hand(name: str = "by hand", **options: Any) -> Task:
    """A task that only a person starts."""
    return task(name=name, trigger=triggers.manual_only, **options)(lambda: "ran")


def test_a_task_that_only_a_person_starts_runs_once_somebody_approved(somebody: Somebody) -> None:
    tape = Tape()
    with Flow("x") as flow:
        by_hand()()

    outcome = run(flow, tape=tape)

    assert outcome.state == "completed"
    assert [one["message"] for one in somebody.asked] == [
        "task by hand: trigger manual_only: only a person starts it"
    ]
    assert tape.states() == [("by hand", "pending"), ("by hand", "running"), ("by hand", "completed")]
    assert len({record["number"] for record in tape.tasks}) == 1


def test_one_that_is_rejected_fails_and_is_not_tried_again(somebody: Somebody) -> None:
    somebody.answers.append(REJECTED)
    tape = Tape()
    with Flow("x") as flow:
        by_hand(max_retries=3, retry_delay=timedelta(0))()

    outcome = run(flow, tape=tape)

    assert outcome.state == "failed"
    assert tape.final() == {"by hand": "failed"}
    assert "rejected by kim: not now" in tape.tasks[-1]["message"]
    assert "running" not in {state for _, state in tape.states()}


def test_all_else_is_done_before_somebody_is_asked_and_what_comes_after_waits(somebody: Somebody) -> None:
    order: list[str] = []

    def noted(name: str, **options: Any) -> Task:
        return task(name=name, **options)(lambda: order.append(f"{name} {len(somebody.asked)}"))

    with Flow("x") as flow:
        held = noted("held", trigger=triggers.manual_only)()
        noted("after")(upstream_tasks=[held])
        noted("far")(upstream_tasks=[noted("near")()])

    run(flow)

    assert order == ["near 0", "far 0", "held 1", "after 1"]


def test_a_signal_lets_the_task_be_attempted_again_as_resumed_and_costs_no_retry(somebody: Somebody) -> None:
    seen: list[tuple[Any, Any]] = []

    def asks() -> str:
        context: Any = schedulerd.context
        seen.append((context.get("resume", False), context.task_run_count))
        if not context.get("resume"):
            raise PAUSE("is it good?")
        if len(seen) == 2:
            raise OSError("flaky")
        return "good"

    with Flow("x") as flow:
        task(max_retries=1, retry_delay=timedelta(0))(asks)()

    outcome = run(flow)

    assert (outcome.state, seen) == ("completed", [(False, 1), (True, 1), (True, 2)])
    assert somebody.asked[0]["message"] == "task asks: is it good?"


def test_each_pause_of_a_task_is_a_decision_of_its_own(somebody: Somebody) -> None:
    somebody.answers += [{"approved": True, "by": "kim"}, REJECTED]
    with Flow("x") as flow:
        task(name="asks")(raising)()

    outcome = run(flow)

    assert outcome.state == "failed"
    assert len({one["key"] for one in somebody.asked}) == 2


def raising() -> None:
    """Waits each time."""
    raise PAUSE


def test_a_time_at_which_it_goes_on_is_waited_for_and_no_longer(somebody: Somebody) -> None:
    somebody.answers.append({"approved": False, "timed_out": True})

    def asks() -> str:
        if not schedulerd.context.get("resume"):  # type: ignore[attr-defined]
            raise PAUSE("or at midnight", start_time=datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC))
        return "went on"

    with Flow("x") as flow:
        task(asks)()

    assert run(flow).state == "completed"


def test_a_trigger_of_a_map_is_decided_about_by_one_key_and_a_signal_for_each_item(
    somebody: Somebody,
) -> None:
    def asks(item: int) -> int:
        if not schedulerd.context.get("resume"):  # type: ignore[attr-defined]
            raise PAUSE
        return item

    with Flow("x") as flow:
        task(name="by hand", trigger=triggers.manual_only)(lambda item: item).map([1, 2])
    with Flow("y") as signals:
        task(asks).map([1, 2])

    assert (run(flow).state, len({one["key"] for one in somebody.asked})) == ("completed", 1)
    somebody.asked.clear()
    assert (run(signals).state, len({one["key"] for one in somebody.asked})) == ("completed", 2)


@pytest.mark.parametrize("scheduler", ["threads", "sync"])
def test_beside_other_tasks_it_waits_too(somebody: Somebody, scheduler: str) -> None:
    somebody.answers.append(REJECTED)
    with Flow("x", executor=LocalDaskExecutor(scheduler, 2)) as flow:
        first, second = by_hand("first")(), by_hand("second")()
        task(name="beside")(lambda: 1)()

    state = flow.run()

    assert state.result is not None
    assert [state.result[one].is_failed() for one in (first, second)] == [True, False]


def test_a_state_handler_sees_the_pause_and_may_end_it(somebody: Somebody) -> None:
    seen: list[State] = []

    def goes_on(one: Any, old: State, new: State) -> State:
        seen.append(new)
        return Success("no need to ask") if isinstance(new, Paused) else new

    with Flow("x") as flow:
        task(name="asks", state_handlers=[goes_on])(raising)()

    assert run(flow).state == "completed"
    assert (somebody.asked, any(isinstance(one, Paused) for one in seen)) == ([], True)


def test_a_run_that_is_cancelled_while_it_waits_records_that_of_all_that_wait(somebody: Somebody) -> None:
    somebody.answers.append(Cancelled())
    tape = Tape()
    with Flow("x") as flow:
        by_hand("first")()
        by_hand("second")()

    assert run(flow, tape=tape).state == "cancelled"
    assert tape.final() == {"first": "cancelled", "second": "cancelled"}
