"""The function style: `@flow`."""

import asyncio
import inspect
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from schedulerd import Flow, flow, task
from schedulerd.authoring.functions import FunctionFlow
from schedulerd.schedules import Cron, Interval
from tests.unit.authoring.tape import Tape, run


@task
def doubled(number: int) -> int:
    return number * 2


@task
def broken() -> None:
    raise KeyError("region")


@flow
def nightly_etl(start: int = 1) -> int:
    """Load it all."""
    return int(doubled(doubled(start)))


def test_a_flow_without_parentheses_takes_name_and_description_from_its_function() -> None:
    assert isinstance(nightly_etl, FunctionFlow)
    assert (nightly_etl.name, nightly_etl.description) == ("nightly-etl", "Load it all.")
    assert (nightly_etl.schedule, nightly_etl.tags, nightly_etl.timeout_seconds) == (None, (), None)
    assert repr(nightly_etl) == "<flow 'nightly-etl'>"


def test_a_flow_with_options_keeps_them() -> None:
    made = flow(name="ETL", description="d", tags=["a"], schedule=Cron("0 6 * * *"), timeout_seconds=60)(len)

    assert (made.name, made.description, made.tags, made.timeout_seconds) == ("ETL", "d", ("a",), 60.0)
    assert made.schedules == (Cron("0 6 * * *"),)


def test_a_flow_says_what_surrounds_its_runs() -> None:
    made = flow(
        user="kim",
        env_file=Path("/etc/vars"),
        cpu_time=timedelta(minutes=1),
        environment={"A": "1"},
        nice=None,
    )(len)

    assert made.surroundings == {
        "user": "kim",
        "env_file": "/etc/vars",
        "cpu_time": 60.0,
        "environment": {"A": "1"},
    }
    assert Flow("drawn", memory="64MB").surroundings == {"memory": "64MB"}


def test_a_flow_may_have_no_time_limit_whatever_the_settings_say() -> None:
    assert flow(timeout_seconds="unlimited")(len).timeout_seconds == 0.0


def test_several_schedules_are_a_list_of_which_the_first_is_the_schedule() -> None:
    made = flow(schedule=[Cron("0 6 * * *"), Interval(60)])(len)

    assert made.schedules == (Cron("0 6 * * *"), Interval(60))
    assert made.schedule == Cron("0 6 * * *")


def test_assigning_a_schedule_replaces_all() -> None:
    made = flow(schedule=[Cron("0 6 * * *"), Interval(60)])(len)

    made.schedule = Interval("15m")

    assert list(made.schedules) == [Interval("15m")]


