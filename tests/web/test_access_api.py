"""`/api/v1/me`, `/session`, `/sessions`, `/tokens`, `/users`, `/audit`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient

from schedulerd.domain.access import Role, Scope
from schedulerd.domain.audit import AuditFilter
from schedulerd.store.database import Database
from tests.web.entering import COOKIE, ROOT, House

PASSWORD: Final = "canary battery staple 4711"
OTHER: Final = "canary other 0815 words"
API: Final = "/api/v1"


@pytest.fixture
def house(sqlite_database: Database, tmp_path: Path) -> Iterator[House]:
    with House(sqlite_database, tmp_path) as made:
        yield made


def kim(house: House, role: Role = Role.OPERATOR) -> TestClient:
    """A user who has signed in by the API."""
    house.asked.users.add("kim", role, PASSWORD, by=ROOT)
    client = house.stranger()
    answer = client.post(f"{API}/session", json={"name": "Kim", "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == "kim"
    return client


def test_a_program_signs_in_and_out_by_json(house: House) -> None:
    client = kim(house)

    assert client.get(f"{API}/me").json()["role"] == "operator"
    assert client.delete(f"{API}/session").status_code == 204
    assert client.get(f"{API}/me").status_code == 401
    refused = client.post(f"{API}/session", json={"name": "kim", "password": OTHER})
    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
    statuses = [
        client.post(f"{API}/session", json={"name": "kim", "password": OTHER}).status_code for _ in range(3)
    ]
    assert statuses == [401, 401, 429]


def test_an_own_password_is_changed_by_who_knows_the_old_one_and_one_stays_signed_in_there_alone(
    house: House,
) -> None:
    client = kim(house)
    elsewhere = house.stranger("192.0.2.9")
    elsewhere.post(f"{API}/session", json={"name": "kim", "password": PASSWORD})

    wrong = client.put(f"{API}/me/password", json={"old": OTHER, "new": OTHER})
    weak = client.put(f"{API}/me/password", json={"old": PASSWORD, "new": "changeme"})
    done = client.put(f"{API}/me/password", json={"old": PASSWORD, "new": OTHER})
    house.clock.advance(seconds=2)

    assert (wrong.status_code, weak.status_code, done.status_code) == (403, 422, 204)
    assert "needs at least 12" in weak.json()["detail"]
    assert client.get(f"{API}/me").status_code == 200
    assert elsewhere.get(f"{API}/me").status_code == 401
    by_link = house.guest(Role.ADMIN).put(f"{API}/me/password", json={"old": "x", "new": OTHER})
    assert by_link.status_code == 409


def test_one_sees_and_ends_ones_own_sessions_and_an_admin_all(house: House) -> None:
    client, admin = kim(house), house.guest(Role.ADMIN, "root")

    own, every = client.get(f"{API}/sessions").json()["items"], admin.get(f"{API}/sessions").json()["items"]

    assert [(one["who"], one["current"], one["means"]) for one in own] == [("kim", True, "password")]
    assert {one["who"] for one in every} == {"kim", "root"}
    assert set(own[0]) == {
        "id", "who", "role", "means", "created_at", "seen_at", "ends_at", "agent", "address", "current"
    }  # fmt: skip
    others = next(one["id"] for one in every if one["who"] == "root")
    assert client.delete(f"{API}/sessions/{others}").status_code == 404
    assert admin.delete(f"{API}/sessions/{own[0]['id']}").status_code == 204
    house.clock.advance(seconds=2)
    assert client.get(f"{API}/me").status_code == 401


def test_a_token_is_shown_once_and_can_be_for_no_more_than_its_owner_may(house: House) -> None:
    client = kim(house)

    made = client.post(f"{API}/tokens", json={"name": "ci", "scopes": ["runs:read"], "days": 7})
    too_much = client.post(f"{API}/tokens", json={"name": "ci", "scopes": ["admin"]})
    listed = client.get(f"{API}/tokens").json()["items"]

    assert made.status_code == 201
    token = made.json()["token"]
    assert (too_much.status_code, "the role operator cannot" in too_much.json()["detail"]) == (422, True)
    assert [one["scopes"] for one in listed] == [["runs:read"]]
    assert token.split("_", 2)[2] not in json.dumps(listed)
    used = house.stranger().get(f"{API}/me", headers={"Authorization": f"Bearer {token}"})
    assert used.json()["scopes"] == ["runs:read"]
    assert client.delete(f"{API}/tokens/{made.json()['id']}").status_code == 204
    assert client.get(f"{API}/tokens").json()["items"] == []


def test_a_token_that_leaked_makes_no_other_and_sees_neither_tokens_nor_sessions(house: House) -> None:
    everything = house.asked.api_tokens.create("all", by=ROOT, scopes=list(Scope)).text
    little = house.asked.api_tokens.create("little", by=ROOT, scopes=[Scope.RUNS_READ]).text
    client = house.stranger()

    def by(token: str, method: str, path: str, body: Any = None) -> int:
        more = {} if body is None else {"json": body}
        headers = {"Authorization": f"Bearer {token}"}
        return client.request(method, f"{API}{path}", headers=headers, **more).status_code

    new = {"name": "more", "scopes": ["runs:read"]}
    assert by(everything, "POST", "/tokens", new) == 403
    assert by(everything, "GET", "/tokens") == 200
    assert by(everything, "GET", "/sessions") == 403
    assert by(little, "GET", "/tokens") == 403
    assert by(little, "POST", "/tokens", new) == 403
    assert by(little, "GET", "/sessions") == 403
    assert by(little, "PUT", "/me/password", {"old": PASSWORD, "new": OTHER}) == 403


def test_an_admin_manages_users_and_the_last_admin_stays(house: House) -> None:
    admin = house.guest(Role.ADMIN, "root")

    added = admin.post(f"{API}/users", json={"name": "Lee", "role": "admin", "password": PASSWORD})
    again = admin.post(f"{API}/users", json={"name": "lee", "password": PASSWORD})
    weak = admin.post(f"{API}/users", json={"name": "min", "password": "password1234"})
    last = admin.patch(f"{API}/users/lee", json={"enabled": False})
    more = admin.post(f"{API}/users", json={"name": "min", "password": PASSWORD})
    changed = admin.patch(f"{API}/users/min", json={"role": "admin"})
    off = admin.patch(f"{API}/users/lee", json={"enabled": False, "role": "viewer"})
    password = admin.put(f"{API}/users/min/password", json={"password": OTHER})

    statuses = [one.status_code for one in (added, again, weak, last, more, changed, off, password)]
    assert statuses == [201, 409, 422, 409, 201, 200, 200, 204]
    assert added.json()["role"] == "admin"
    assert more.json()["role"] == "viewer"
    assert (off.json()["enabled"], off.json()["role"]) == (False, "viewer")
    assert [one["name"] for one in admin.get(f"{API}/users").json()["items"]] == ["lee", "min"]
    assert [admin.delete(f"{API}/users/{name}").status_code for name in ("lee", "lee", "min")] == [
        204,
        404,
        409,
    ]
    assert admin.get(f"{API}/users/nobody").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/users", {"name": "kim", "password": PASSWORD, "is_admin": True}),
        ("PATCH", "/users/kim", {"roles": "admin"}),
        ("PATCH", "/users/kim", {"role": "root"}),
        ("POST", "/tokens", {"name": "ci", "scopes": ["runs:read"], "owner": "root"}),
        ("POST", "/tokens", {"name": "ci", "scopes": []}),
        ("POST", "/tokens", {"name": "ci", "scopes": ["runs:read"], "days": 4_000}),
        ("POST", "/session", {"name": "kim", "password": PASSWORD, "role": "admin"}),
        ("POST", "/users", {"name": "kim", "password": "x" * 2_000}),
    ],
)
def test_strict_schemas_an_extra_member_is_an_error_and_changes_nothing(
    house: House, method: str, path: str, body: Any
) -> None:
    admin = house.guest(Role.ADMIN)
    before = len(house.asked.audit.list(AuditFilter()))

    answer = admin.request(method, f"{API}{path}", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert "canary" not in answer.text
    assert len(house.asked.audit.list(AuditFilter())) == before


def test_the_audit_tells_each_change_once_with_who_and_what_was_and_is(house: House) -> None:
    admin = house.guest(Role.ADMIN, "root")
    admin.post(f"{API}/users", json={"name": "lee", "password": PASSWORD})
    admin.patch(f"{API}/users/lee", json={"role": "operator"})
    admin.put(f"{API}/users/lee/password", json={"password": OTHER})

    told = admin.get(f"{API}/audit", params={"limit": 3}).json()
    earlier = admin.get(f"{API}/audit", params={"before": told["next_before"], "limit": 1}).json()
    nobodys = admin.get(f"{API}/audit", params={"who": "nobody"}).json()

    assert [one["what"] for one in told["items"]] == ["users.password", "users.role", "users.add"]
    role = told["items"][1]
    assert (role["who"], role["target"], role["address"]) == ("root", "lee", "192.0.2.1")
    assert (role["before"], role["after"]) == ({"role": "viewer"}, {"role": "operator"})
    assert earlier["items"][0]["what"] == "sign_in"
    assert nobodys == {"items": [], "next_before": None}


def test_no_password_cookie_code_or_token_is_kept_or_shown(house: House, tmp_path: Path) -> None:
    client = kim(house, Role.ADMIN)
    cookie = client.cookies[COOKIE]
    token = client.post(f"{API}/tokens", json={"name": "ci", "scopes": ["runs:read"]}).json()["token"]
    client.post(f"{API}/users", json={"name": "lee", "password": OTHER})
    shown = "".join(
        client.get(f"{API}/{path}").text for path in ("me", "sessions", "tokens", "users", "audit")
    )
    house.database.close()

    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for canary in (PASSWORD, OTHER, cookie, token.split("_", 2)[2]):
        assert canary.encode() not in kept
        assert canary not in shown
    assert b"lee" in kept
    assert "argon2" not in shown
