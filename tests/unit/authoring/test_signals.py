"""How a task of a graph says itself how it ends, and who else has a say (graph style, ranks 2, 17, 18 and 26)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schedulerd import Flow, task, triggers
from schedulerd.engine import signals
from schedulerd.engine import state as states
from schedulerd.engine.state import Failed, Retrying, Running, Skipped, State, Success
from tests.unit.authoring.tape import Tape, a_context


def ended(fn: Any, *, tape: Tape | None = None, pauses: list[float] | None = None, **options: Any) -> State:
    """The state of a task of that function, alone in a flow."""
    with Flow("x") as flow:
        node = task(fn, **options)()
    waited = [] if pauses is None else pauses
    state: State = flow.perform({}, a_context(tape, pause=waited.append)).result[node]
    return state


def raising(error: Exception) -> Any:
    def raises() -> None:
        raise error

    return raises


@pytest.mark.parametrize(
    ("signal", "kind", "word", "result"),
    [
        (signals.SUCCESS("done", result=5), states.Success, "completed", 5),
        (signals.SUCCESS(), states.Success, "completed", None),
        (signals.SKIP("no"), states.Skipped, "skipped", None),
        (signals.FAIL("why", result=7), states.Failed, "failed", 7),
        (signals.VALIDATIONFAIL("odd"), states.ValidationFailed, "failed", None),
        (signals.TRIGGERFAIL("t"), states.TriggerFailed, "failed", None),
        (signals.ENDRUN(Success("s", result=1)), states.Success, "completed", 1),
        (signals.ENDRUN(Failed("f")), states.Failed, "failed", None),
        (signals.ENDRUN(Skipped("s")), states.Skipped, "skipped", None),
        (signals.ENDRUN(states.Cancelled("c")), states.Cancelled, "cancelled", None),
    ],
)
def test_a_signal_is_the_tasks_state(signal: Any, kind: type[State], word: str, result: Any) -> None:
    tape = Tape()

    state = ended(raising(signal), tape=tape)

    assert type(state) is kind
    assert state.message == signal.state.message
    assert tape.states() == [("raises", "running"), ("raises", word)]
    if result is not None:
        assert state.result == result


def test_a_signal_that_fails_tells_its_place() -> None:
    state = ended(raising(signals.FAIL("why")))

    assert isinstance(state.result, signals.FAIL)
    assert state.message == "why"
    assert ended(raising(ValueError("bad"))).message == "ValueError: bad"
    assert state.failure is not None
    assert (state.failure.type, state.failure.message) == ("FAIL", "why")
    assert state.failure.file == __file__


def test_fail_is_tried_again_and_endrun_is_not() -> None:
    assert tried(signals.FAIL("x"), retries=2) == 3
    assert tried(signals.ENDRUN(Failed("x")), retries=2) == 1


def tried(error: Exception, **options: Any) -> int:
    attempts: list[int] = []

    def tries() -> None:
        attempts.append(1)
        raise error

    ended(tries, **options)
    return len(attempts)


def test_retry_is_not_bounded_by_max_retries_and_waits_until_its_time() -> None:
    attempts: list[int] = []
    pauses: list[float] = []
    tape = Tape()

    def tries() -> str:
        attempts.append(1)
        if len(attempts) == 1:
            raise signals.RETRY("at once")
        if len(attempts) == 2:
            raise signals.RETRY(start_time=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=30))
        if len(attempts) == 3:
            raise signals.ENDRUN(Retrying("once more"))
        return "done"

    state = ended(tries, tape=tape, pauses=pauses)

    assert state.result == "done"
    assert [word for _, word in tape.states()].count("retrying") == 3
    assert max(pauses) == pytest.approx(30, abs=0.01)
    assert tape.tasks[1]["message"] == "retry in 0 s: at once"


def test_loop_goes_round_at_once_with_what_it_gave_on() -> None:
    import schedulerd

    context: Any = schedulerd.context
    seen: list[tuple[int, Any]] = []

    def loops() -> Any:
        count, last = context.get("task_loop_count", 1), context.get("task_loop_result", 0)
        seen.append((count, last))
        if count < 2_000:
            raise signals.LOOP("round", result=last + 1)
        return last

    pauses: list[float] = []
    state = ended(loops, pauses=pauses)

    assert state.result == 1_999
    assert seen[:3] == [(1, 0), (2, 1), (3, 2)]
    assert pauses == []


def test_a_loop_is_tried_again_where_it_fails() -> None:
    import schedulerd

    context: Any = schedulerd.context
    attempts: list[int] = []

    def loops() -> Any:
        attempts.append(context.task_loop_count)
        if attempts == [1]:
            raise signals.LOOP(result="first")
        if len(attempts) == 2:
            raise OSError("flaky")
        return context.task_loop_result

    assert ended(loops, retries=1).result == "first"
    assert attempts == [1, 2, 2]


def test_a_pause_fails_where_nobody_can_be_asked_and_is_not_tried_again() -> None:
    state = ended(raising(signals.PAUSE("approve")), retries=2)

    assert state.is_failed()
    assert state.message.startswith("Refused: the flow waits for approval, and no daemon runs it")


def test_endrun_needs_a_state() -> None:
    with pytest.raises(TypeError, match=r"ENDRUN needs a state such as Failed\('why'\), not 'x'"):
        signals.ENDRUN("x")  # type: ignore[arg-type]


def test_a_task_cannot_end_in_a_state_that_is_no_end() -> None:
    state = ended(raising(signals.ENDRUN(Running())))

    assert (state.is_failed(), state.message) == (True, "a task cannot end in the state Running")


@pytest.mark.parametrize(
    ("state", "kind"),
    [(Skipped(), signals.SKIP), (Success(), signals.SUCCESS), (states.TriggerFailed(), signals.TRIGGERFAIL)],
)
def test_a_state_has_its_signal(state: State, kind: type[Exception]) -> None:
    assert type(signals.signal_from_state(state)) is kind


def test_a_state_without_a_signal_is_named() -> None:
    with pytest.raises(ValueError, match="no signal ends a task in the state <Running"):
        signals.signal_from_state(Running())


def test_the_classes_of_states_stand_as_in_prefect_1() -> None:
    assert issubclass(states.Skipped, states.Success)
    assert issubclass(states.Success, states.Finished)
    assert issubclass(states.TriggerFailed, states.Failed)
    assert issubclass(states.Retrying, states.Scheduled)
    assert issubclass(states.Mapped, states.Success)
    with pytest.raises(ImportError):
        from schedulerd.engine.state import Nonesuch  # type: ignore[attr-defined]  # noqa: F401


def test_retries_run_after_every_other_runnable_task_has_had_its_turn() -> None:
    attempts: list[str] = []

    @task(max_retries=1, retry_delay=timedelta(seconds=5))
    def flaky() -> None:
        attempts.append("flaky")
        if attempts.count("flaky") == 1:
            raise OSError

    @task
    def steady(name: str, after: Any = None) -> str:
        attempts.append(name)
        return name

    with Flow("x") as flow:
        steady("last", after=flaky())
        steady("second", after=steady("first"))

    pauses: list[float] = []
    state = flow.perform({}, a_context(pause=pauses.append))

    assert state.is_successful()
    assert attempts == ["flaky", "first", "second", "flaky", "last"]
    assert pauses == [pytest.approx(5, abs=0.001)]


def test_a_run_that_is_cut_short_while_tasks_wait_for_their_retry_records_them() -> None:
    def cut(seconds: float) -> None:
        raise KeyboardInterrupt

    tape = Tape()
    with Flow("x") as flow:
        for _ in range(2):
            task(raising(OSError("x")), retries=1, retry_delay_seconds=5)()

    with pytest.raises(KeyboardInterrupt):
        flow.perform({}, a_context(tape, pause=cut))

    assert [word for _, word in tape.states()][-2:] == ["cancelled", "cancelled"]


def test_retry_on_names_the_exceptions_that_are_tried_again() -> None:
    assert tried(OSError("x"), retries=2, retry_on=OSError) == 3
    assert tried(ValueError("x"), retries=2, retry_on=[OSError, KeyError]) == 1


# -- state handlers ---------------------------------------------------------------------------------------------------


def test_state_handlers_see_each_change() -> None:
    seen: list[tuple[str, str, str]] = []

    def handler(task: Any, old: State, new: State) -> State:
        seen.append((task.name, type(old).__name__, type(new).__name__))
        return new

    attempts: list[int] = []

    def flaky() -> int:
        attempts.append(1)
        if len(attempts) == 1:
            raise OSError
        return 5

    assert ended(flaky, retries=1, state_handlers=[handler]).result == 5
    assert seen == [
        ("flaky", "Pending", "Running"),
        ("flaky", "Running", "Retrying"),
        ("flaky", "Retrying", "Running"),
        ("flaky", "Running", "Success"),
    ]


def test_a_state_handler_may_put_another_state_in_its_place() -> None:
    def lenient(task: Any, old: State, new: State) -> State | None:
        return Skipped("it is down") if new.is_failed() else None

    state = ended(raising(OSError("down")), state_handlers=[lenient])

    assert (type(state), state.message) == (Skipped, "it is down")


def test_a_state_handler_may_fail_a_task_that_succeeded() -> None:
    def strict(task: Any, old: State, new: State) -> State:
        if new.is_successful() and new.result is None:
            raise signals.FAIL("nothing came")
        return new

    state = ended(lambda: None, state_handlers=strict)

    assert (state.is_failed(), state.message) == (True, "nothing came")


def test_a_state_handler_may_end_a_task_before_it_runs() -> None:
    def never(task: Any, old: State, new: State) -> State:
        return Skipped("not now") if new.is_running() else new

    ran: list[int] = []
    assert ended(lambda: ran.append(1), state_handlers=[never]).is_skipped()
    assert ran == []


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (lambda task, old, new: 1 / 0, "a state handler raised ZeroDivisionError: division by zero"),
        (lambda task, old, new: "fine", "a state handler must return a state, not 'fine'"),
    ],
)
def test_a_state_handler_that_is_broken_fails_the_task(handler: Any, said: str) -> None:
    state = ended(lambda: 1, state_handlers=[handler])

    assert (state.is_failed(), state.message) == (True, said)


def test_a_state_handler_sees_what_never_ran() -> None:
    seen: list[State] = []

    def handler(task: Any, old: State, new: State) -> None:
        seen.append(new)

    with Flow("x") as flow:
        first = task(raising(OSError("x")))()
        task(lambda: 1, state_handlers=[handler])(upstream_tasks=[first])
        task(lambda: 1, state_handlers=[handler], trigger=triggers.all_failed)(upstream_tasks=[])
    flow.run()

    assert "TriggerFailed" in [type(state).__name__ for state in seen]


def test_on_failure_is_called_with_the_task_and_its_state_once_it_has_failed() -> None:
    told: list[tuple[str, str]] = []

    ended(
        raising(OSError("down")),
        retries=1,
        on_failure=lambda task, state: told.append((task.name, str(state.result))),
    )
    ended(lambda: 1, on_failure=lambda task, state: told.append(("no", "no")))

    assert told == [("raises", "down")]


def test_hooks_of_prefect_3_are_told_of_what_signals_and_handlers_make_of_a_task() -> None:
    told: list[tuple[str, str]] = []

    def hook(task: Any, run: Any, state: Any) -> None:
        told.append((run.name, state.type))

    options: dict[str, Any] = {"on_completion": [hook], "on_failure": [hook]}
    ended(raising(signals.SUCCESS(result=1)), name="a", **options)
    ended(raising(signals.ENDRUN(Failed("no"))), name="b", **options)
    ended(raising(signals.SKIP()), name="c", **options)
    ended(raising(signals.FAIL()), name="d", **options)

    assert told == [("a", "COMPLETED"), ("b", "FAILED"), ("d", "FAILED")]
