"""Prefect 1's names by the numbers of the list of names: what holds, and what happens where it is used wrongly.

Each is shown twice: in a plain Python process, and in a run of the daemon.
"""

from typing import Any, Final

import pytest

from schedulerd.errors import BadParameters
from schedulerd.testing import TestDaemon, history
from tests.prefect.conftest import GRAPH_STYLE, assert_came_to, file_of

HELD, REFUSED = "completed", "upstream_failed"
TRIGGERED: Final = {
    "all_successful": [HELD, REFUSED],
    "always_run": [HELD, HELD],
    "any_successful": [HELD, REFUSED],
    "some_failed": [HELD, REFUSED],
    "not_all_skipped": [HELD, REFUSED],
}

# Rank, flow, the state that it comes to, and: what it returns where it completed, else a part of its message.
CASES: Final[list[tuple[int, str, str, Any]]] = [
    (1, "g01", "completed", 1),
    (1, "g01-fails", "failed", "1 of 2 tasks failed: breaks"),
    (2, "g02", "completed", 3),
    (2, "g02-fails", "completed", True),
    (3, "g03", "completed", 2),
    (3, "g03-fails", "completed", [True, 1]),
    (4, "g04", "completed", 7.0),
    (4, "g04-fails", "failed", "failed"),
    (5, "g05", "completed", [True, 15, True]),
    (5, "g05-fails", "completed", True),
    (6, "g06", "completed", 7),
    (6, "g06-moment", "completed", 2026),
    (7, "g07", "completed", ["g07", None, 10, 7, "asks"]),
    (7, "g07-fails", "failed", "failed"),
    (8, "g08", "completed", 9),
    (8, "g08-unmapped", "completed", 306),
    (8, "g08-mapped", "completed", 3),
    (8, "g08-empty", "completed", 0),
    (8, "g08-fails", "failed", "inverse"),
    (12, "g12", "completed", 11),
    (12, "g12-fails", "completed", [True, 2]),
    (13, "g13", "completed", 3),
    (13, "g13-local", "completed", 2),
    (13, "g13-fails", "completed", True),
    (14, "g14", "completed", "hello you"),
    (14, "g14-fails", "completed", True),
    (15, "g15", "completed", 2),
    (15, "g15-switch", "completed", {"add": 10, "total": 5}),
    (15, "g15-fails", "failed", "breaks"),
    (16, "g16", "completed", "c"),
    (16, "g16-references", "completed", 1),
    (16, "g16-fails", "completed", True),
    (17, "g17", "completed", 10),
    (17, "g17-retry", "completed", "again"),
    (17, "g17-skip", "completed", None),
    (17, "g17-fails", "failed", "fails"),
    (17, "g17-endrun", "failed", "ends"),
    (18, "g18", "completed", [True, True, True, True]),
    (18, "g18-fails", "failed", "breaks"),
    (19, "g19", "completed", "always"),
    (19, "g19-fails", "failed", "failed"),
    (21, "g21", "completed", 10),
    (21, "g21-fails", "failed", "g21_asks"),
    (24, "g24", "completed", ["one", "two"]),
    (24, "g24-fails", "failed", "ShellTask"),
    (26, "g26", "completed", 10),
    (26, "g26-fails", "failed", "handled"),
    (28, "g28", "completed", "'broken'"),
    (28, "g28-fails", "failed", "g28_lets_go"),
    (4, "g04-compares", "completed", 1),
    (4, "g04-compares-fails", "completed", True),
    (12, "g12-times", "completed", [1, 2]),
    (12, "g12-times-fails", "completed", ["a clock", "interval", "a start", "a recurrence rule"]),
    (13, "g13-dask", "completed", 2),
    (13, "g13-dask-fails", "failed", "1 of 3 tasks failed: breaks"),
    (16, "g16-imperative", "completed", "ac"),
    (16, "g16-looks", "completed", [["a", "b", "c", "d"], True]),
    (16, "g16-imperative-fails", "completed", [True, True, []]),
    (17, "g17-triggerfail", "failed", "not before"),
    (17, "g17-validationfail", "failed", "not_valid"),
    (18, "g18-kinds", "completed", [2, True, True, True, True]),
    (18, "g18-timed-out", "failed", "1 of 1 task failed: late"),
    (18, "g18-cancelled", "failed", "by a handler"),
    (18, "g18-unfinished", "failed", "1 of 1 task failed: asked"),
    (19, "g19-kinds", "completed", TRIGGERED),
    (19, "g19-kinds-fails", "completed", True),
    (20, "g20-fails", "failed", "schedulerd has no Client: ask the command line"),
    (28, "g28-config", "completed", True),
    (28, "g28-config-asked-fails", "failed", "asks_a_config"),
    (28, "g28-config-fails", "failed", "set_temporary_config: settings are not read by flows"),
]
every_case = pytest.mark.parametrize(
    ("flow", "state", "value"), [pytest.param(*case, id=f"{rank}-{case[0]}") for rank, *case in CASES]
)


@every_case
def test_in_a_plain_python_process(flow: str, state: str, value: Any) -> None:
    with history() as seen:
        run = seen.run(f"{file_of(flow)}:{flow}")

    assert_came_to(run, state, value)


@every_case
def test_in_a_run_of_the_daemon(flow: str, state: str, value: Any, daemon_of_flows: TestDaemon) -> None:
    assert_came_to(daemon_of_flows.run(flow), state, value)


def test_6_a_parameter_that_is_missing_is_refused_before_there_is_a_run(daemon_of_flows: TestDaemon) -> None:
    with history() as seen, pytest.raises(BadParameters, match="needed"):
        seen.run(f"{GRAPH_STYLE}:g06-fails")
    with pytest.raises(BadParameters, match="needed"):
        daemon_of_flows.run("g06-fails")