def test_assigning_none_takes_the_schedules_away() -> None:
    made = flow(schedule=Cron("0 6 * * *"))(len)

    made.schedule = None

    assert made.schedules == ()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"retrys": 3}, r"flow\(\) does not know retrys; it knows name, "),
        ({"schedule": "0 6 * * *"}, "a schedule is made with Cron"),
        ({"schedule": [Cron("* * * * *"), 60]}, "it is not 60"),
        ({"name": ""}, "a flow needs a name"),
        ({"timeout_seconds": "1m"}, "seconds or a timedelta"),
        ({"pool": 2}, "pool must be the name of a pool"),
        ({"priority": 1.5}, "priority must be a whole number from -1,000 to 1,000"),
        ({"max_running": 0}, "max_running must be a whole number of at least 1"),
        ({"memry": "1GB"}, r"flow\(\) does not know memry; it knows name, .*memory"),
    ],
)
def test_a_wrong_option_is_refused_where_it_is_given(options: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        flow(**options)(len)


def test_only_something_callable_becomes_a_flow() -> None:
    with pytest.raises(TypeError, match="made of a function, not of 'etl'"):
        FunctionFlow("etl")  # type: ignore[arg-type]


def test_calling_a_flow_runs_it_and_returns_its_value() -> None:
    assert nightly_etl() == 4
    assert nightly_etl(start=2) == 8
    assert nightly_etl.fn(3) == 12


def test_calling_a_flow_raises_what_its_task_raised() -> None:
    @flow
    def failing() -> None:
        broken()

    with pytest.raises(KeyError, match="region"):
        failing()


def test_a_flow_looks_like_its_function() -> None:
    assert nightly_etl.__name__ == "nightly_etl"
    assert str(inspect.signature(nightly_etl)) == "(start: int = 1) -> int"


def test_tasks_are_recorded_as_the_flow_goes() -> None:
    tape = Tape()

    outcome = run(nightly_etl, {"start": 5}, tape=tape)

    assert (outcome.state, outcome.result) == ("completed", "20")
    assert [(record["number"], record["state"], record["result"]) for record in tape.tasks] == [
        (1, "running", None),
        (1, "completed", "10"),
        (2, "running", None),
        (2, "completed", "20"),
    ]


def test_a_task_called_by_a_task_is_recorded_too() -> None:
    @task
    def outer(number: int) -> int:
        return int(doubled(number))

    @flow
    def etl() -> int:
        return int(outer(1))

    tape = Tape()
    run(etl, tape=tape)

    assert tape.states() == [
        ("outer", "running"),
        ("doubled", "running"),
        ("doubled", "completed"),
        ("outer", "completed"),
    ]


def test_a_flow_that_handles_the_failure_of_a_task_completes() -> None:
    @flow
    def careful() -> str:
        try:
            broken()
        except KeyError:
            return "handled"
        raise AssertionError

    tape = Tape()
    outcome = run(careful, tape=tape)

    assert (outcome.state, outcome.result) == ("completed", '"handled"')
    assert tape.final() == {"broken": "failed"}


def test_a_flow_within_a_flow_is_a_child_run_for_which_a_task_of_it_stands() -> None:
    tape = Tape()

    @flow
    def outer() -> int:
        return int(nightly_etl(1)) + int(doubled(1))

    outcome = run(outer, tape=tape)

    assert outcome.result == "6"
    told = [(one["number"], one["within"], one["name"], one["state"]) for one in tape.tasks]
    assert told == [
        (1, None, "nightly-etl", "running"),
        (1_000_001, 1, "doubled", "running"),
        (1_000_001, 1, "doubled", "completed"),
        (1_000_002, 1, "doubled", "running"),
        (1_000_002, 1, "doubled", "completed"),
        (1, None, "nightly-etl", "completed"),
        (2, None, "doubled", "running"),
        (2, None, "doubled", "completed"),
    ]
    begun, ended = tape.flows
    assert (begun.flow, begun.id) == ("nightly-etl", ended.id)
    assert (begun.task.state, ended.task.state) == ("running", "completed")


def test_a_flow_within_a_task_belongs_to_that_task() -> None:
    tape = Tape()

    @task
    def starts_a_flow() -> None:
        nightly_etl()

    @flow
    def outer() -> None:
        starts_a_flow()

    run(outer, tape=tape)

    assert tape.final() == {"starts_a_flow": "completed", "nightly-etl": "completed", "doubled": "completed"}


def test_a_failed_flow_within_a_flow_raises_there() -> None:
    tape = Tape()

    @flow
    def inner() -> None:
        raise ValueError("inside")

    @flow
    def outer() -> str:
        with pytest.raises(ValueError, match="inside"):
            inner()
        return "went on"

    assert run(outer, tape=tape).result == '"went on"'
    assert tape.final() == {"inner": "failed"}
    assert tape.tasks[-1]["failure"].message == "inside"


def test_an_async_flow_runs_its_async_tasks_side_by_side() -> None:
    met: list[str] = []

    @task
    async def meets(name: str) -> str:
        met.append(name)
        await asyncio.sleep(0)
        return name + "!"

    @flow
    async def gathering() -> list[str]:
        return list(await asyncio.gather(meets("a"), meets("b")))

    tape = Tape()
    outcome = run(gathering, tape=tape)

    assert outcome.result == '["a!", "b!"]'
    assert met == ["a", "b"]
    assert [record["state"] for record in tape.tasks] == ["running", "running", "completed", "completed"]


def test_calling_an_async_flow_gives_a_coroutine_for_asyncio_or_await() -> None:
    @flow
    async def inner() -> int:
        return 1

    @flow
    async def outer() -> int:
        return 1 + int(await inner())

    assert asyncio.run(inner()) == 1
    assert asyncio.run(outer()) == 2


def test_an_async_flow_raises_what_its_task_raised() -> None:
    @task
    async def fails() -> None:
        raise ValueError("async")

    @flow
    async def failing() -> None:
        await fails()

    with pytest.raises(ValueError, match="async"):
        asyncio.run(failing())


def test_parameters_from_json_become_what_the_hints_ask_for() -> None:
    seen: list[object] = []

    @flow
    def etl(day: date, limit: int | None = None) -> None:
        seen.extend((day, limit))

    outcome = run(etl, {"day": "2026-12-31"})

    assert outcome.state == "completed"
    assert outcome.result is None
    assert seen == [date(2026, 12, 31), None]


def test_a_flow_called_while_a_graph_is_drawn_runs_at_once() -> None:
    with Flow("x") as drawn:

        @flow
        def plain() -> int:
            return 5

        assert plain() == 5

    assert drawn.nodes == []


def test_registering_and_serving_need_no_daemon_and_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    tape = Tape()

    @flow
    def outer() -> None:
        assert nightly_etl.register("project") == "nightly-etl"
        nightly_etl.serve(name="prod", cron="0 6 * * *")

    run(outer, tape=tape)

    assert "nightly-etl is found by its file; there is nothing to register" in tape.messages()
    assert any("put its file into a folder" in message for message in tape.messages())
    assert nightly_etl.schedules == ()
