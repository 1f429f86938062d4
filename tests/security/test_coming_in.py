"""How one comes in: no end for setting up that stays open, links that are used once, sessions that nobody else can choose."""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest
from fastapi.routing import iter_route_contexts

from schedulerd.domain.access import Role
from schedulerd.operations.sign_in import new_secret
from schedulerd.web.networks import network_of
from schedulerd.web.sign_in_delays import FREE, SignInDelays
from schedulerd.web.wrong_secrets import BURST
from tests.web.entering import COOKIE, ROOT, House

_SETTING_UP: Final = (
    "/setup",
    "/install",
    "/init",
    "/register",
    "/signup",
    "/first-run",
    "/api/v1/setup",
    "/api/v1/init",
    "/api/user/init",
    "/reset",
)


def test_the_set_up_end_closes_for_good_for_there_is_none(house: House) -> None:
    stranger = house.stranger()

    answers = [
        stranger.request(method, path, json={"name": "evil", "password": "x" * 20}).status_code
        for path in _SETTING_UP
        for method in ("GET", "POST", "PUT")
    ]

    assert set(answers) <= {303, 401, 415}
    paths = {route.path_format for route in iter_route_contexts(house.app.routes)}
    assert not paths & {*_SETTING_UP}


def test_a_link_lets_one_in_of_all_who_use_it_at_once(house: House) -> None:
    code = house.asked.sign_in.make_code("root", Role.ADMIN, by=ROOT)
    browsers = [house.stranger(f"198.51.100.{number}") for number in range(6)]

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda browser: browser.post(f"/enter/{code}").status_code, browsers))

    assert sorted(answers) == [303, *[403] * 5]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "PROPFIND"])
def test_whoever_scans_links_uses_none(house: House, method: str) -> None:
    code = house.asked.sign_in.make_code("root", Role.ADMIN, by=ROOT)

    scanned = house.stranger().request(method, f"/enter/{code}")
    used = house.stranger().post(f"/enter/{code}")

    assert "set-cookie" not in scanned.headers
    assert used.status_code == 303


@pytest.mark.parametrize("code", ["", "%00", "..", "a" * 5_000, "%2e%2e%2f", "' OR 1=1 --", "한", "\ud7ff"])
def test_what_is_no_link_lets_nobody_in(house: House, code: str) -> None:
    answer = house.stranger("203.0.113.7").post(f"/enter/{code}")

    assert answer.status_code in (303, 403, 404)
    assert COOKIE not in answer.headers.get("set-cookie", "")


def test_a_session_that_somebody_else_chose_is_none_also_after_the_sign_in(house: House) -> None:
    chosen, browser = new_secret(), house.stranger()
    browser.cookies.set(COOKIE, chosen)
    code = house.asked.sign_in.make_code("root", Role.ADMIN, by=ROOT)

    entered = browser.post(f"/enter/{code}")

    given = entered.headers["set-cookie"]
    assert chosen not in given
    assert {"httponly", "path=/", "samesite=lax"} <= {part.strip().lower() for part in given.split(";")}
    other = house.stranger()
    other.cookies.set(COOKIE, chosen)
    assert other.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("a socket", "a socket"),
    ],
)
def test_whoever_has_a_network_of_addresses_is_one_when_guesses_are_counted(
    address: str, network: str
) -> None:
    assert network_of(address) == network


def test_another_address_of_the_same_network_is_no_way_around_the_wait(house: House) -> None:
    links = [
        house.stranger(f"2001:db8:0:7::{number:x}").post("/enter/none").status_code
        for number in range(BURST + 1)
    ]
    delays = SignInDelays()
    for number in range(FREE):
        delays.note("kim", f"2001:db8::{number:x}", 0.0)

    assert links == [*[403] * BURST, 429]
    assert delays.wait("kim", "2001:db8::ffff", 0.0) > 0
    assert delays.wait("kim", "2001:db8:0:1::1", 0.0) == 0
