"""What every kind of answer carries, whoever made it and whatever went wrong; and that what is private is kept nowhere."""

import re
from typing import Final

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from httpx2 import Response

from schedulerd.domain.access import Role
from schedulerd.operations.sign_in import new_secret
from schedulerd.web.answer_headers import HEADERS
from tests.web.entering import COOKIE, HOST, ROOT, SAME_SITE, House, cookie_for

API: Final = "/api/v1"
CANARY: Final = "canary-5b1f of /srv/secret/place.py"
EVIL: Final = {"Origin": "https://evil.example"}
KINDS: Final[dict[str, tuple[int, str, str, dict[str, str]]]] = {
    "page": (200, "GET", "/runs", {}),
    "document": (200, "GET", f"{API}/me", {}),
    "redirect": (307, "GET", "/runs/", {}),
    "wrong query": (400, "GET", f"{API}/runs?nothing=1", {}),
    "of another site": (403, "POST", "/logout", EVIL),
    "not found": (404, "GET", "/nowhere", {}),
    "not found in the API": (404, "GET", f"{API}/nowhere", {}),
    "wrong method": (405, "DELETE", "/runs", {}),
    "too large": (413, "PUT", f"{API}/variables/x", {"Content-Length": str(1 << 21)}),
    "wrong kind": (415, "PUT", f"{API}/variables/x", {"Content-Type": "text/plain"}),
    "another name": (421, "GET", "/", {"Host": "evil.example"}),
    "not valid": (422, "PUT", f"{API}/variables/x", {"If-None-Match": "*"}),
    "without a condition": (428, "DELETE", f"{API}/variables/x", {}),
    "a fault": (500, "GET", "/boom", {}),
    "a fault in the API": (500, "GET", f"{API}/boom", {}),
    "probe": (200, "GET", "/healthz", {}),
    "figures": (200, "GET", "/metrics", {}),
}


@pytest.fixture(scope="module")
def house(house: House) -> House:
    """With routes that fail, put in before the gate looks at the routes."""
    boom = APIRouter()

    @boom.get("/boom")
    @boom.get(f"{API}/boom")
    def fault() -> None:
        raise RuntimeError(CANARY)

    house.app.include_router(boom)
    return house


@pytest.fixture(scope="module")
def guest(house: House) -> TestClient:
    """An admin, to whom faults are told as a server tells them."""
    client = TestClient(
        house.app, base_url=HOST, headers=SAME_SITE, follow_redirects=False, raise_server_exceptions=False
    )
    client.cookies.set(COOKIE, cookie_for(house.asked, Role.ADMIN))
    return client


def answer_of(guest: TestClient, kind: str) -> Response:
    status, method, path, headers = KINDS[kind]
    content = b'{"value": 1, "more": 2}' if method == "PUT" else None
    given = {"Content-Type": "application/json", **headers} if content else headers
    answer = guest.request(method, path, headers=given, content=content)
    assert answer.status_code == status, answer.text
    return answer


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_is_without_the_headers_that_keep_a_browser_in_bounds(guest: TestClient, kind: str) -> None:
    answer = answer_of(guest, kind)

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["cache-control"] == "no-store"


def test_what_a_browser_has_already_and_what_it_may_keep_carry_them_too(house: House) -> None:
    guest = house.guest(Role.ADMIN)
    known = guest.put(f"{API}/variables/x", json={"value": 1}, headers={"If-None-Match": "*"})
    same = guest.get(f"{API}/variables/x", headers={"If-None-Match": known.headers["etag"]})
    (style,) = re.findall(r'href="(/static/[^"]+\.css)"', guest.get("/login").text)
    static = house.stranger().get(style)

    assert (same.status_code, static.status_code) == (304, 200)
    for answer in (same, static):
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert same.headers["cache-control"] == "no-store"
    assert static.headers["cache-control"].startswith("public")


def test_the_rules_for_scripts_and_styles_allow_nothing_that_stands_in_a_page() -> None:
    rules = dict(rule.split(" ", 1) for rule in HEADERS["Content-Security-Policy"].split("; "))

    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert "*" not in HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("kind", ["a fault", "a fault in the API"])
def test_a_fault_is_told_without_what_it_was(guest: TestClient, kind: str) -> None:
    text = answer_of(guest, kind).text

    assert "canary" not in text
    assert "RuntimeError" not in text
    assert "Traceback" not in text
    assert ".py" not in text


def test_no_line_end_of_a_request_comes_into_a_header(house: House) -> None:
    password = new_secret()
    house.asked.users.add("kim", Role.OPERATOR, password, by=ROOT)
    stranger = house.stranger()
    answers = [stranger.get("/runs/x%0d%0aSet-Cookie:%20a=b")]
    for wanted in (
        "/x\r\nSet-Cookie: a=b",
        "/x\nLocation: //evil.example",
        "/\u2028evil",
        "/x%0d%0aSet-Cookie:a=b",
    ):
        form = {"name": "kim", "password": password, "next": wanted}
        answers.append(stranger.post("/login", data=form))

    for one in answers:
        assert one.status_code == 303
        assert "\r" not in one.headers["location"]
        assert "\n" not in one.headers["location"]
        assert "a=b" not in one.headers.get("set-cookie", "")
        assert one.headers["location"].startswith("/")
