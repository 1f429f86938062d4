"""The log of a run through the API: a stretch of it, what is found in it, and its lines as they come."""

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from schedulerd.domain.ids import RunId
from schedulerd.domain.runs import Position
from schedulerd.domain.states import RunState, TaskState
from schedulerd.operations.log_chunks import ChunkFilter
from schedulerd.operations.log_search import Matches
from schedulerd.store.database import Database
from tests.store.scenes import a_line, a_move, a_task, an_intake, move
from tests.waiting import eventually
from tests.web.run_api_scene import API, RunApiScene

LINES = (
    a_line("one Apple", level=10),
    a_line("two", task=1),
    a_line("three apples", level=30, task=2),
    a_line("four 100%", level=40),
    a_line("five", level=45),
)


@pytest.fixture
def scene(sqlite_database: Database, tmp_path: Path) -> Iterator[RunApiScene]:
    """The API."""
    with RunApiScene(sqlite_database, tmp_path) as opened:
        yield opened


@pytest.fixture
def run(scene: RunApiScene) -> str:
    """A run that goes on, of two tasks and five lines."""
    made = scene.start()
    with scene.database.write() as tx:
        key = tx.runs.get(RunId(UUID(made))).key
        move(tx, key, RunState.PENDING)
        tasks = (a_task(1, TaskState.COMPLETED), a_task(2, TaskState.COMPLETED, name="load"))
        tx.intake.take([an_intake(key, tasks=tasks, lines=LINES)])
    return made


def end(scene: RunApiScene, run: str, *messages: str) -> None:
    """Have the run say something more, and complete."""
    with scene.database.write() as tx:
        key = tx.runs.get(RunId(UUID(run))).key
        lines = tuple(a_line(message) for message in messages)
        moves = (a_move(RunState.COMPLETED),)
        more = an_intake(
            key, was=Position(journal=100), now=Position(journal=200), moves=moves, tasks=(), lines=lines
        )
        tx.intake.take([more])


def numbers(scene: RunApiScene, run: str, **query: Any) -> list[int]:
    """The lines that are answered."""
    answer = scene.get(f"/runs/{run}/logs", query=query)
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line)["n"] for line in answer.text.splitlines()]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"since_line": 2, "limit": 2}, [3, 4]),
        ({"tail": "true", "limit": 2}, [4, 5]),
        ({"level": "warning"}, [3, 4, 5]),
        ({"task": "load"}, [3]),
        ({"task": "1"}, [2]),
        ({"q": "APPLE"}, [1, 3]),
        ({"q": "100%"}, [4]),
        ({"q": "apple", "level": "error"}, []),
    ],
)
def test_lines_are_told_as_they_are_asked_for(
    scene: RunApiScene, run: str, query: dict[str, Any], found: list[int]
) -> None:
    assert numbers(scene, run, **query) == found


def test_lines_come_as_text_to_who_wants_text(scene: RunApiScene, run: str) -> None:
    answer = scene.client.get(f"{API}/runs/{run}/logs?since_line=2&limit=2", headers={"Accept": "text/plain"})

    assert answer.text == (
        "2026-11-22T06:00:00.000Z WARNING  load: three apples\n2026-11-22T06:00:00.000Z ERROR    four 100%\n"
    )
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-last-line"] == "5"


@pytest.mark.parametrize(
    ("query", "status"), [({"task": "lod"}, 404), ({"level": "loud"}, 422), ({"lines": "5"}, 400)]
)
def test_what_cannot_be_asked_of_a_log_is_refused(
    scene: RunApiScene, run: str, query: dict[str, str], status: int
) -> None:
    assert scene.get(f"/runs/{run}/logs", query=query).status_code == status


def test_lines_are_followed_to_the_end_of_the_run(scene: RunApiScene, run: str) -> None:
    found: list[str] = []

    def follow() -> None:
        with scene.client.stream("GET", f"{API}/runs/{run}/logs?follow=1&since_line=3&limit=1") as answer:
            found.extend(answer.iter_lines())

    reader = Thread(target=follow)
    reader.start()
    end(scene, run, "six")
    eventually(lambda: not reader.is_alive())

    assert [line for line in found if line.startswith("id:")] == ["id: 4", "id: 5", "id: 6"]
    assert found[-3:] == ["event: end", 'data: {"state":"completed"}', ""]
    assert [json.loads(line[6:])["message"] for line in found if '"n":' in line][-1] == "six"


def test_the_log_of_a_run_that_has_ended_is_told_to_its_end_at_once(scene: RunApiScene, run: str) -> None:
    end(scene, run)
    answer = scene.get(f"/runs/{run}/logs", follow="1", tail="1", limit="2")

    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [line for line in answer.text.splitlines() if line.startswith(("id", "event"))]
    assert events == ["id: 4", "event: line", "id: 5", "event: line", "event: end"]


def test_a_log_is_looked_through(scene: RunApiScene, run: str) -> None:
    search, every = scene.operations.log_search, ChunkFilter()

    assert search.matches(run, "apple", every) == Matches(total=2, lines=(1, 3))
    assert search.matches(run, "apple", ChunkFilter(min_level=30)) == Matches(total=1, lines=(3,))
    assert search.matches(run, "apple", ChunkFilter(task=1)) == Matches(total=0, lines=())
    assert search.next_match(run, "apple", every, line=1) == 3
    assert search.next_match(run, "apple", every, line=3, backward=True) == 1
    assert search.next_match(run, "apple", every, line=3) is None
    assert (search.next_error(run), search.next_error(run, line=4)) == (4, 5)
    assert search.levels(run) == {"debug": 1, "info": 1, "warning": 1, "error": 2}
    assert search.levels(run, task=2) == {"warning": 1}


def test_of_more_matches_than_are_told_all_are_counted(
    scene: RunApiScene, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from schedulerd.operations import log_search

    monkeypatch.setattr(log_search, "MOST", 2)

    assert scene.operations.log_search.matches(run, "e", ChunkFilter()) == Matches(total=3, lines=(1, 3))
