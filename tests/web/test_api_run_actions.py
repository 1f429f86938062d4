"""What the API does with runs, and that it does it once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from httpx2 import Response as Answer

from schedulerd.domain.audit import AuditFilter
from schedulerd.domain.ids import RunId
from schedulerd.domain.questions import PAUSE, Question
from schedulerd.domain.replies import Begun, Mark, Reply
from schedulerd.domain.runs import RunFilter
from schedulerd.domain.states import RunState
from schedulerd.errors import BadParameters, Conflict
from schedulerd.operations.replies import Replies
from schedulerd.store.database import Database
from schedulerd.web.api.run_models import AskedOut, RunOut
from tests.builders import NOW
from tests.fakes import FakeClock
from tests.store.scenes import a_move, an_intake, move
from tests.web.run_api_scene import API, RunApiScene


@pytest.fixture
def scene(sqlite_database: Database, tmp_path: Path) -> Iterator[RunApiScene]:
    """The API, and two flows."""
    with RunApiScene(sqlite_database, tmp_path) as opened:
        yield opened


def post(scene: RunApiScene, path: str, body: Any = None, key: str | None = None) -> Answer:
    """What the API answers."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return scene.client.post(f"{API}{path}", json=body, headers=headers)


def count(scene: RunApiScene) -> int:
    """How many runs there are."""
    return len(scene.operations.runs.list(RunFilter(limit=100)))


def come(scene: RunApiScene, run: str, *path: RunState) -> None:
    """Have the run come to a state."""
    with scene.database.write() as tx:
        for state in path:
            assert move(tx, tx.runs.get(RunId(UUID(run))).key, state)


def test_a_run_is_started_with_parameters(scene: RunApiScene) -> None:
    wish = {"parameters": {"region": "kr"}, "due_at": "2030-01-01T00:00:00+09:00", "priority": 7}
    answer = post(scene, "/flows/etl/runs", wish)

    run = AskedOut.model_validate_json(answer.content)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/v1/runs/{run.id}"
    assert (run.parameters, run.priority, run.is_new) == ({"region": "kr"}, 7, True)
    assert run.due_at == "2029-12-31T15:00:00.000Z"
    assert scene.client.get(answer.headers["location"]).json()["id"] == run.id


