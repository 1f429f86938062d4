"""The daemon's own log lines."""

import logging
import re
import sys
from typing import Any

import pytest

from schedulerd.daemon.logs import EventFormatter


def a_record(message: str = "run_adopted", level: int = logging.INFO, **data: Any) -> logging.LogRecord:
    return logging.getLogger("test").makeRecord("test", level, "file.py", 1, message, (), None, extra=data)


def test_an_event_is_a_line_with_its_data() -> None:
    line = EventFormatter(for_journald=False).format(a_record(run="etl#7", pid=4711))

    assert re.fullmatch(r"\d\d:\d\d:\d\d INFO    run_adopted run=etl#7 pid=4711", line)


@pytest.mark.parametrize(
    ("value", "worded"),
    [("two words", "'two words'"), ("", "''"), ("a\nb", r"'a\nb'"), (None, "None"), (0.5, "0.5")],
)
def test_data_that_is_no_single_word_is_quoted(value: object, worded: str) -> None:
    assert EventFormatter(for_journald=False).format(a_record(reason=value)).endswith(f" reason={worded}")


@pytest.mark.parametrize(
    ("level", "mark"),
    [
        (logging.DEBUG, "<7>"),
        (logging.INFO, "<6>"),
        (logging.WARNING, "<4>"),
        (logging.ERROR, "<3>"),
        (50, "<3>"),
    ],
)
def test_journald_is_told_the_level_and_not_the_time(level: int, mark: str) -> None:
    assert EventFormatter(for_journald=True).format(a_record(level=level)) == f"{mark}run_adopted"


def test_each_line_of_a_traceback_has_the_level_for_journald() -> None:
    record = a_record("tick_failed", logging.ERROR)
    try:
        raise ValueError("no")
    except ValueError:
        record.exc_info = sys.exc_info()

    lines = EventFormatter(for_journald=True).format(record).splitlines()

    assert lines[0] == "<3>tick_failed"
    assert lines[-1] == "<3>ValueError: no"
    assert all(line.startswith("<3>") for line in lines)
