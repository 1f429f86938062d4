"""The names by which a flow asks the daemon, or its project in plain Python, by their ranks in both lists.

Each is shown twice: in a program in plain Python, in the folder of a project, and in a run of the daemon of that project.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from schedulerd.testing import TestDaemon
from tests.prefect.conftest import ASKING, as_json, assert_came_to
from tests.waiting import SLOWER, eventually

NOBODY: Final = "no daemon runs it that could be told"
NOT_HERE: Final = "the limit nobody-set-this is kept among runs of the daemon only"
NO_LIMIT: Final = "there is no limit 'nobody-set-this'"
NO_FLOW: Final = "there is no flow 'nobody-has-this"

# Rank, flow, the state that it comes to, and: what it returns where it completed, else a part of what is said of it; and what
# is said in a run of the daemon, where that is something else.
Case = tuple[int, str, str, Any, Any]
OF_PREFECT_3: Final[list[Case]] = [
    (9, "r09", "completed", [True, "Secret('**********')"], None),
    (9, "r09-async", "completed", 11, None),
    (9, "r09-fails", "failed", "there is no secret 'nowhere' here", None),
    (9, "r09-taken", "failed", "there is a secret 'taken' already", None),
    (10, "r10-others", "completed", [5, True], None),
    (10, "r10-table-fails", "failed", "a table is a list of rows", None),
    (10, "r10-link-fails", "failed", "link has to be text", None),
    (10, "r10-progress-fails", "failed", "progress is a number from 0 to 100, not 101", None),
    (10, "r10-image-fails", "failed", "'No Key' cannot be the key of an artifact", None),
    (13, "r13", "completed", [True, "asked-for", "8", {}], None),
    (13, "r13-async", "completed", True, None),
    (13, "r13-child-fails", "completed", [True, "LookupError: no 1"], None),
    (13, "r13-fails", "failed", NO_FLOW, None),
    (13, "r13-parameters-fails", "failed", "letter", None),
    (30, "r30", "completed", [{"rows": 3}, "text", 27], None),
    (30, "r30-async", "completed", "text", None),
    (30, "r30-fails", "failed", "there is no JSON 'nothing-of-this-name'", None),
    (30, "r30-string-fails", "failed", "the variable 'no-string' is no String, which is a text", None),
    (30, "r30-moment-fails", "failed", "the variable 'no-moment' is no DateTime", None),
    (30, "r30-taken", "failed", "there is a variable 'taken-string' already", None),
    (31, "r31", "completed", "held", None),
    (31, "r31-rate", "completed", "went on", None),
    (31, "r31-async", "completed", "held", None),
    (31, "r31-fails", "failed", NOT_HERE, NO_LIMIT),
    (31, "r31-rate-fails", "failed", NOT_HERE, NO_LIMIT),
    (31, "r31-async-fails", "failed", NOT_HERE, NO_LIMIT),
    (32, "r32-fails", "failed", "needs an id", None),
    (34, "r34-late", "failed", NOBODY, "nobody has approved within 0.2 s"),
    (34, "r34-suspend-late", "failed", NOBODY, "nobody has approved within 0.2 s"),
    (34, "r34-resume", "failed", "'' is no id of a run", None),
]
OF_PREFECT_1: Final[list[Case]] = [
    (22, "g22", "completed", ["completed", "10"], None),
    (22, "g22-starts", "completed", None, None),
    (22, "g22-result", "completed", [10, [2, 4, 6], 4, "7"], None),
    (22, "g22-result-fails", "failed", "is failed: LookupError: nothing", None),
    (22, "g22-result-name-fails", "failed", "there is no task 'twicee'", None),
    (22, "g22-result-of-another-fails", "failed", "there is no run", None),
    (22, "g22-create-fails", "failed", NO_FLOW, None),
    (22, "g22-wait-fails", "failed", "is failed: LookupError: no 1", None),
    (22, "g22-start-fails", "failed", "is failed: LookupError: no 1", None),
    (27, "g27", "completed", [{"rows": 1}, True, True, 36, 36], None),
    (27, "g27-get-fails", "failed", "no value is set for the key 'nothing-of-this-name'", None),
    (27, "g27-set-fails", "failed", "'no key' cannot be the name of a variable", None),
    (27, "g27-artifact-fails", "failed", "markdown has to be text, not int", None),
]
WAITS: Final = ["r34-pause", "r34-suspend", "g17-pause", "g19-manual"]
every_case = pytest.mark.parametrize(
    ("flow", "state", "value", "by_daemon"),
    [pytest.param(*case, id=f"{rank}-{case[0]}") for rank, *case in (*OF_PREFECT_3, *OF_PREFECT_1)],
)
WITH_AN_ID_AS_VALUE: Final = "g22-starts"


@pytest.fixture(scope="module")
def plainly(daemon_of_flows: TestDaemon) -> Mapping[str, list[Any]]:
    """What all of them come to in one program in plain Python, by the name of the flow."""
    names = [*(flow for _, flow, *_ in (*OF_PREFECT_3, *OF_PREFECT_1)), *WAITS]
    done = subprocess.run(
        [*_command(), *names],
        env=environ_of(daemon_of_flows),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60 * SLOWER,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name: came_to for name, *came_to in map(json.loads, done.stdout.splitlines())}


@every_case
def test_in_a_program_in_plain_python(
    flow: str, state: str, value: Any, by_daemon: Any, plainly: Mapping[str, list[Any]]
) -> None:
    found_state, found = plainly[flow]

    assert found_state == state, found
    if flow == WITH_AN_ID_AS_VALUE:
        assert len(found) == 36
    elif state == "completed":
        assert found == value
    else:
        assert value in found


@every_case
def test_in_a_run_of_the_daemon(
    flow: str, state: str, value: Any, by_daemon: Any, daemon_of_flows: TestDaemon
) -> None:
    run = daemon_of_flows.run(flow)

    if flow == WITH_AN_ID_AS_VALUE:
        assert (run.state, len(run.result)) == (state, 36)
    else:
        assert_came_to(run, state, value if by_daemon is None else by_daemon)


def test_22_a_run_is_not_given_what_the_tasks_of_a_run_came_to_that_it_did_not_ask_for(
    daemon_of_flows: TestDaemon,
) -> None:
    other = daemon_of_flows.run("asked-for-tasks")

    refused = daemon_of_flows.run("g22-result-of-another-fails", {"run": other.id})

    assert_came_to(refused, "failed", f"{other.name} was not asked for by this run")


# -- 34, and 17 and 19 of Prefect 1: what waits for a decision -------------------------------------------------------


@pytest.mark.parametrize("flow", WAITS)
def test_a_flow_in_plain_python_fails_where_there_is_no_terminal(
    flow: str, plainly: Mapping[str, list[Any]]
) -> None:
    state, said = plainly[flow]

    assert (state, NOBODY in said) == ("failed", True)


@pytest.mark.parametrize("flow", WAITS)
def test_a_flow_in_plain_python_asks_in_its_terminal_and_goes_on(
    flow: str, daemon_of_flows: TestDaemon
) -> None:
    with _in_a_terminal(flow, daemon_of_flows) as (terminal, said):
        os.write(terminal, b"y\n")

        assert said() == [flow, "completed", "released"]


@pytest.mark.parametrize("flow", WAITS)
def test_a_flow_in_plain_python_fails_where_its_terminal_says_no(
    flow: str, daemon_of_flows: TestDaemon
) -> None:
    with _in_a_terminal(flow, daemon_of_flows) as (terminal, said):
        os.write(terminal, b"n\n")

        name, state, why = said()
        assert (name, state) == (flow, "failed")
        assert "Rejected: rejected at the terminal" in why


@pytest.mark.parametrize("flow", WAITS)
def test_a_run_of_the_daemon_waits_until_it_is_approved(flow: str, daemon_of_flows: TestDaemon) -> None:
    paused = _paused(daemon_of_flows, flow)
    daemon_of_flows.operations.approvals.decide(paused, approved=True, actor="test", reason="")

    assert_came_to(daemon_of_flows.wait(paused), "completed", "released")


@pytest.mark.parametrize("flow", WAITS)
def test_a_run_of_the_daemon_fails_that_is_rejected(flow: str, daemon_of_flows: TestDaemon) -> None:
    paused = _paused(daemon_of_flows, flow)
    daemon_of_flows.operations.approvals.decide(paused, approved=False, actor="test", reason="not now")

    assert_came_to(daemon_of_flows.wait(paused), "failed", "rejected by test: not now")


def test_34_a_run_is_resumed_by_another_and_by_plain_python(daemon_of_flows: TestDaemon) -> None:
    first, second = _paused(daemon_of_flows, "r34-pause"), _paused(daemon_of_flows, "r34-suspend")
    ids = [str(daemon_of_flows.operations.runs.get(one).id) for one in (first, second)]

    resumed = daemon_of_flows.run("r34-resume", {"run": ids[0]})
    code = f"from schedulerd import resume_flow_run; resume_flow_run({ids[1]!r})"
    subprocess.run(
        [sys.executable, "-c", code], env=environ_of(daemon_of_flows), check=True, timeout=30 * SLOWER
    )

    assert_came_to(resumed, "completed", "resumed")
    assert_came_to(daemon_of_flows.wait(first), "completed", "released")
    assert_came_to(daemon_of_flows.wait(second), "completed", "released")


def _paused(daemon: TestDaemon, flow: str) -> str:
    """A run of the flow that waits for a decision, by its name."""
    run = daemon.operations.runs.start(flow, {}).run.selector
    eventually(lambda: daemon.operations.runs.get(run).state == "paused", within=60)
    return run


@contextmanager
def _in_a_terminal(flow: str, daemon: TestDaemon) -> Iterator[tuple[int, Any]]:
    """A program that runs this flow in a terminal: where it can be typed to, and a way to read what it printed in the end."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [*_command(), flow],
        env=environ_of(daemon),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    try:
        yield ours, lambda: as_json(json.loads(process.communicate(timeout=30 * SLOWER)[0]))
    finally:
        process.kill()
        process.communicate()
        os.close(ours)


def _command() -> list[str]:
    return [sys.executable, "-m", "tests.prefect.plainly", str(ASKING)]


def environ_of(daemon: TestDaemon) -> dict[str, str]:
    """That of a program that is started in the folder of the daemon's project."""
    path = str(Path(__file__).parents[2])
    return {**os.environ, "SCHEDULERD_CONFIG": str(daemon.folder / "schedulerd.toml"), "PYTHONPATH": path}
