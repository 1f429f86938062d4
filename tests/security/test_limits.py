"""Nothing that comes from outside is without end: bodies, how deep they are, expressions, queries, what is asked for at once."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient

from schedulerd.domain.access import Role
from schedulerd.domain.nesting import DEEPEST
from schedulerd.store.database import Database
from tests.web.entering import House
from tests.web.run_api_scene import RunApiScene

API: Final = "/api/v1"
JSON: Final = {"Content-Type": "application/json"}
NEW: Final = {"If-None-Match": "*"}


@pytest.fixture
def admin(house: House) -> TestClient:
    return house.guest(Role.ADMIN)


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def test_a_body_is_of_a_fair_size_and_says_so_before_it_comes(admin: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"value": 1}'

    path, many = f"{API}/variables/size", b" " * (1 << 20) + b'{"value": 1}'
    answers = [
        admin.put(path, content=many, headers=JSON | NEW),
        admin.put(path, content=chunks(), headers=JSON | NEW),
        admin.put(path, content=b'{"value": 1}', headers=JSON | NEW | {"Content-Length": "-5"}),
        admin.put(path, content=b'{"value": 1}', headers=JSON | NEW | {"Content-Length": "9" * 30}),
        admin.post(
            "/login",
            content=b"name=" + b"a" * (1 << 20),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        ),
    ]

    assert [one.status_code for one in answers] == [413] * 5
    assert admin.get(path).status_code == 404


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "GZIP, gzip"])
def test_nothing_that_is_sent_is_unpacked(admin: TestClient, coding: str) -> None:
    import gzip

    bomb = gzip.compress(b'{"value": "' + b"a" * 50_000 + b'"}')

    answer = admin.put(
        f"{API}/variables/packed", content=bomb, headers=JSON | NEW | {"Content-Encoding": coding}
    )

    assert answer.status_code == 415
    assert admin.get(f"{API}/variables/packed").status_code == 404


@pytest.mark.parametrize("levels", [DEEPEST + 1, 800, 5_000, 500_000])
def test_what_is_nested_too_deep_to_be_told_is_not_kept(admin: TestClient, levels: int) -> None:
    deep = nested(levels)
    answers = [
        admin.put(f"{API}/variables/deep", content=f'{{"value": {deep}}}', headers=JSON | NEW),
        admin.post(f"{API}/flows/etl/runs", content=f'{{"parameters": {{"a": {deep}}}}}', headers=JSON),
        admin.post(f"{API}/schedules", content=f'{{"name": "x", "environment": {deep}}}', headers=JSON),
        admin.post(f"{API}/runs/7/cancel", content=deep, headers=JSON),
    ]

    assert [one.status_code for one in answers] == [400] * 4
    assert admin.get(f"{API}/variables").status_code == 200


def test_one_value_that_is_as_deep_as_may_be_is_told_with_all_others(admin: TestClient) -> None:
    value = nested(DEEPEST - 1)

    made = admin.put(f"{API}/variables/just", content=f'{{"value": {value}}}', headers=JSON | NEW)

    assert made.status_code == 201
    assert nested(DEEPEST - 1) in admin.get(f"{API}/variables").text.replace(" ", "")


@pytest.mark.parametrize("levels", [DEEPEST + 1, 5_000, 100_000])
def test_a_form_takes_no_deeper_values_than_the_api(sqlite_database: Database, levels: int) -> None:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from tests.builders import NOW, a_file, a_flow

    schema: dict[str, Any] = {"type": "object", "properties": {"rows": {"type": "array"}}}
    with TemporaryDirectory() as folder, House(sqlite_database, Path(folder)) as house:
        with sqlite_database.write() as tx:
            tx.flows.put_file(a_file(a_flow(parameters=schema)), now=NOW)
        guest = house.guest(Role.OPERATOR)

        answer = guest.post("/flows/etl/run", data={"p.rows": nested(levels), "key": "form-1"})

        assert answer.status_code == 422
        assert guest.get("/runs").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/schedules/preview", {"expression": "0-59," * 20_000 + "0 * * * *"}),
        ("/schedules/preview", {"expression": "0 0 * * *", "timezone": "A/" * 5_000}),
        ("/schedules/preview", {"expression": "0 0 * * *", "limit": 10**9}),
        ("/cron/explain", {"expression": "@" + "every " * 1_000}),
    ],
)
def test_an_expression_has_a_length_that_a_person_could_write(
    admin: TestClient, path: str, body: Any
) -> None:
    assert admin.post(API + path, json=body).status_code == 422


def test_a_query_has_an_end(admin: TestClient) -> None:
    many = "&".join(f"param.p{number}=1" for number in range(2_000))
    answers = {
        path: admin.get(path).status_code
        for path in (
            f"{API}/runs?q={'a' * 3_000}",
            f"{API}/runs?q={'flow:a+' * 60}",
            f"{API}/runs?{many}",
            f"{API}/runs?limit=501",
            f"{API}/runs?after={'a' * 500}",
            f"{API}/audit?limit=501",
            f"{API}/audit?before={10**30}",
            f"/runs?q={'a' * 3_000}",
            f"/activity?who={'a' * 300}",
            f"/events?topics={','.join(['runs'] * 9)}",
        )
    }

    assert all(400 <= status < 500 for status in answers.values()), answers


def test_a_log_is_given_so_many_lines_at_a_time(sqlite_database: Database, tmp_path: "Any") -> None:
    with RunApiScene(sqlite_database, tmp_path) as scene:
        run = scene.start()

        answers = [
            scene.get(f"/runs/{run}/logs", limit=limit).status_code for limit in (10_000, 10_001, 0, -1)
        ]
        sought = scene.get(f"/runs/{run}/logs", q="a" * 201).status_code

    assert (answers, sought) == ([200, 422, 422, 422], 422)