def test_a_run_is_started_without_a_body(scene: RunApiScene) -> None:
    assert post(scene, "/flows/etl/runs").status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"parametres": {}}, "/parametres", "unknown-field"),
        ({"due_at": "2030-01-01T00:00:00"}, "/due_at", "timezone-aware"),
        ({"priority": 10_000}, "/priority", "less-than-equal"),
        ({"dedupe_key": ""}, "/dedupe_key", "string-too-short"),
    ],
)
def test_a_field_that_is_wrong_is_pointed_at(
    scene: RunApiScene, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = post(scene, "/flows/etl/runs", body)

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"], error["code"]) == (422, pointer, code)
    assert count(scene) == 0


def test_parameters_that_do_not_fit_the_flow_start_nothing(scene: RunApiScene) -> None:
    answer = post(scene, "/flows/etl/runs", {"parameters": {"regoin": "kr"}})

    assert answer.status_code == 422
    assert "regoin" in answer.json()["detail"]
    assert post(scene, "/flows/elt/runs").status_code == 404
    assert post(scene, "/flows/etl/runs?dry=1").json()["type"] == "/problems/unknown-parameter"
    assert count(scene) == 0


def test_the_same_dedupe_key_is_one_run_whoever_asks(scene: RunApiScene) -> None:
    wish = {"dedupe_key": "orders 2026-11-22"}
    first, second = (post(scene, "/flows/etl/runs", wish) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 200)
    assert (first.json()["id"], second.json()["is_new"]) == (second.json()["id"], False)
    assert count(scene) == 1


def test_a_request_with_a_key_is_done_once_and_answered_alike(scene: RunApiScene) -> None:
    wish = {"parameters": {"day": 1}}
    first = post(scene, "/flows/etl/runs", wish, key="k 1")
    scene.pass_time(hours=23)
    again = post(scene, "/flows/etl/runs", wish, key="k 1")

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert count(scene) == 1


def test_a_key_belongs_to_one_request(scene: RunApiScene) -> None:
    run = post(scene, "/flows/etl/runs", {"parameters": {"day": 1}}, key="k").json()["id"]

    for path, body in (
        ("/flows/etl/runs", {"parameters": {"day": 2}}),
        ("/flows/report/runs", {"parameters": {"day": 1}}),
        (f"/runs/{run}/cancel", None),
    ):
        answer = post(scene, path, body, key="k")
        assert answer.status_code == 422, path
        assert "another request" in answer.json()["detail"]
    assert count(scene) == 1


def test_a_key_is_free_again_after_a_day_and_after_a_request_that_failed(scene: RunApiScene) -> None:
    refused = post(scene, "/flows/etl/runs", {"parameters": {"no": 1}}, key="k")
    taken = post(scene, "/flows/etl/runs", {"parameters": {"day": 1}}, key="k")
    scene.pass_time(hours=24)
    other = post(scene, "/flows/report/runs", key="k")

    assert [answer.status_code for answer in (refused, taken, other)] == [422, 201, 201]


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x01"])
def test_a_key_that_is_none_is_refused(scene: RunApiScene, key: str) -> None:
    assert post(scene, "/flows/etl/runs", key=key).status_code == 400
    assert count(scene) == 0


def test_a_run_is_cancelled_with_a_reason_by_who_asks(scene: RunApiScene) -> None:
    run = scene.start()
    answers = [post(scene, f"/runs/{run}/cancel", {"reason": "too late"}, key="c") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert RunOut.model_validate_json(answers[0].content).id == run
    assert answers[0].headers["location"] == f"/api/v1/runs/{run}"
    with scene.database.read() as tx:
        (wish,) = tx.runs.cancel_wishes()
    assert (wish.actor, wish.reason) == ("kim (api)", "too late")


def test_a_run_is_killed_also_one_that_is_being_cancelled(scene: RunApiScene) -> None:
    run = scene.start()
    come(scene, run, RunState.PENDING, RunState.CANCELLING)
    answers = [post(scene, f"/runs/{run}/kill", {"reason": "it is deaf"}, key="k") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    told = scene.operations.audit.list(AuditFilter())
    (entry,) = [one for one in told if one.change.what.startswith("runs.")]
    assert (entry.change.what, entry.who, entry.change.after) == (
        "runs.kill",
        "kim",
        {"reason": "it is deaf"},
    )
    with scene.database.read() as tx:
        (wish,) = tx.runs.cancel_wishes()
    assert (wish.actor, wish.reason, wish.kills) == ("kim (api)", "it is deaf", True)


def test_a_run_that_has_ended_is_tried_again_or_had_again_but_not_cancelled(scene: RunApiScene) -> None:
    run = scene.start(region="kr")
    come(scene, run, RunState.PENDING, RunState.RUNNING, RunState.FAILED)

    assert post(scene, f"/runs/{run}/cancel").status_code == 409
    assert post(scene, f"/runs/{run}/kill").status_code == 409
    again = post(scene, f"/runs/{run}/retry", {"from_failed": True})
    twice = post(scene, f"/runs/{run}/retry")
    other = post(scene, f"/runs/{run}/rerun", {"parameters": {"day": 2}}, key="r")
    same = post(scene, f"/runs/{run}/rerun", {"parameters": {"day": 2}}, key="r")

    assert (again.status_code, again.json()["state"]) == (202, "retrying")
    assert twice.status_code == 409
    assert other.json()["parameters"] == {"region": "kr", "day": 2}
    assert (other.status_code, same.content) == (201, other.content)
    assert count(scene) == 2


@pytest.mark.parametrize(
    ("path", "body", "approved"),
    [("approve", {"given": {"n": 1}}, True), ("approve", {"approved": False}, False), ("resume", None, True)],
)
def test_a_run_that_waits_is_decided_about_once(
    scene: RunApiScene, path: str, body: Any, approved: bool
) -> None:
    run = scene.start()
    come(scene, run, RunState.PENDING)
    with scene.database.write() as tx:
        key = tx.runs.get(RunId(UUID(run))).key
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
        question = Question(id="1.1", kind=PAUSE, asked_at=NOW, body={"key": "1", "schema": schema})
        moves = (a_move(RunState.RUNNING), a_move(RunState.PAUSED))
        tx.intake.take([an_intake(key, moves=moves, questions=(question,))])

    assert post(scene, f"/runs/{run}/{path}", body).status_code == 202
    with scene.database.read() as tx:
        (asked,) = tx.questions.of_run(key)
    assert asked.answer is not None
    assert (asked.answer["approved"], asked.answer["by"]) == (approved, "kim (api)")
    assert post(scene, f"/runs/{run}/{path}", body).status_code == 409


def test_everybody_has_keys_of_their_own(scene: RunApiScene) -> None:
    clients = [scene.visitor(who) for who in ("kim", "lee", "kim")]
    key = {"Idempotency-Key": "k"}

    ids = [client.post(f"{API}/flows/etl/runs", headers=key).json()["id"] for client in clients]

    assert ids[0] == ids[2] != ids[1]


def test_while_a_request_is_being_done_its_key_is_taken(sqlite_database: Database) -> None:
    clock = FakeClock()
    with sqlite_database.write() as tx:
        first = tx.replies.begin("k", "print", at=NOW)
    replies = Replies(sqlite_database, clock)

    with pytest.raises(Conflict, match="still being done"):
        replies.once("k", "print", lambda _: pytest.fail("it is done elsewhere"))
    with pytest.raises(BadParameters):
        replies.once("k", "other", lambda _: pytest.fail("it is another"))
    clock.advance(minutes=1)  # by now whoever did it has died over it
    reply = Reply(status=201, body="{}", location="/x")
    marks = []

    def work(mark: Mark) -> Reply:
        marks.append(mark)
        return reply

    assert replies.once("k", "print", work) == (reply, False)
    assert marks == [first]
    assert replies.once("k", "print", lambda _: pytest.fail("it was done")) == (reply, True)


def test_replies_are_forgotten_after_a_day(sqlite_database: Database) -> None:
    reply = Reply(status=201, body="{}")
    with sqlite_database.write() as tx:
        for key, hours in (("old", 24), ("new", 23)):
            tx.replies.begin(key, "print", at=NOW - timedelta(hours=hours))
            tx.replies.finish(key, reply)
        tx.replies.forget(NOW)
        found = {key: tx.replies.begin(key, "print", at=NOW - timedelta(hours=22)) for key in ("old", "new")}

    assert found["new"] == Begun(fingerprint="print", reply=reply)
    assert isinstance(found["old"], str)
