"""The run logger, the console, and the handler that records what is logged."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from schedulerd import Flow, flow, get_run_logger, task
from schedulerd.authoring.console import LOGGER, ConsoleRecorder
from schedulerd.authoring.recording import RecordHandler
from schedulerd.authoring.records import TaskRecord
from tests.unit.authoring.tape import Tape, run


@contextmanager
def nothing_set_up() -> Iterator[logging.Logger]:
    """A program that has not set up logging: the root logger, without the handlers that pytest gives it."""
    root, ours = logging.getLogger(), logging.getLogger(LOGGER)
    handlers, level, our_level = root.handlers[:], root.level, ours.level
    root.handlers[:] = []
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)


@task
def extract() -> None:
    get_run_logger().info("read %d rows", 3)


@task
def broken() -> None:
    raise ValueError("bad")


@flow
def etl() -> None:
    extract()
    get_run_logger().warning("done")


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What stands on stderr, without times and durations; nothing stands on stdout."""
    out, err = capsys.readouterr()
    assert out == ""
    return [re.sub(r"^\d\d:\d\d:\d\d |(?<= in )[\d.]+ m?s", "", line) for line in err.splitlines()]


def test_a_run_in_plain_python_tells_on_stderr_what_happens(capsys: pytest.CaptureFixture[str]) -> None:
    with nothing_set_up():
        etl()

    assert lines(capsys) == [
        "INFO  extract: read 3 rows",
        "INFO  extract: completed in ",
        "WARNING etl: done",
        "INFO  etl: completed",
    ]


def test_a_failed_graph_tells_where_and_what_it_held_back(capsys: pytest.CaptureFixture[str]) -> None:
    with Flow("x") as drawn:
        extract(upstream_tasks=[broken()])

    with nothing_set_up():
        drawn.run()

    told = lines(capsys)
    assert told[0] == "ERROR broken: failed in "
    assert told[1] == "Traceback (most recent call last):"
    assert told[2].startswith(f'  File "{__file__}"')
    assert told[-2:] == [
        "ERROR extract: upstream_failed (broken did not complete)",
        "ERROR x: failed: 1 of 2 tasks failed: broken",
    ]


def test_a_failed_flow_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    @flow
    def fails() -> None:
        raise ValueError("x")

    with nothing_set_up(), pytest.raises(ValueError, match="x"):
        fails()

    assert lines(capsys) == ["ERROR fails: failed: ValueError: x"]


def test_a_retry_is_told_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with nothing_set_up():
        recorder = ConsoleRecorder()

        recorder.task(TaskRecord(1, "extract", "running", 0))
        recorder.task(TaskRecord(1, "extract", "retrying", 10, message="retry 1 of 2 in 1 s"))
        recorder.task(TaskRecord(1, "extract", "running", 20, attempt=2))
        recorder.task(TaskRecord(1, "extract", "completed", 2_500_000, attempt=2))
        recorder.result("5", 3_000_000)

    told = capsys.readouterr().err
    assert "WARNING extract: retrying (retry 1 of 2 in 1 s)" in told
    assert "extract: completed in 2.5 s" in told


def test_outside_a_run_the_logger_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    with nothing_set_up():
        get_run_logger().info("hello %s", "you")

    assert lines(capsys) == ["INFO  hello you"]


def test_the_console_is_silent_where_the_program_has_set_up_logging(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept: list[logging.LogRecord] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(record)

    with nothing_set_up() as root:
        root.addHandler(Keeping())
        etl()

    assert capsys.readouterr() == ("", "")
    assert kept[0].getMessage() == "read 3 rows"


def test_lines_are_seen_at_info_or_below_where_the_root_logger_is() -> None:
    with nothing_set_up() as root:
        logging.getLogger(LOGGER).setLevel(logging.NOTSET)
        root.setLevel(logging.DEBUG)

        assert get_run_logger().isEnabledFor(logging.DEBUG)


def test_a_logger_that_was_disabled_by_configuration_is_enabled() -> None:
    logging.getLogger(LOGGER).disabled = True

    assert get_run_logger().isEnabledFor(logging.INFO)


def test_a_log_call_that_cannot_be_formatted_does_not_end_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    @flow
    def logs_badly() -> str:
        get_run_logger().info("%d rows", "many")
        return "done"

    with nothing_set_up() as root:
        on_the_console = run(logs_badly)
        root.addHandler(RecordHandler(Tape()))
        recorded = run(logs_badly)

    assert (on_the_console.result, recorded.result) == ('"done"', '"done"')
    assert capsys.readouterr().err.count("--- Logging error ---") == 2


def test_the_handler_records_lines_with_the_number_of_their_task() -> None:
    tape = Tape()

    @task
    def logs() -> None:
        logging.getLogger("mine").warning("from %s", "a task")
        get_run_logger().info("more")

    @flow
    def logging_flow() -> None:
        logs()
        try:
            broken()
        except ValueError:
            get_run_logger().exception("handled")

    with nothing_set_up() as root:
        root.addHandler(RecordHandler(tape))
        run(logging_flow, tape=tape)

    found: list[Any] = [
        (line["level"], line["logger"], line["message"].split("\n")[0], line["task"]) for line in tape.lines
    ]
    assert found == [
        (30, "mine", "from a task", 1),
        (20, LOGGER, "more", 1),
        (40, LOGGER, "handled", None),
    ]
    assert "ValueError: bad" in tape.lines[-1]["message"]
