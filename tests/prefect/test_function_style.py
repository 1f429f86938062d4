"""Prefect 3's names by the numbers of the list of names: what holds, and what happens where it is used wrongly.

Each is shown twice: in a plain Python process, and in a run of the daemon.
"""

from typing import Any, Final

import pytest

from schedulerd import flow
from schedulerd.testing import TestDaemon, history
from schedulerd.testing.utilities import prefect_test_harness
from tests.prefect.conftest import assert_came_to, file_of

# Rank, flow, the state that it comes to, and: what it returns where it completed, else a part of its message.
CASES: Final[list[tuple[int, str, str, Any]]] = [
    (1, "r01", "completed", 2),
    (1, "r01-raises", "failed", "RuntimeError: out of order"),
    (1, "r01-late", "timed_out", ""),
    (2, "r02", "completed", [4, "twice-4", 3]),
    (2, "r02-raises", "failed", "KeyError: 'broken'"),
    (3, "r03", "completed", None),
    (4, "r04", "completed", [8, 4]),
    (4, "r04-fails", "failed", "did not complete"),
    (5, "r05", "completed", [True, 6]),
    (5, "r05-fails", "failed", "KeyError: 'theirs'"),
    (6, "r06", "completed", "served"),
    (7, "r07", "completed", "deployed"),
    (8, "r08", "completed", [8, 8, 9, 2]),
    (8, "r08-fails", "completed", 2),
    (11, "r11", "completed", [2, 4, 6, "x"]),
    (11, "r11-unmapped", "completed", [[1, [0, 0]], [2, [0, 0]]]),
    (11, "r11-fails", "failed", "MappingLengthMismatch"),
    (11, "r11-none", "failed", "MappingMissingIterable"),
    (17, "r17", "completed", [4, "renamed", "double", "other"]),
    (17, "r17-fails", "failed", "TypeError"),
    (18, "r18", "completed", [10, "r01_raises"]),
    (18, "r18-fails", "failed", "KeyError: 'raw'"),
    (10, "r10", "completed", 36),
    (10, "r10-fails", "failed", ""),
    (19, "r19", "completed", ["value", "usual"]),
    (19, "r19-fails", "failed", ""),
    (32, "r32", "completed", "told"),
    (20, "r20", "completed", ["r20", {"x": 1}, ["night"], "facts", 1, True]),
    (20, "r20-fails", "failed", "AttributeError"),
    (21, "r21", "completed", [1, 2]),
    (21, "r21-sequential", "completed", [1, 2, 3]),
    (21, "r21-fails", "failed", "TypeError"),
    (22, "r22", "completed", ["both", "own", "within"]),
    (22, "r22-fails", "failed", "TypeError"),
    (23, "r23", "completed", None),
    (23, "r23-fails", "failed", "by hand"),
    (23, "r23-cancelled", "cancelled", "did not complete"),
    (24, "r24", "completed", ["Cron", "Interval"]),
    (24, "r24-others", "completed", 2),
    (24, "r24-fails", "failed", "TypeError"),
    (25, "r25", "completed", "KeyError"),
    (25, "r25-fails", "failed", ""),
    (26, "r26", "completed", [True, True, True]),
    (26, "r26-fails", "failed", "TypeError"),
    (27, "r27", "completed", ["r27", {"x": 3}, True]),
    (27, "r27-fails", "failed", "MissingContext"),
    (36, "r36", "completed", [3, 0, [2, 4, 6]]),
    (36, "r36-fails", "failed", "TimeoutError"),
    (37, "r37", "completed", True),
    (3, "r03-fails", "completed", ["schedulerd.run"]),
    (6, "r06-fails", "failed", "TypeError: serve() does not know crom; it knows interval, cron"),
    (6, "r06-when-fails", "failed", "ValueError: schedule"),
    (7, "r07-fails", "failed", "ValueError: schedule"),
    (7, "r07-source-fails", "failed", "ImportError: schedulerd.flows.Flow has no from_source: a run has"),
    (5, "r05-kind", "completed", [True, [True]]),
    (
        12,
        "r12-fails",
        "failed",
        "ImportError: schedulerd.deployments has no Deployment: a flow is found by its file",
    ),
    (20, "r20-deployment", "completed", [None, None, {}]),
    (20, "r20-deployment-fails", "failed", "runtime.deployment has no attribute 'nothing_of_this_name'"),
    (21, "r21-processes", "completed", [8, True]),
    (21, "r21-processes-fails", "failed", "LookupError: from there"),
    (
        23,
        "r23-kinds",
        "completed",
        [["CRASHED", "RUNNING", "PENDING", "SCHEDULED"], [True, False, False, False]],
    ),
    (23, "r23-crashed", "crashed", "it went away"),
    (23, "r23-unfinished", "failed", "the flow returned the state running, which is no end"),
    (24, "r24-of-clients", "completed", 2),
    (24, "r24-of-clients-fails", "failed", "interval must be a timedelta"),
    (26, "r26-others", "completed", ["default", "parameters", "nothing", "nothing"]),
    (26, "r26-others-fails", "failed", "an argument's name is left out of a cache policy, not 5"),
    (27, "r27-kinds", "completed", ["r27-kinds", True, "within", "within"]),
    (27, "r27-kinds-fails", "failed", "AttributeError"),
    (35, "r35-fails", "failed", "there is no schedulerd.transactions"),
    (37, "r37-fails", "failed", "ValueError"),
]
every_case = pytest.mark.parametrize(
    ("name", "state", "value"), [pytest.param(*case, id=f"{rank}-{case[0]}") for rank, *case in CASES]
)


@every_case
def test_in_a_plain_python_process(name: str, state: str, value: Any) -> None:
    with history() as seen:
        run = seen.run(f"{file_of(name)}:{name}", _given(name))

    assert_came_to(run, state, value)


@every_case
def test_in_a_run_of_the_daemon(name: str, state: str, value: Any, daemon_of_flows: TestDaemon) -> None:
    assert_came_to(daemon_of_flows.run(name, _given(name)), state, value)


def test_33_a_harness_has_the_history_of_what_ran_in_it_and_of_nothing_else() -> None:
    with prefect_test_harness() as seen:
        with pytest.raises(LookupError, match="no flow has run in this block yet"):
            _ = seen.last
        assert flow(name="harnessed")(lambda: 3)() == 3

        assert (seen.last.flow, seen.last.result) == ("harnessed", 3)
    with prefect_test_harness() as another:
        assert another.runs == ()


def _given(name: str) -> dict[str, Any]:
    return {"r20": {"x": 1}, "r27": {"x": 3}}.get(name, {})
