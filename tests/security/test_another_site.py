"""Pages of other sites, in the browser of somebody who is signed in: they may lead here, and nothing else."""

from collections.abc import Mapping
from typing import Final

import pytest
from fastapi.routing import iter_route_contexts

from schedulerd.domain.access import Role
from tests.web.entering import COOKIE, HOST, House, cookie_for, visitor
from tests.web.test_every_route import a_path, routes

FOREIGN: Final[Mapping[str, Mapping[str, str]]] = {
    "another site": {"Origin": "https://evil.example"},
    "a sandbox": {"Origin": "null"},
    "another port of this machine": {"Origin": "http://localhost:3000"},
    "said by the browser": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
    "another name of one site": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    "an image": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    "a frame": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
}
ELSEWHERE: Final = "the request comes from another site"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "evil.example@localhost",
        "localhost@evil.example",
        "localhost:80@evil.example",
        "localhost:80:80",
        "localhost:port",
        "localhost.",
        "localhost/evil.example",
        "localhost evil.example",
        "[localhost]",
        "[::1]evil.example",
        "127.0.0.1.evil.example",
        "",
    ],
)
def test_localhost_is_reachable_by_rebinding_so_only_names_of_this_server_are_answered(
    house: House, host: str
) -> None:
    guest = house.guest(Role.ADMIN)

    answers = [guest.get(path, headers={"Host": host}) for path in ("/", "/api/v1/me", "/healthz", "/login")]

    assert [one.status_code for one in answers] == [421] * 4
    assert {one.text for one in answers} == {"This server does not answer to that name.\n"}


def test_a_name_of_this_server_is_one_in_any_case_and_with_any_port(house: House) -> None:
    stranger = house.stranger()
    del stranger.headers["origin"]

    answers = [
        stranger.get("/healthz", headers={"Host": host}).status_code
        for host in ("localhost", "LOCALHOST", "localhost:8080")
    ]

    assert answers == [200] * 3


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=list(FOREIGN))
def test_another_site_reads_nothing_and_hears_nothing(house: House, headers: Mapping[str, str]) -> None:
    guest = visitor(house.app, cookie_for(house.asked, Role.ADMIN))
    del guest.headers["origin"]
    with guest:
        answers = {
            path: guest.get(path, headers=headers)
            for path in ("/", "/events?topics=runs", "/api/v1/me", "/api/v1/runs/7/logs?follow=1", "/metrics")
        }

    assert {path: one.status_code for path, one in answers.items()} == dict.fromkeys(answers, 403)
    assert all(ELSEWHERE in one.text for one in answers.values())


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=list(FOREIGN))
def test_no_route_that_changes_something_is_open_to_another_site(
    house: House, headers: Mapping[str, str]
) -> None:
    guest = visitor(house.app, cookie_for(house.asked, Role.ADMIN))
    del guest.headers["origin"]
    with guest:
        let_in = [
            (method, path)
            for method, path in routes(house)
            if method != "GET" and ELSEWHERE not in guest.request(method, a_path(path), headers=headers).text
        ]

    assert let_in == []


def test_a_link_on_another_site_may_be_followed(house: House) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    guest = visitor(house.app, cookie_for(house.asked, Role.VIEWER))
    del guest.headers["origin"]
    with guest:
        assert guest.get("/runs", headers=followed).status_code == 200


def test_no_answer_lets_another_site_read_it(house: House) -> None:
    guest, asks = house.guest(Role.ADMIN), {"Access-Control-Request-Method": "PUT"}
    methods = {method for route in iter_route_contexts(house.app.routes) for method in route.methods or ()}

    allowed = [
        (method, path)
        for path in ("/", "/api/v1/me", "/api/v1/variables/x", "/healthz", "/events")
        for method in {*methods, "OPTIONS", "HEAD"} - ({"GET"} if path == "/events" else set())
        for headers in ({"Origin": "https://evil.example"} | asks, {"Origin": HOST} | asks)
        for name in guest.request(method, path, headers=headers).headers
        if name.lower().startswith("access-control-")
    ]

    assert allowed == []


def test_a_stranger_who_says_to_be_of_this_site_is_a_stranger_still(house: House) -> None:
    trusting = {"Sec-Fetch-Site": "same-origin", "Origin": HOST, "X-Forwarded-For": "127.0.0.1"}

    answer = house.stranger().get("/api/v1/me", headers=trusting)

    assert answer.status_code == 401
    assert COOKIE not in answer.headers.get("set-cookie", "")


def test_loopback_is_no_control_whoever_comes_from_this_machine_is_asked_too(house: House) -> None:
    answers = [house.stranger(address).get("/api/v1/me").status_code for address in ("127.0.0.1", "::1", "")]

    assert answers == [401] * 3
