"""Log lines: which come back, and in which order."""

from typing import Any

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.logs import LogLine, Stream
from schedulerd.domain.states import RunState
from schedulerd.store.database import Database
from tests.builders import NOW
from tests.store.scenes import a_line, a_scene, a_task, add_in, an_intake

LINES = (
    a_line("Starting 100%", level=10),
    a_line("extracting", task=1),
    a_line("Disk nearly full", level=30, task=2),
    a_line("boom", level=40, stream=Stream.STDERR, logger=""),
    a_line("마지막", level=20, task=1),
)

CASES: dict[str, tuple[dict[str, Any], list[int]]] = {
    "all": ({"limit": 100}, [1, 2, 3, 4, 5]),
    "the first": ({"limit": 2}, [1, 2]),
    "the last": ({"limit": 2, "tail": True}, [4, 5]),
    "after": ({"limit": 2, "after": 2}, [3, 4]),
    "the last after": ({"limit": 2, "after": 4, "tail": True}, [5]),
    "after the end": ({"limit": 2, "after": 5}, []),
    "of a task": ({"limit": 100, "task": 1}, [2, 5]),
    "of a level": ({"limit": 100, "min_level": 30}, [3, 4]),
    "text in any letter case": ({"limit": 100, "text": "DISK"}, [3]),
    "text with a wildcard": ({"limit": 100, "text": "%"}, [1]),
    "Hangul": ({"limit": 100, "text": "지막"}, [5]),
    "the last of a task": ({"limit": 1, "task": 1, "tail": True}, [5]),
}


@pytest.mark.parametrize(("wanted", "expected"), CASES.values(), ids=CASES.keys())
def test_lines_are_told_by(database: Database, wanted: dict[str, Any], expected: list[int]) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        key, other = (add_in(tx, flow, RunState.PENDING) for _ in range(2))
        tasks = (a_task(1, name="extract"), a_task(2, name="load"))
        tx.intake.take([an_intake(key, lines=LINES, tasks=tasks), an_intake(other)])

        found = tx.logs.lines(key, **wanted)

    assert [line.number for line in found] == expected
    assert [line.line for line in found] == [LINES[number - 1] for number in expected]


def test_a_line_knows_the_name_of_its_task(database: Database) -> None:
    lines = (a_line(task=1), a_line(), a_line(task=9))
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.PENDING)
        tx.intake.take([an_intake(key, lines=lines)])

        assert [line.task_name for line in tx.logs.lines(key, limit=3)] == ["extract", None, None]


def test_a_run_without_lines_has_none(database: Database) -> None:
    with database.read() as tx:
        assert tx.logs.lines(RunKey(1), limit=10) == []
        assert tx.logs.count(RunKey(1)) == 0


def test_a_long_line_comes_back_whole(database: Database) -> None:
    line = LogLine(at=NOW, level=20, message="é" * 65_536, stream=Stream.STDOUT)
    with database.write() as tx:
        key = add_in(tx, a_scene(tx).flow, RunState.PENDING)
        tx.intake.take([an_intake(key, lines=(line,))])

        assert tx.logs.lines(key, limit=1)[0].line == line
