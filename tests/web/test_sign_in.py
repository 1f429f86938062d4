"""How people come in: by a password, by a link, by a program; how they go; and how little guessing brings."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from schedulerd.domain.access import Role
from schedulerd.domain.audit import AuditFilter
from schedulerd.domain.sessions import CODE_LIFE, LONGEST
from schedulerd.store.database import Database
from schedulerd.web.sign_in_delays import FREE, LONGEST_SECONDS, SignInDelays
from tests.web.entering import COOKIE, ROOT, House

PASSWORD: Final = "canary battery staple 4711"


@pytest.fixture
def house(sqlite_database: Database, tmp_path: Path) -> Iterator[House]:
    with House(sqlite_database, tmp_path) as made:
        made.asked.users.add("kim", Role.OPERATOR, PASSWORD, by=ROOT)
        yield made


def login(client: TestClient, password: str = PASSWORD, name: str = "kim", to: str = "/") -> Response:
    return client.post("/login", data={"name": name, "password": password, "next": to})


def me(client: TestClient) -> int:
    return client.get("/api/v1/me").status_code


def test_a_user_signs_in_by_a_form_without_scripts_and_is_where_that_was_wanted(house: House) -> None:
    browser = house.stranger()

    page = browser.get("/login")
    done = login(browser, to="/runs?q=state:bad")

    assert page.status_code == 200
    for part in ('action="/login"', 'autocomplete="username"', 'autocomplete="current-password"'):
        assert part in page.text
    assert (done.status_code, done.headers["location"]) == (303, "/runs?q=state:bad")
    assert browser.get("/api/v1/me").json() == {
        "name": "kim",
        "role": "operator",
        "means": "password",
        "user": "kim",
        "scopes": None,
    }


@pytest.mark.parametrize(
    ("forwarded", "name", "is_secure"),
    [("http", COOKIE, False), ("https", "__Host-schedulerd-443", True)],
)
def test_the_cookie_is_not_for_scripts_nor_for_other_sites_and_over_https_for_this_host_alone(
    house: House, forwarded: str, name: str, is_secure: bool
) -> None:
    address = f"{forwarded}://localhost"
    with TestClient(
        house.app, base_url=address, headers={"Origin": address}, follow_redirects=False
    ) as browser:
        said = login(browser).headers["set-cookie"]

    cookie, *attributes = said.split("; ")
    assert cookie.startswith(f"{name}=")
    given = {part.partition("=")[0].lower(): part.partition("=")[2] for part in attributes}
    assert given.pop("max-age") == str(int(LONGEST.total_seconds()))
    assert given.pop("samesite").lower() == "lax"
    assert given == {"path": "/", "httponly": "", **({"secure": ""} if is_secure else {})}


def test_daemons_on_two_ports_of_one_host_do_not_sign_each_other_out(house: House) -> None:
    address = "http://localhost:8081"
    with TestClient(
        house.app, base_url=address, headers={"Origin": address}, follow_redirects=False
    ) as other:
        login(other)
        names = {cookie.name for cookie in other.cookies.jar}

    assert names == {"schedulerd-8081"}


def test_a_wrong_password_and_a_name_that_nobody_has_are_told_alike(house: House) -> None:
    answers = [
        login(house.stranger("192.0.2.7"), password="wrong"),
        login(house.stranger("192.0.2.8"), name="lee"),
    ]

    assert [one.status_code for one in answers] == [401, 401]
    said = [one.text.replace('value="lee"', 'value="kim"').partition('action="/login"')[2] for one in answers]
    assert said[0] == said[1]
    assert "There is no such user, or this is not the password." in said[0]
    assert "set-cookie" not in answers[0].headers
    assert PASSWORD not in answers[1].text


def test_who_guesses_waits_longer_and_longer_also_with_the_right_one_and_others_do_not(house: House) -> None:
    guesser, other = house.stranger("192.0.2.7"), house.stranger("192.0.2.8")

    wrong = [login(guesser, password="wrong") for _ in range(FREE)]
    refused = login(guesser)
    elsewhere = login(other)
    house.clock.advance(seconds=1)
    once_more = [login(guesser, password="wrong"), login(guesser, password="wrong")]

    assert [one.status_code for one in wrong] == [401] * FREE
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert "Try again in 2 seconds" in refused.text
    assert elsewhere.status_code == 303
    assert [one.status_code for one in once_more] == [401, 429]
    assert once_more[1].headers["retry-after"] == "3"
    house.clock.advance(seconds=2)
    assert login(guesser).status_code == 303
    assert login(guesser, password="wrong").status_code == 401  # what was wrong before is forgotten


def test_many_tries_at_once_are_no_way_around_the_wait(house: House) -> None:
    with ThreadPoolExecutor(8) as threads:
        guesser = house.stranger("192.0.2.7")
        answers = list(threads.map(lambda _: login(guesser, password="wrong").status_code, range(12)))

    assert answers.count(401) <= FREE
    assert answers.count(401) + answers.count(429) == 12


def test_a_wait_is_never_longer_than_a_quarter_of_an_hour_and_names_are_forgotten_in_time() -> None:
    delays = SignInDelays()
    counts = [delays.note("kim", "a", 0.0) for _ in range(100)]

    assert counts[-1] == 100
    assert delays.wait("kim", "a", 0.0) == LONGEST_SECONDS
    for number in range(20_000):
        delays.note(f"name-{number}", "b", 0.0)
    assert delays.wait("kim", "a", 0.0) == 0.0


def test_guessing_is_in_the_audit_now_and_then_and_what_was_typed_as_a_name_is_not(house: House) -> None:
    browser = house.stranger("192.0.2.7")
    for _ in range(4):
        login(browser, password="wrong")
        login(browser, name="canary-typed-here", password="wrong")
        house.clock.advance(seconds=60)

    entries = house.asked.audit.list(AuditFilter())
    refused = [(one.who, one.change.after) for one in entries if one.change.what == "sign_in.refused"]
    assert sorted(refused) == [("kim", {"count": 4}), ("nobody", {"count": 4})]
    assert "canary" not in repr(entries)


def test_a_link_is_not_used_up_by_whoever_previews_it(house: House) -> None:
    code = house.asked.sign_in.make_code("root", Role.ADMIN, by=ROOT)
    browser = house.stranger()

    looks = [
        browser.get(f"/enter/{code}"),
        browser.get(f"/enter/{code}", headers={"Sec-Purpose": "prefetch"}),
        browser.head(f"/enter/{code}"),
    ]
    entered = browser.post(f"/enter/{code}")
    again = house.stranger("192.0.2.9").post(f"/enter/{code}")

    assert [one.status_code for one in looks] == [200, 200, 303]
    assert f'action="/enter/{code}"' in looks[0].text
    assert "set-cookie" not in looks[0].headers
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert browser.get("/api/v1/me").json()["means"] == "link"
    assert again.status_code == 403
    assert "used already, or is too old" in again.text
    assert "schedulerd open" in again.text


def test_a_link_of_another_site_signs_nobody_in_and_an_old_one_neither(house: House) -> None:
    code = house.asked.sign_in.make_code("root", Role.ADMIN, by=ROOT)
    browser = house.stranger()

    foreign = browser.post(f"/enter/{code}", headers={"Origin": "https://evil.example"})
    house.clock.advance(seconds=CODE_LIFE.total_seconds())

    assert foreign.status_code == 403
    assert browser.post(f"/enter/{code}").status_code == 403
    assert me(browser) == 401


def test_codes_cannot_be_tried_without_end(house: House) -> None:
    guesser = house.stranger("192.0.2.7")

    answers = [guesser.post(f"/enter/guess-{number}").status_code for number in range(25)]

    assert answers[0] == 403
    assert answers[-1] == 429


def test_to_sign_out_ends_the_session_at_once_and_takes_the_cookie(house: House) -> None:
    browser = house.stranger()
    login(browser)
    cookie = browser.cookies[COOKIE]

    done = browser.post("/logout")

    assert (done.status_code, done.headers["location"]) == (303, "/login")
    assert COOKIE not in browser.cookies
    browser.cookies.set(COOKIE, cookie)
    assert me(browser) == 401
    assert browser.get("/logout").status_code == 303


def test_to_sign_in_gives_another_session_and_ends_the_one_before(house: House) -> None:
    browser = house.stranger()
    login(browser)
    first = browser.cookies[COOKIE]
    login(browser)

    assert browser.cookies[COOKIE] != first
    assert len(house.asked.sign_in.sessions()) == 1
    fixed = house.stranger()
    fixed.cookies.set(COOKIE, "chosen-by-somebody-else")
    login(fixed)
    assert house.asked.sign_in.by_cookie("chosen-by-somebody-else") is None


def test_a_session_of_a_user_whose_role_is_taken_away_is_over(house: House) -> None:
    browser = house.stranger()
    login(browser)

    house.asked.users.set_role("kim", Role.VIEWER, by=ROOT)
    house.clock.advance(seconds=2)

    assert me(browser) == 401


def test_the_pages_say_who_is_signed_in(house: House) -> None:
    browser = house.stranger()
    login(browser)

    page = browser.get("/runs/7")

    assert page.status_code == 404
    assert 'action="/logout"' in page.text
    assert ">kim</a>" in page.text
