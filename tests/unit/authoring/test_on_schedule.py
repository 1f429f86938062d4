"""`flow.run()` of a flow that has schedules, in plain Python (graph style, rank 5)."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import schedulerd
from schedulerd import Flow, Parameter, flow, task
from schedulerd.authoring.context import FlowContext
from schedulerd.authoring.on_schedule import VARIABLES, run_at_times
from schedulerd.schedules import Cron, Interval
from tests.unit.authoring.tape import Tape, load

REPOSITORY = Path(__file__).parents[3]
START = datetime(2026, 11, 27, 5, 30, tzinfo=UTC)
seen: list[Any] = []


class Clockwork:
    """Contexts under a clock that only goes on when somebody waits."""

    def __init__(self) -> None:
        self.now = START
        self.tape = Tape()

    def microseconds(self) -> int:
        return round(self.now.timestamp() * 1_000_000)

    def pause(self, seconds: float) -> None:
        assert 0 < seconds <= 60
        self.now += timedelta(seconds=seconds)

    def context(self, name: str) -> FlowContext:
        return FlowContext(name, self.tape, now=self.microseconds, pause=self.pause)


@task
def looks(value: Any) -> Any:
    context: Any = schedulerd.context
    seen.append((context.scheduled_start_time.isoformat(), value))
    return value


def drawn(*schedules: Any) -> Flow:
    seen.clear()
    with Flow("x", list(schedules)) as made:
        looks(Parameter("p", default=0))
    return made


def test_a_flow_runs_at_each_of_its_times_until_there_are_no_more() -> None:
    clockwork = Clockwork()
    made = drawn(Cron("0 6 * * *", end="2026-11-29"))

    state = run_at_times(made, {}, None, context=clockwork.context)

    assert state is not None
    assert state.is_successful()
    assert seen == [(f"2026-11-{day}T06:00:00+00:00", 0) for day in (27, 28, 29)]
    assert clockwork.tape.messages()[0] == (
        "x runs next at 2026-11-27T06:00:00+00:00 by its schedule; run_on_schedule=False runs it now"
    )
    assert clockwork.tape.messages()[-1] == "x: its schedule has no more times"


def test_several_schedules_take_turns_each_with_its_parameters() -> None:
    made = drawn(
        Cron("0 6 * * *", parameters={"p": 1}, end="2026-11-27"),
        Interval("1h", anchor="2026-01-01T00:30:00", parameters={"p": 2}, end="2026-11-27T07:00"),
    )

    run_at_times(made, {}, None, context=Clockwork().context)
    assert [value for _, value in seen] == [1, 2]
    seen.clear()
    run_at_times(made, {"p": 3}, None, context=Clockwork().context)
    assert [value for _, value in seen] == [3, 3]


def test_times_that_come_while_it_runs_are_passed_over() -> None:
    clockwork = Clockwork()

    @task
    def slow() -> None:
        seen.append(clockwork.now.isoformat())
        clockwork.now += timedelta(minutes=90)

    seen.clear()
    with Flow("x", Cron("0 * * * *", end="2026-11-27T09:00")) as made:
        slow()
    run_at_times(made, {}, None, context=clockwork.context)

    assert seen == ["2026-11-27T06:00:00+00:00", "2026-11-27T08:00:00+00:00"]


def test_a_failed_run_does_not_end_the_schedule() -> None:
    @task
    def fails() -> None:
        seen.append(1)
        raise ValueError

    seen.clear()
    with Flow("x", Cron("0 6 * * *", end="2026-11-28")) as made:
        fails()

    state = run_at_times(made, {}, None, context=Clockwork().context)

    assert state is not None
    assert (state.is_failed(), len(seen)) == (True, 2)


def test_a_schedule_without_times_ends_at_once_and_one_that_is_off_does_not_count() -> None:
    made = drawn(Cron("0 6 * * *", end="2026-01-01"), Cron("0 6 * * *", active=False))

    assert run_at_times(made, {}, None, context=Clockwork().context) is None


def test_a_missing_parameter_is_told_at_once() -> None:
    with Flow("x", Cron("0 6 * * *")) as made:
        looks(Parameter("p"))

    with pytest.raises(ValueError, match="flow 'x': missing 'p'"):
        run_at_times(made, {}, None, context=Clockwork().context)


def test_a_schedule_that_is_wrong_is_named() -> None:
    with pytest.raises(ValueError, match="schedule 'x#0': `cron`: hour: '99' is not one of 0-23"):
        run_at_times(drawn(Cron("0 99 * * *")), {}, None, context=Clockwork().context)


def test_a_schedule_is_set_aside_where_the_call_says_so() -> None:
    made = drawn(Cron("0 6 * * *"))

    assert made.run(run_on_schedule=False).is_successful()


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_schedule_is_set_aside_where_the_environment_says_so(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "false")

    assert drawn(Cron("0 6 * * *")).run().is_successful()


def test_within_another_run_and_while_its_file_is_loaded_a_flow_does_not_wait_for_its_times(
    tmp_path: Path,
) -> None:
    made = drawn(Cron("0 6 * * *"))

    @flow
    def outer() -> Any:
        return made.run().is_successful()

    assert outer() is True
    found, _ = load(
        tmp_path,
        "from schedulerd import Flow\nfrom schedulerd.schedules import Cron\n"
        "flow = Flow('y')\nflow.schedule = Cron('0 6 * * *')\nflow.run()\n",
    )
    assert [(note.verb, note.flow.name) for note in found.notes] == [("run", "y")]


def test_a_program_with_a_schedule_runs_at_its_times(tmp_path: Path) -> None:
    (tmp_path / "each_second.py").write_text(
        "from datetime import UTC, datetime, timedelta\nfrom schedulerd import Flow, task\n"
        "from schedulerd.schedules import IntervalSchedule\n"
        "count = [0]\n@task\ndef counts():\n    count[0] += 1\n    print(count[0], flush=True)\n"
        "    if count[0] == 2:\n        raise SystemExit(0)\n"
        "with Flow('x', IntervalSchedule(interval=timedelta(seconds=1))) as flow:\n    counts()\nflow.run()\n"
    )

    ran = subprocess.run(
        [sys.executable, "each_second.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )

    assert (ran.returncode, ran.stdout) == (0, "1\n2\n")
    assert "runs next at" in ran.stderr
