"""What people read of flows that are wrong: the task, the file and the line of their own code, and none of ours."""

import re
import subprocess
import sys
from typing import Final

import pytest

from schedulerd.testing import TestDaemon
from tests.prefect.conftest import file_of
from tests.prefect.test_asking import environ_of
from tests.waiting import SLOWER

WRONG: Final = file_of("wrong-argument")
OURS: Final = re.compile(r'File "[^"]*/schedulerd/(authoring|engine)/')

# Flow, the task, and what is said.
CASES: Final = [
    ("wrong-argument", "needs", "TypeError: needs() missing 1 required positional argument: 'two'"),
    ("wrong-kind", None, "parameter 'number': 'many' (a str) is not a whole number"),
    ("nested", "divide", "ZeroDivisionError: division by zero"),
    ("mapped", "divide", "ZeroDivisionError: division by zero"),
    ("mapped-graph", "divide", "ZeroDivisionError: division by zero"),
    ("in-async-code", "awaits", "KeyError: 'b'"),
    ("in-a-process", "elsewhere", "LookupError: not there"),
    ("in-a-serializer", "gives", "TypeError: it holds a socket"),
    ("with-a-cause", "chained", "ValueError: no rows"),
    ("too-late", "slow", "TaskTimedOut: task 'slow' did not end within 0.1 s"),
]


def line_of(flow: str) -> int:
    """The line that is marked with the flow's name."""
    lines = WRONG.read_text().splitlines()
    (number,) = (n for n, line in enumerate(lines, 1) if flow in line.partition("  # ")[2].split())
    return number


def plain(flow: str, daemon: TestDaemon) -> str:
    """What a program in plain Python that does not catch anything writes to its terminal."""
    call = "asyncio.run(one())" if flow == "in-async-code" else "one.run() if hasattr(one, 'run') else one()"
    code = (
        "import asyncio, runpy\n"
        f"one = next(one for one in runpy.run_path({str(WRONG)!r}).values() if getattr(one, 'name', '') == {flow!r})\n"
        f"{call}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environ_of(daemon),
        capture_output=True,
        text=True,
        check=False,
        timeout=60 * SLOWER,
    )
    return done.stderr


@pytest.mark.parametrize(("flow", "task", "said"), CASES, ids=[case[0] for case in CASES])
def test_a_program_in_plain_python_names_the_task_and_the_line_and_shows_no_frame_of_ours(
    flow: str, task: str | None, said: str, daemon_of_flows: TestDaemon
) -> None:
    shown = plain(flow, daemon_of_flows)

    assert said in shown
    assert f'File "{WRONG}", line {line_of(flow)}' in shown
    assert task is None or re.search(rf"ERROR {task}(\[1\])?: (failed|timed_out)", shown), shown
    assert not OURS.search(shown), shown


@pytest.mark.parametrize(("flow", "task", "said"), CASES, ids=[case[0] for case in CASES])
def test_a_run_of_the_daemon_names_the_task_and_the_line_and_shows_no_frame_of_ours(
    flow: str, task: str | None, said: str, daemon_of_flows: TestDaemon
) -> None:
    failure = daemon_of_flows.run(flow).failure

    assert failure is not None
    assert (failure.task, failure.file, failure.line) == (task, str(WRONG), line_of(flow))
    assert said in f"{failure.type}: {failure.message}"
    assert f'File "{WRONG}", line {line_of(flow)}' in failure.traceback
    assert not OURS.search(failure.traceback)


def test_a_hook_that_breaks_is_told_with_its_place_and_changes_nothing(daemon_of_flows: TestDaemon) -> None:
    said = f"hook breaks ({WRONG}:{line_of('in-a-hook')}) raised RuntimeError: the hook is broken"

    run = daemon_of_flows.run("in-a-hook")

    assert said in plain("in-a-hook", daemon_of_flows)
    assert (run.state, run.result, said in run.log) == ("completed", 1, True)
