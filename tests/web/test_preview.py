"""`POST /api/v1/schedules/preview`: what `explain` says, over HTTP."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from schedulerd.domain.access import Role
from schedulerd.operations.explaining import explain
from schedulerd.operations.schedule_shapes import explanation_shape
from schedulerd.store.database import Database
from tests.web.entering import House

NOW = datetime(2027, 3, 27, 12, tzinfo=UTC)
PREVIEW = "/api/v1/schedules/preview"


@pytest.fixture
def client(sqlite_database: Database, tmp_path: Path) -> Iterator[TestClient]:
    with House(sqlite_database, tmp_path, now=NOW) as house:
        yield house.guest(Role.VIEWER)


def test_a_preview_is_what_explain_says_daylight_saving_included(client: TestClient) -> None:
    asked = {"expression": "30 2 * * *", "timezone": "Europe/Berlin"}

    answer = client.post(PREVIEW, json=asked)

    said = explain("30 2 * * *", timezone="Europe/Berlin", after=NOW, limit=5)
    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(explanation_shape(said)))
    assert [fire["at"] for fire in answer.json()["fires"][:2]] == [
        "2027-03-28T01:00:00.000Z",
        "2027-03-29T00:30:00.000Z",
    ]
    assert "dst-gap" in [note["code"] for note in answer.json()["notes"]]


def test_a_preview_begins_where_it_is_asked_to_and_is_as_long(client: TestClient) -> None:
    asked = {"expression": "@daily", "after": "2030-01-01T00:00:00Z", "limit": 2}

    fires = client.post(PREVIEW, json=asked).json()["fires"]

    assert [fire["at"] for fire in fires] == ["2030-01-02T00:00:00.000Z", "2030-01-03T00:00:00.000Z"]


@pytest.mark.parametrize(
    ("body", "pointer", "code", "place", "words"),
    [
        ({"expression": "0 25 * * *"}, "/expression", "value", (2, 4), "'25' is not one of 0-23"),
        ({"expression": "22-2 * * * *"}, "/expression", "range", (0, 4), "write 22-59,0-2"),
        ({"expression": "0 0 30 2 *"}, "/expression", "never", (4, 8), "never fire"),
        ({"expression": "* * *"}, "/expression", "fields", (0, 5), "has 5"),
        ({"expression": "15x"}, "/expression", "duration", (0, 3), "15m"),
        ({"expression": "* * * * *", "timezone": "Berlin"}, "/timezone", "zone", (0, 6), "Europe/Berlin"),
    ],
)
def test_a_bad_expression_is_told_with_its_field_its_place_and_what_is_allowed(
    client: TestClient,
    body: dict[str, Any],
    pointer: str,
    code: str,
    place: tuple[int, int],
    words: str,
) -> None:
    answer = client.post(PREVIEW, json=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert (error["start"], error["end"]) == place
    assert words in error["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/expression"),
        ({"expression": 5}, "/expression"),
        ({"expression": "* * * * *", "zone": "UTC"}, "/zone"),
        ({"expression": "* * * * *", "limit": 0}, "/limit"),
        ({"expression": "* * * * *", "limit": 101}, "/limit"),
        ({"expression": "* * * * *", "after": "2026-01-01T00:00:00"}, "/after"),
        ({"expression": "1" * 3_000}, "/expression"),
        ([], ""),
    ],
    ids=str,
)
def test_a_body_that_is_not_valid_is_told_with_its_field(
    client: TestClient, body: object, pointer: str
) -> None:
    answer = client.post(PREVIEW, json=body)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"host": "evil.example"}, 421),
    ],
    ids=str,
)
def test_what_another_site_sends_is_refused(client: TestClient, headers: dict[str, str], status: int) -> None:
    content = b'{"expression": "* * * * *"}'

    answer = client.post(PREVIEW, content=content, headers={"content-type": "application/json"} | headers)

    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_large_body_is_refused_unread(client: TestClient) -> None:
    answer = client.post(
        PREVIEW, content=b" " * (1 << 20) + b"{}", headers={"content-type": "application/json"}
    )

    assert answer.status_code == 413


def test_errors_of_every_kind_have_one_shape(client: TestClient) -> None:
    missing, wrong = client.get("/api/v1/nothing"), client.get("/api/v1/cron/explain")

    assert [one.status_code for one in (missing, wrong)] == [404, 405]
    for answer in (missing, wrong):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json().keys() == {"type", "title", "status", "detail", "instance"}
    assert wrong.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "after",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9998-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
    ],
)
@pytest.mark.parametrize("expression", ["0 6 * * *", "0 0 29 2 *", "FREQ=DAILY", "1d", "15m"])
def test_a_moment_far_away_is_told_with_its_field(client: TestClient, expression: str, after: str) -> None:
    asked = {"expression": expression, "after": after, "timezone": "Asia/Seoul"}

    answer = client.post(PREVIEW, json=asked)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/after"]
