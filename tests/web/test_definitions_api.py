"""Schedules by the API: made, replaced, changed and deleted, by whoever has seen them last."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from schedulerd.domain.access import Role
from schedulerd.store.database import Database
from schedulerd.web.api.definitions import merged
from tests.web.editor_scene import EditorScene

AT = "/api/v1/schedules"
ONE = f"{AT}/etl"
KEYS = {"name": "etl", "flow": "etl", "cron": "0 6 * * *", "parameters": {"region": "kr"}}


@pytest.fixture
def scene(sqlite_database: Database, tmp_path: Path) -> EditorScene:
    return EditorScene(sqlite_database, tmp_path)


@pytest.fixture
def client(scene: EditorScene) -> Iterator[TestClient]:
    with scene.client(Role.OPERATOR) as visitor:
        yield visitor.client


def saved(scene: EditorScene) -> dict[str, Any]:
    scene.read()
    ((definition,),) = [file.definitions for file in scene.files()]
    return {"when": definition.when, "parameters": dict(definition.parameters), "jitter": definition.jitter}


def test_a_schedule_is_made_seen_replaced_changed_and_deleted(scene: EditorScene, client: TestClient) -> None:
    made = client.post(AT, json=KEYS)
    scene.read()
    seen = client.get(f"{ONE}/definition")
    put = client.put(ONE, json={**KEYS, "jitter": "30s"}, headers={"If-Match": seen.headers["etag"]})
    scene.read()
    patched = client.patch(
        ONE,
        json={"jitter": None, "parameters": {"days": 2}},
        headers={"If-Match": put.headers["etag"], "Content-Type": "application/merge-patch+json"},
    )
    scene.read()
    after = client.get(f"{ONE}/definition").json()
    gone = client.delete(ONE, headers={"If-Match": patched.headers["etag"]})

    assert (made.status_code, made.headers["etag"]) == (202, seen.headers["etag"])
    assert made.json() == {
        "name": "etl",
        "in_force": False,
        "waits_for": "no daemon runs; the next one goes by it",
    }
    assert (seen.json()["keys"], seen.json()["own"], seen.json()["saved_by"]) == (KEYS, True, "operator")
    assert (put.status_code, patched.status_code, gone.status_code) == (202, 202, 202)
    assert after["keys"] == {**KEYS, "parameters": {"region": "kr", "days": 2}}
    assert scene.files() == []


def test_the_etag_of_the_schedule_as_it_was_read_will_do(scene: EditorScene, client: TestClient) -> None:
    scene.save()
    seen = client.get(ONE)

    answer = client.put(ONE, json={**KEYS, "cron": "0 7 * * *"}, headers={"If-Match": seen.headers["etag"]})

    assert answer.status_code == 202


def test_who_has_not_seen_the_last_change_is_told_who_made_it(scene: EditorScene, client: TestClient) -> None:
    scene.save()
    before = saved(scene)

    for answer in (
        client.put(ONE, json=KEYS, headers={"If-Match": '"other"'}),
        client.patch(ONE, json={}, headers={"If-Match": '"other"'}),
        client.delete(ONE, headers={"If-Match": '"other"'}),
    ):
        assert answer.status_code == 412
        assert "by minji at 2026-11-22" in answer.json()["detail"]
    assert client.put(ONE, json=KEYS).status_code == 428
    assert client.delete(ONE).status_code == 428
    assert saved(scene) == before


@pytest.mark.parametrize(
    ("keys", "pointer", "words"),
    [
        ({"cron": "30 25 * * *"}, "/cron", "'25' is not one of 0-23"),
        ({"crom": "@daily"}, "/crom", "did you mean"),
        ({"flow": "elt"}, "/flow", "did you mean etl"),
        ({"parameters": {"region": 5}}, "/parameters", "region"),
        ({"timezone": "Berlin"}, "/timezone", "Europe/Berlin"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_with_a_pointer(
    scene: EditorScene, client: TestClient, keys: dict[str, Any], pointer: str, words: str
) -> None:
    answer = client.post(AT, json={**KEYS, **keys})

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (422, pointer)
    assert words in error["detail"]
    assert scene.files() == []


def test_what_is_for_admins_is_refused_to_operators(scene: EditorScene, client: TestClient) -> None:
    answer = client.post(AT, json={"name": "dump", "command": "pg_dump app", "cron": "@daily"})

    assert answer.status_code == 403
    assert "role admin" in answer.json()["detail"]
    assert scene.files() == []


def test_viewers_look_and_change_nothing(scene: EditorScene) -> None:
    scene.save()
    with scene.client(Role.VIEWER) as viewer:
        etag = {"If-Match": viewer.client.get(f"{ONE}/definition").headers["etag"]}
        answers = [
            viewer.client.post(AT, json=KEYS),
            viewer.client.put(ONE, json=KEYS, headers=etag),
            viewer.client.patch(ONE, json={}, headers=etag),
            viewer.client.delete(ONE, headers=etag),
        ]

    assert [answer.status_code for answer in answers] == [403] * 4
    assert len(scene.files()) == 1


def test_a_schedule_that_people_wrote_is_told_with_its_place(scene: EditorScene, client: TestClient) -> None:
    path = scene.schedules / "theirs.toml"
    path.write_text('[[schedule]]\nname = "etl"\nflow = "etl"\ncron = "0 5 * * *"\n')
    scene.read()

    seen = client.get(f"{ONE}/definition")
    answer = client.put(ONE, json=KEYS, headers={"If-Match": "*"})

    assert (seen.json()["own"], seen.json()["keys"], "etag" in seen.headers) == (False, None, False)
    assert seen.json()["origin"] == f"{path}:1"
    assert answer.status_code == 409
    assert f"{path}:1" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c", "d": 1}}, {"a": {"b": None}}, {"a": {"d": 1}}),
        ({"a": 1}, {"b": {"c": {"d": None}}}, {"a": 1, "b": {"c": {}}}),
        ({}, {"a": None}, {}),
    ],
)
def test_a_merge_patch_goes_by_rfc_7396(target: Any, patch: Any, result: Any) -> None:
    assert merged(target, patch) == result
