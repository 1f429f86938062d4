"""Prefect 3's names by the numbers of the list of names: what holds, and what happens where it is used wrongly.

Each is shown twice: in a plain Python process, and in a run of the daemon.
"""

from typing import Any, Final

import pytest

from schedulerd.authoring.prefect_names import ABSENT, LATER, names
from schedulerd.testing import TestDaemon, history
from tests.prefect.conftest import FUNCTION_STYLE, assert_came_to

COVERED: Final = {*range(1, 14), *range(17, 28), *range(31, 38)}
WITHOUT_A_RUN: Final = {33: "tests/testing: it is what a test runs flows with"}

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
    (37, "r37-fails", "failed", "ValueError"),
]
every_case = pytest.mark.parametrize(
    ("flow", "state", "value"), [pytest.param(*case, id=f"{rank}-{case[0]}") for rank, *case in CASES]
)


@every_case
def test_in_a_plain_python_process(flow: str, state: str, value: Any) -> None:
    with history() as seen:
        run = seen.run(f"{FUNCTION_STYLE}:{flow}", _given(flow))

    assert_came_to(run, state, value)


@every_case
def test_in_a_run_of_the_daemon(flow: str, state: str, value: Any, daemon_of_flows: TestDaemon) -> None:
    assert_came_to(daemon_of_flows.run(flow, _given(flow)), state, value)


def test_every_rank_that_is_meant_has_a_case_or_is_not_there_yet() -> None:
    shown = {rank for rank, *_ in CASES} | set(WITHOUT_A_RUN)
    missing = {one.rank for one in names() if one.generation == 3 and one.status in (ABSENT, LATER)}

    assert COVERED - shown <= missing


def _given(flow: str) -> dict[str, Any]:
    return {"r20": {"x": 1}, "r27": {"x": 3}}.get(flow, {})
