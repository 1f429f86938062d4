"""What is not known is an error, and who may say when something runs may not say what and as whom."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.access import Role
from schedulerd.domain.schedule_values import KEYS
from schedulerd.operations.definitions import OPERATORS_KEYS
from schedulerd.store.database import Database
from tests.web.editor_scene import EditorScene
from tests.web.entering import House


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schema of each body that the API takes, by its operation."""
    for operations in document["paths"].values():
        for one in operations.values():
            content = one.get("requestBody", {}).get("content", {}).get("application/json")
            if content:
                yield one["operationId"], content["schema"]


def test_every_body_of_the_api_is_strict(house: House) -> None:
    document = house.guest(Role.ADMIN).get("/api/v1/openapi.json").json()
    models, loose, count = document["components"]["schemas"], [], 0
    for operation, schema in bodies(document):
        names = [
            one["$ref"].rpartition("/")[2] for one in (schema, *schema.get("anyOf", ())) if "$ref" in one
        ]
        # a schedule is judged as one of a file, and a webhook is called by programs of others
        is_judged = operation == "call_webhook" or operation.endswith("_schedule")
        count += len(names)
        loose += [operation for name in names if models[name].get("additionalProperties") is not False]
        loose += [] if names or is_judged else [operation]

    assert loose == []
    assert count > 8


@pytest.fixture
def scene(sqlite_database: Database, tmp_path: Path) -> EditorScene:
    return EditorScene(sqlite_database, tmp_path)


def test_who_may_say_when_a_flow_runs_may_not_say_what_runs_as_whom_or_with_what_around_it(
    scene: EditorScene,
) -> None:
    scene.save()
    keys, at = (
        {"name": "mine", "flow": "etl", "cron": "0 6 * * *", "parameters": {"region": "kr"}},
        "/api/v1/schedules",
    )
    let_in = []
    with scene.client(Role.OPERATOR) as operator:
        seen = {"If-Match": operator.client.get(f"{at}/etl/definition").headers["etag"]}
        for key in sorted({*KEYS} - OPERATORS_KEYS):
            answers = (
                operator.client.post(at, json={**keys, key: "x"}),
                operator.client.patch(f"{at}/etl", json={key: "x"}, headers=seen),
                operator.client.put(f"{at}/etl", json={**keys, "name": "etl", key: "x"}, headers=seen),
            )
            if not all(one.status_code == 403 and "role admin" in one.text for one in answers):
                let_in.append(key)

    assert let_in == []


def test_what_runs_and_as_whom_are_among_what_is_for_admins() -> None:
    for_admins = {*KEYS} - OPERATORS_KEYS

    assert {"command", "user", "environment", "env_file", "directory", "webhook"} <= for_admins
