"""Tasks that are ready made, and what helps to write one's own (graph style, ranks 21, 24 and 28)."""

import logging
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import schedulerd
from schedulerd import Flow, task
from schedulerd.tasks.secrets import EnvVarSecret, PrefectSecret, SecretBase
from schedulerd.tasks.shell import ShellTask
from schedulerd.utilities.debug import raise_on_exception
from schedulerd.utilities.logging import get_logger
from tests.service import process_state
from tests.unit.authoring.tape import Tape, a_context, run
from tests.waiting import eventually


def state_of(drawn: Any, *args: Any, tape: Tape | None = None, **kwargs: Any) -> Any:
    with Flow("x") as flow:
        node = drawn(*args, **kwargs)
    return flow.perform({}, a_context(tape)).result[node]


# -- shell ------------------------------------------------------------------------------------------------------------


def test_a_shell_task_returns_the_last_line_or_all() -> None:
    script = "echo one; echo two >&2; echo three"

    assert state_of(ShellTask(command=script)).result == "three"
    assert state_of(ShellTask(return_all=True), command=script).result == ["one", "two", "three"]
    assert state_of(ShellTask(command="true")).result == ""


def test_a_shell_task_has_an_environment_a_helper_and_a_shell() -> None:
    shell = ShellTask(env={"WHO": "world"}, helper_script="greet() { echo $1 $WHO; }", shell="sh")

    assert state_of(shell, command="greet hello").result == "hello world"
    assert state_of(shell, command="greet hello", env={"WHO": "you"}).result == "hello you"
    assert state_of(ShellTask(command="echo $HOME")).result != ""


def test_a_shell_task_that_ends_with_a_status_fails_and_is_tried_again() -> None:
    tape = Tape()
    state = state_of(ShellTask(command="echo why >&2; exit 3", retries=1), tape=tape)

    assert state.is_failed()
    assert str(state.result) == "the command failed with exit status 3: why"
    assert [word for _, word in tape.states()] == ["running", "retrying", "running", "failed"]


def test_a_shell_task_needs_a_command_and_a_shell_that_is_there() -> None:
    assert "needs a command" in str(state_of(ShellTask()).result)
    assert isinstance(state_of(ShellTask(command="x", shell="/nonesuch")).result, FileNotFoundError)


def test_the_lines_of_a_shell_task_are_logged_as_they_come(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        state_of(ShellTask(command="echo one; echo two", stream_output=True))
        state_of(ShellTask(command="echo bad; exit 1", log_stderr=True))

    said = [record.getMessage() for record in caplog.records]
    assert [line for line in said if line in ("one", "two", "bad")] == ["one", "two", "bad"]


def test_a_shell_task_whose_time_is_over_is_ended() -> None:
    state = state_of(ShellTask(command="exec tail -f /dev/null", timeout_seconds=0.2))

    assert state.name == "timed_out"


@pytest.mark.parametrize("trap", ["", "trap '' TERM; "])
def test_what_a_shell_task_started_is_ended_with_it(tmp_path: Path, trap: str) -> None:
    pids = tmp_path / "pids"
    script = f"{trap}sleep 600 & echo $$ $! > {pids}; wait; sleep 600"

    state = state_of(ShellTask(command=script, timeout_seconds=1))

    assert state.name == "timed_out"
    for pid in map(int, pids.read_text().split()):
        eventually(partial(_is_gone, pid))


def _is_gone(pid: int) -> bool:
    return process_state(pid) in ("", "Z")


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_a_secret_is_found_in_the_environment_when_its_task_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT__CONTEXT__SECRETS__KEY", '{"a": 1}')
    monkeypatch.setenv("SCHEDULERD__CONTEXT__SECRETS__WORD", "plain text")

    assert state_of(PrefectSecret("KEY")).result == {"a": 1}
    assert state_of(PrefectSecret(), name="WORD").result == "plain text"
    assert PrefectSecret("KEY").name == "KEY"


def test_a_secret_is_not_shown_as_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "hidden")
    tape = Tape()

    with Flow("x") as flow:
        EnvVarSecret("KEY")()
    outcome = run(flow, tape=tape)

    assert (outcome.state, outcome.result, tape.results) == ("completed", None, [])
    assert [record["result"] for record in tape.tasks] == [None, None]


def test_a_secret_is_put_in_for_a_test() -> None:
    context: Any = schedulerd.context
    with context(secrets={"KEY": "given"}):
        assert state_of(PrefectSecret("KEY")).result == "given"


def test_a_secret_that_is_not_there_fails_its_task() -> None:
    state = state_of(PrefectSecret("NONESUCH"))

    said = str(state.result)
    assert said.startswith("there is no secret 'NONESUCH' here: ")
    assert "SCHEDULERD__CONTEXT__SECRETS__NONESUCH in the environment" in said
    assert "a secret needs a name" in str(state_of(PrefectSecret()).result)
    assert isinstance(state_of(SecretBase()).result, NotImplementedError)


def test_a_secret_is_asked_for_in_code(monkeypatch: pytest.MonkeyPatch) -> None:
    from schedulerd.client import Secret
    from schedulerd.client.secrets import Secret as Same

    monkeypatch.setenv("SCHEDULERD__CONTEXT__SECRETS__KEY", "5")

    assert (Secret("KEY").get(), Same("KEY").exists(), Secret("NONESUCH").exists()) == (5, True, False)
    with pytest.raises(ValueError, match="there is no secret 'NONESUCH' here"):
        Secret("NONESUCH").get()


def test_a_variable_of_the_environment_is_a_secret_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNT", "5")

    assert state_of(EnvVarSecret("COUNT", cast=int)).result == 5
    assert state_of(EnvVarSecret(), name="COUNT").result == "5"
    assert state_of(EnvVarSecret("NONESUCH")).result is None
    assert "NONESUCH is not set" in str(state_of(EnvVarSecret("NONESUCH", raise_if_missing=True)).result)
    assert "a secret needs a name" in str(state_of(EnvVarSecret()).result)


# -- around -----------------------------------------------------------------------------------------------------------


@task
def broken() -> None:
    raise ValueError("bad")


def test_exceptions_come_out_where_that_is_wanted() -> None:
    with Flow("x") as flow:
        broken()

    with raise_on_exception(), pytest.raises(ValueError, match="bad"):
        flow.run()
    assert flow.run().is_failed()


def test_a_logger_by_name_lies_below_that_of_runs() -> None:
    assert get_logger().name == "schedulerd.run"
    assert get_logger("etl").name == "schedulerd.run.etl"


def test_names_of_libraries_of_the_cloud_are_told_to_be_missing() -> None:
    with pytest.raises(ImportError, match=r"schedulerd\.tasks\.aws"):
        import_module("schedulerd.tasks.aws")
