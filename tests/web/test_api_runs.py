"""The API of runs, as far as it is read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from schedulerd.domain.ids import RunId
from schedulerd.domain.results import OF_FLOW, Result, ResultKind
from schedulerd.domain.states import RunState, TaskState
from schedulerd.domain.told import Artifact, ArtifactKind
from schedulerd.operations.shapes import run_details_shape, run_shape
from schedulerd.store.database import Database
from schedulerd.web.api.run_models import (
    ArtifactOut,
    MoveOut,
    ParamsOut,
    RunDetailsOut,
    RunGraphOut,
    RunsOut,
    TaskOut,
)
from tests.builders import NOW
from tests.store.scenes import a_move, a_task, an_intake, move
from tests.web.run_api_scene import API, RunApiScene


@pytest.fixture
def scene(sqlite_database: Database, tmp_path: Path) -> Iterator[RunApiScene]:
    """The API, and a history."""
    with RunApiScene(sqlite_database, tmp_path) as opened:
        yield opened


def complete(scene: RunApiScene, run: str, **brought: Any) -> None:
    """Have the run complete, with what it brought."""
    with scene.database.write() as tx:
        key = tx.runs.get(RunId(UUID(run))).key
        move(tx, key, RunState.PENDING)
        moves = (a_move(RunState.RUNNING), a_move(RunState.COMPLETED))
        tx.intake.take([an_intake(key, **({"moves": moves, "tasks": ()} | brought))])


def numbers(answer: Any) -> list[int]:
    """The runs of a page."""
    return [run["number"] for run in answer.json()["items"]]


def test_runs_are_listed_newest_first_in_the_shape_that_the_command_line_prints(scene: RunApiScene) -> None:
    scene.start(region="kr")
    last = scene.start("report")
    found = scene.get("/runs")

    now = scene.clock.now()
    assert found.json()["items"][0] == run_shape(scene.operations.runs.get(last), now=now)
    page = RunsOut.model_validate_json(found.content)
    assert [run.name for run in page.items] == ["report#1", "etl#1"]
    assert (page.next_cursor, page.prev_cursor, page.searched_to) == (None, None, None)
    assert "link" not in found.headers


def test_one_follows_the_links_through_the_history_and_back(scene: RunApiScene) -> None:
    for _ in range(5):
        scene.start()
    first = scene.get("/runs", limit=2, flow="etl")
    second = scene.client.get(first.links["next"]["url"])
    third = scene.client.get(second.links["next"]["url"])
    back = scene.client.get(third.links["prev"]["url"])

    assert [numbers(page) for page in (first, second, third, back)] == [[5, 4], [3, 2], [1], [3, 2]]
    assert "next" not in third.links
    assert "limit=2" in first.links["next"]["url"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "flow:etl"}, ["etl#2", "etl#1"]),
        ({"flow": "rep*"}, ["report#1"]),
        ({"tag": "prod"}, ["report#1"]),
        ({"state": "failed,scheduled", "flow": "etl"}, ["etl#2", "etl#1"]),
        ({"param.region": "kr"}, ["etl#1"]),
        ({"q": "flow:etl", "param.region": "kr"}, ["etl#1"]),
        ({"trigger": "schedule"}, []),
        ({"since": "1h", "until": "2100-01-01"}, ["report#1", "etl#2", "etl#1"]),
    ],
)
def test_runs_are_filtered_by_terms_and_by_parameters(
    scene: RunApiScene, query: dict[str, str], found: list[str]
) -> None:
    scene.start(region="kr")
    scene.start(region="us")
    scene.start("report")

    answer = scene.get("/runs", query=query)

    assert [run["name"] for run in answer.json()["items"]] == found


def test_a_page_has_only_the_fields_that_are_asked_for(scene: RunApiScene) -> None:
    run = scene.start()

    assert scene.get("/runs", fields="id, state").json()["items"] == [{"id": run, "state": "scheduled"}]


def test_runs_are_counted_when_that_is_asked_for(scene: RunApiScene) -> None:
    for _ in range(3):
        scene.start()
    scene.start("report")
    answer = scene.get("/runs", count="capped", limit=1, q="flow:etl state:bad,waiting")

    page = RunsOut.model_validate_json(answer.content)
    assert (page.count, page.count_is) == (3, "exact")
    assert page.counts is not None
    assert page.counts.waiting.model_dump() == {"count": 3, "count_is": "exact"}


@pytest.mark.parametrize(
    ("path", "query", "kind", "parameter", "said"),
    [
        ("/runs", {"q": "a sate:bad"}, "bad-filter", "q", "did you mean state"),
        ("/runs", {"state": "baad"}, "bad-filter", "state", "did you mean bad"),
        ("/runs", {"dur": ">5m,1"}, "bad-filter", "dur", "takes one value"),
        ("/runs", {"fields": "id,stat"}, "unknown-field", "fields", "did you mean state"),
        ("/runs", {"after": "abc"}, "bad-cursor", "after", "no cursor"),
        ("/runs", {"before": "abc"}, "bad-cursor", "before", "no cursor"),
        ("/flows/etl/runs", {"flow": "report"}, "bad-filter", "flow", "stands here twice"),
    ],
)
def test_what_is_wrong_with_a_query_is_told_with_its_place(
    scene: RunApiScene, path: str, query: dict[str, str], kind: str, parameter: str, said: str
) -> None:
    answer = scene.get(path, query=query)

    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (400, f"/problems/{kind}")
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = problem["errors"]
    assert error["parameter"] == parameter
    assert said in error["detail"]


@pytest.mark.parametrize(
    ("path", "query", "kind", "said"),
    [
        ("/runs", {"stat": "bad"}, "unknown-parameter", "did you mean state"),
        ("/runs", {"zzz": "2"}, "unknown-parameter", "after, agent, before"),
        ("/flows/etl/runs", {"afetr": "2"}, "unknown-parameter", "did you mean after"),
        ("/runs/@last", {"fields": "id"}, "unknown-parameter", "none"),
        ("/runs", {"after": "a", "before": "b"}, "bad-request", "one of them"),
    ],
)
def test_what_a_query_may_not_have_is_refused_with_what_it_may(
    scene: RunApiScene, path: str, query: dict[str, str], kind: str, said: str
) -> None:
    problem = scene.get(path, query=query).json()

    assert (problem["status"], problem["type"]) == (400, f"/problems/{kind}")
    assert said in problem["mend"]


def test_a_mistake_in_a_filter_is_marked(scene: RunApiScene) -> None:
    (error,) = scene.get("/runs", q="a sate:bad").json()["errors"]

    assert (error["code"], error["start"], error["end"]) == ("filter.key", 2, 10)


def test_a_cursor_of_other_filters_is_refused(scene: RunApiScene) -> None:
    for _ in range(2):
        scene.start()
    cursor = scene.get("/runs", limit=1).json()["next_cursor"]

    answer = scene.get("/runs", state="bad", after=cursor)

    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/cursor-mismatch")


def test_runs_of_a_flow_are_found_under_it(scene: RunApiScene) -> None:
    scene.start()
    scene.start("report")

    assert [run["name"] for run in scene.get("/flows/etl/runs").json()["items"]] == ["etl#1"]
    assert scene.get("/flows/elt/runs").status_code == 404


def test_a_flow_that_nobody_knows_is_a_404_with_what_comes_near(scene: RunApiScene) -> None:
    answer = scene.get("/runs", flow="elt")

    assert answer.status_code == 404
    assert "did you mean etl" in answer.json()["detail"]


def test_a_run_is_told_with_its_tasks_and_moves(scene: RunApiScene) -> None:
    run = scene.start(region="kr")
    task = a_task(state=TaskState.COMPLETED)
    complete(scene, run, tasks=(task,))
    answer = scene.get(f"/runs/{run}")

    details = scene.operations.runs.details(run)
    assert answer.json() == run_details_shape(details, now=scene.clock.now())
    told = RunDetailsOut.model_validate_json(answer.content)
    assert [move.to for move in told.moves] == ["pending", "running", "completed"]
    assert [task.name for task in told.tasks] == ["extract"]


def test_a_run_that_has_not_changed_is_not_sent_again(scene: RunApiScene) -> None:
    run = scene.start()
    etag = scene.get(f"/runs/{run}").headers["etag"]
    held = {"If-None-Match": f'"other", {etag}'}

    again = scene.client.get(f"{API}/runs/{run}", headers=held)
    complete(scene, run)
    changed = scene.client.get(f"{API}/runs/{run}", headers=held)

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


def test_the_parts_of_a_run_have_addresses_of_their_own(scene: RunApiScene) -> None:
    run = scene.start(region="kr")
    artifact = Artifact(id=UUID(int=7), kind=ArtifactKind.MARKDOWN, at=NOW, data="# Rows", key="rows")
    task = a_task(state=TaskState.COMPLETED)
    complete(scene, run, tasks=(task,), artifacts=(artifact,))

    tasks = TypeAdapter(list[TaskOut]).validate_json(scene.get(f"/runs/{run}/tasks").content)
    moves = TypeAdapter(list[MoveOut]).validate_json(scene.get(f"/runs/{run}/moves").content)
    found = TypeAdapter(list[ArtifactOut]).validate_json(scene.get(f"/runs/{run}/artifacts").content)
    params = ParamsOut.model_validate_json(scene.get(f"/runs/{run}/params").content)

    assert [task.name for task in tasks] == ["extract"]
    assert (moves[0].was, moves[0].to) == ("scheduled", "pending")
    assert [(one.key, one.data) for one in found] == [("rows", "# Rows")]
    assert params.parameters == {"region": "kr"}


def test_the_graph_of_a_run_tells_what_came_after_what_and_what_is_yet_to_begin(scene: RunApiScene) -> None:
    run = scene.start()
    mapped = [
        a_task(n, TaskState.COMPLETED, name="transform", map_index=n - 2, upstream=(1,)) for n in range(2, 5)
    ]
    complete(scene, run, tasks=(a_task(state=TaskState.COMPLETED), *mapped))

    graph = RunGraphOut.model_validate_json(scene.get(f"/runs/{run}/graph").content)

    assert [(one.key, one.name, one.task, one.group, one.after) for one in graph.nodes] == [
        ("n0", "extract", 1, False, []),
        ("n1", "transform", 2, True, ["n0"]),
        ("n2", "load", None, False, ["n1"]),
    ]
    assert [one.counts for one in graph.nodes] == [{"completed": 1}, {"completed": 3}, {}]


def test_a_run_is_named_as_on_the_command_line(scene: RunApiScene) -> None:
    run = scene.start()

    for name in ("etl%231", "@last", run[:13]):
        assert scene.get(f"/runs/{name}").json()["id"] == run
    assert scene.get("/runs/etl%239").status_code == 404


def test_what_a_run_returned_is_its_json(scene: RunApiScene) -> None:
    run, pickled = scene.start(), scene.start()
    value = Result(kind=ResultKind.JSON, call=OF_FLOW, content='{"rows": ["한"]}'.encode())
    complete(scene, run, results=(value,), result_kept=ResultKind.JSON)
    value = Result(kind=ResultKind.PICKLE, call=OF_FLOW, content=b"\x80")
    complete(scene, pickled, results=(value,), result_kept=ResultKind.PICKLE)

    answer = scene.get(f"/runs/{run}/result")
    assert answer.json() == {"rows": ["한"]}
    assert answer.headers["content-type"] == "application/json"
    assert scene.get(f"/runs/{pickled}/result").status_code == 409
    assert scene.get(f"/runs/{scene.start()}/result").status_code == 404
    assert scene.get(f"/runs/{run}/result", task="no").status_code == 404
