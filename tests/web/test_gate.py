"""The gate: what shows who somebody is, and what does not.

Each test is named after the lesson that it is there for; the lessons are those of other schedulers' holes.
"""

import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from fastapi.routing import iter_route_contexts

from schedulerd.domain.access import ROLE_OF, Role, Scope, scopes_of
from schedulerd.domain.audit import AuditFilter
from schedulerd.store.database import Database
from schedulerd.web.gatekeeper import LOOK_AGAIN_SECONDS
from schedulerd.web.recogniser import FRESH_SECONDS
from schedulerd.web.routers import require_admitted
from tests.store.scenes import a_scene, add
from tests.store.test_faults import locked
from tests.store.test_pings import statements
from tests.web.entering import COOKIE, HOST, ROOT, House, cookie_for, visitor


@pytest.fixture
def house(sqlite_database: Database, tmp_path: Path) -> Iterator[House]:
    with House(sqlite_database, tmp_path) as made:
        yield made


def test_what_is_not_there_is_no_news_for_a_stranger_and_404_for_a_guest(house: House) -> None:
    paths = ("/api/v1/nothing", "/nothing", "/login/", "/LOGIN", "/healthz/", "/static", "/api/v1/hooks/x/y")

    strangers = [house.stranger().get(path).status_code for path in paths]
    guests = [house.guest(Role.VIEWER).get(path).status_code for path in paths]

    assert strangers == [401, 303, 303, 303, 303, 303, 401]
    assert set(guests) <= {404, 307}


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/me/healthz",
        "/api/v1/me?x=/healthz",
        "/api/v1/me#/healthz",
        "/api/v1/me;/healthz",
        "/healthz/../api/v1/me",
        "/healthz/%2e%2e/api/v1/me",
        "/static/x/../../api/v1/me",
        "/api/v1/me%00/healthz",
        "/API/V1/ME",
        "/Healthz",
        "//healthz",
        "/api/v1/hooks",
        "/api/v1/hooks/",
        "/login%2f..%2fapi/v1/me",
        "/login/..;/api/v1/me",
        "/login;/../api/v1/me",
        "/login;x=/api/v1/me",
        "/healthz%2fapi%2fv1%2fme",
        "/api/v1/me/",
        "/api/v1/me//",
        "/api//v1/me",
        "//api/v1/me",
        "/api/v1/me.css",
        "/static/x",
        "/api/v1/session/",
        "/api/v1/session",
        "/api/v1/hooks%2fx",
        "/enter/a/b",
        "/enter/",
        "/api/v1/me\\..\\healthz",
        "/api/v1/me%3f/healthz",
        "/api/v1/me%0a/healthz",
    ],
)
def test_nothing_is_exempt_by_suffix_prefix_or_letter_case(house: House, path: str) -> None:
    answer = house.stranger().get(path)

    assert answer.status_code in (401, 303), answer.text
    assert "role" not in answer.text


def test_each_route_asks_whether_the_gate_judged_it(house: House) -> None:
    """A router that somebody makes without it is found here, not by who gets past the gate."""
    for route in iter_route_contexts(house.app.routes):
        asked = [one.call for one in route.dependant.dependencies]
        assert require_admitted in asked, route.path


def test_a_route_that_the_gate_has_not_judged_answers_nobody(house: House) -> None:
    late = APIRouter()
    house.guest(Role.ADMIN).get("/api/v1/me")  # the gate has seen the routes

    @late.get("/late")
    def hole() -> str:
        return "hole"

    house.app.include_router(late)

    assert house.stranger().get("/late").status_code == 303
    assert house.guest(Role.ADMIN).get("/late").status_code == 403


def test_a_page_that_a_stranger_wanted_is_shown_after_the_sign_in_and_never_another_server(
    house: House,
) -> None:
    stranger = house.stranger()

    wanted = stranger.get("/runs/7/logs?line=120")
    form = stranger.get("/login?next=/runs/7/logs%3Fline%3D120")

    assert wanted.headers["location"] == "/login?next=/runs/7/logs%3Fline%3D120"
    assert 'name="next" value="/runs/7/logs?line=120"' in form.text
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        page = stranger.get("/login", params={"next": elsewhere})
        login = page.text.partition('action="/login"')[2]
        assert 'name="next" value="/"' in login
        assert "evil" not in login
        assert "alert" not in login


def test_a_part_of_a_page_that_is_fetched_again_sends_the_whole_page_to_the_login(house: House) -> None:
    answer = house.stranger().get("/runs/7", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Redirect"], answer.text) == (401, "/login", "")


def test_streams_are_behind_the_gate_as_well(house: House) -> None:
    answer = house.stranger().get("/events?topics=runs", headers={"Accept": "text/event-stream"})

    assert answer.status_code == 401


def test_a_token_lets_in_by_its_header_only_and_never_by_a_url(house: House) -> None:
    token = house.asked.api_tokens.create("ci", by=ROOT, scopes=list(Scope)).text
    stranger = house.stranger()

    shown = stranger.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    in_urls = [
        stranger.get(f"/api/v1/me?token={token}"),
        stranger.get(f"/api/v1/me?access_token={token}"),
        stranger.get(f"/api/v1/me?q={token}"),
        stranger.get(f"/api/v1/me?TOKEN={token}", headers={"Authorization": f"Bearer {token}"}),
    ]
    otherwise = [
        stranger.get("/api/v1/me", headers={"Authorization": f"Basic {token}"}),
        stranger.get("/api/v1/me", headers={"X-Token": token}),
        stranger.get("/api/v1/me", headers={"Authorization": token}),
        stranger.get("/api/v1/me", headers={"Cookie": f"{COOKIE}={token}"}),
        stranger.get("/api/v1/me", headers={"Authorization": f"Bearer {token[:-1]}"}),
    ]

    assert (shown.status_code, shown.json()["name"], shown.json()["means"]) == (200, "root", "token")
    assert [one.status_code for one in in_urls] == [400] * 4
    assert all(token not in one.text for one in in_urls)
    assert [one.status_code for one in otherwise] == [401] * 5
    assert all(one.headers["www-authenticate"] == "Bearer" for one in otherwise)


def test_who_shows_a_token_is_not_looked_at_for_a_cookie_and_needs_no_origin(house: House) -> None:
    token = house.asked.api_tokens.create("ci", by=ROOT, scopes=list(Scope)).text
    guest = house.guest(Role.VIEWER)
    del guest.headers["origin"]

    wrong = guest.get("/api/v1/me", headers={"Authorization": "Bearer sdt_wrong"})
    right = guest.get("/api/v1/me", headers={"Authorization": f"bearer {token}"})
    changes = guest.post("/runs/7/cancel", headers={"Authorization": f"Bearer {token}"})

    assert wrong.status_code == 401
    assert right.json()["role"] == "admin"
    assert changes.status_code == 404


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        *(("/runs/7/logs/chunk", Scope.LOGS_READ), ("/runs/7/logs/error", Scope.LOGS_READ)),
        *(("/api/v1/runs/7/logs", Scope.LOGS_READ), ("/api/v1/flows/etl/runs", Scope.RUNS_READ)),
        ("/flows/etl/runs/7", Scope.RUNS_READ),
        *(("/flows/etl/strip", Scope.RUNS_READ), ("/api/v1/flows/etl/strip", Scope.RUNS_READ)),
    ],
)
def test_what_lies_below_something_is_for_no_more_tokens_than_that(
    house: House, path: str, scope: Scope
) -> None:
    reading = [Scope.FLOWS_READ, Scope.RUNS_READ, Scope.LOGS_READ, Scope.AGENTS_READ]
    let = []
    for one in reading:
        token = house.asked.api_tokens.create("ci", by=ROOT, scopes=[one]).text
        answer = house.stranger().get(path, headers={"Authorization": f"Bearer {token}"})
        let += [one] if answer.status_code != 403 else []

    assert let == [scope]


@pytest.mark.parametrize("scope", Scope)
def test_a_token_is_for_its_scopes_alone(house: House, scope: Scope) -> None:
    token = house.asked.api_tokens.create("ci", by=ROOT, scopes=[scope]).text
    places = {
        Scope.RUNS_READ: ("GET", "/runs/7"),
        Scope.LOGS_READ: ("GET", "/runs/7/logs"),
        Scope.FLOWS_READ: ("POST", "/api/v1/schedules/preview"),
        Scope.RUNS_CANCEL: ("POST", "/runs/7/cancel"),
        Scope.RUNS_TRIGGER: ("POST", "/runs/7/retry"),
        Scope.ADMIN: ("GET", "/api/v1/users"),
    }
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    let = {
        needed: house.stranger().request(*place, headers=headers).status_code != 403
        for needed, place in places.items()
    }

    assert let == {needed: scope in (needed, Scope.ADMIN) for needed in places}


@pytest.mark.parametrize("scope", Scope)
def test_several_runs_are_changed_by_tokens_that_may_change_one_so(house: House, scope: Scope) -> None:
    token = house.asked.api_tokens.create("ci", by=ROOT, scopes=[scope]).text
    headers = {"Authorization": f"Bearer {token}"}

    let = {
        deed: house.stranger().post(f"/runs/bulk/{deed}", headers=headers).status_code
        for deed in ("cancel", "retry")
    }

    assert let == {
        "cancel": 200 if scope in (Scope.RUNS_CANCEL, Scope.ADMIN) else 403,
        "retry": 200 if scope in (Scope.RUNS_TRIGGER, Scope.ADMIN) else 403,
    }


def test_another_site_cannot_have_a_signed_in_browser_do_anything(house: House) -> None:
    guest = house.guest(Role.ADMIN)
    del guest.headers["origin"]

    answers = [
        guest.post("/runs/7/cancel", headers={"Origin": "https://evil.example"}),
        guest.post("/runs/7/cancel", headers={"Sec-Fetch-Site": "cross-site"}),
        guest.post("/runs/7/cancel", headers={"Sec-Fetch-Site": "same-site"}),
        guest.post("/runs/7/cancel"),
    ]
    from_here = [
        guest.post("/runs/7/cancel", headers={"Sec-Fetch-Site": "same-origin"}),
        guest.post("/runs/7/cancel", headers={"Origin": HOST}),
    ]

    assert [one.status_code for one in answers] == [403] * 4
    assert [one.status_code for one in from_here] == [404] * 2


def test_a_session_that_ended_lets_nobody_in_after_a_second(house: House) -> None:
    cookie = cookie_for(house.asked, Role.ADMIN)
    guest = visitor(house.app, cookie)
    with guest:
        assert guest.get("/api/v1/me").status_code == 200
        (session,) = house.asked.sign_in.sessions()
        house.asked.sign_in.end_session(session.key, by=ROOT)
        house.clock.advance(seconds=FRESH_SECONDS)

        assert guest.get("/api/v1/me").status_code == 401


def test_to_be_recognised_is_no_write_and_within_a_second_no_read(house: House) -> None:
    guest = house.guest(Role.VIEWER)
    guest.get("/api/v1/me")

    with statements() as within:
        guest.get("/api/v1/me")
    house.clock.advance(seconds=FRESH_SECONDS)
    with statements() as later:
        guest.get("/api/v1/me")

    assert within == []
    assert any("sessions" in one for one in later)
    assert not any(one.startswith(("UPDATE", "INSERT")) for one in later)


def test_a_stream_ends_when_whoever_gets_it_is_let_in_no_more(house: House) -> None:
    long = APIRouter()
    said: list[int] = []

    async def words() -> AsyncIterator[bytes]:
        for number in range(10):
            said.append(number)
            yield f"{number} ".encode()
            house.clock.advance(seconds=LOOK_AGAIN_SECONDS)
            if number == 3:
                for session in house.asked.sign_in.sessions():
                    house.asked.sign_in.end_session(session.key, by=ROOT)

    @long.get("/runs/long/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(words())

    house.app.include_router(long)
    answer = house.guest(Role.VIEWER).get("/runs/long/stream")

    assert answer.text == "0 1 2 3 "
    assert said == [0, 1, 2, 3, 4]


def test_who_has_signed_in_behind_a_proxy_with_a_password_of_its_own_is_known_by_the_cookie(
    house: House,
) -> None:
    answer = house.guest(Role.VIEWER).get("/api/v1/me", headers={"Authorization": "Basic a2ltOng="})

    assert answer.status_code == 200


def test_a_database_that_does_not_answer_lets_nobody_in(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    impatient = Database(database_url, timeout=timedelta(milliseconds=200))
    with House(impatient, tmp_path) as house:
        guest = house.guest(Role.ADMIN)
        impatient.close()
        with locked(database_url, against_readers=True):
            refused = guest.get("/api/v1/me")
            healthy = guest.get("/healthz")
        again = guest.get("/api/v1/me")
    impatient.close()

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert healthy.status_code == 200
    assert again.status_code == 200


def test_every_change_is_in_the_audit_with_who_and_from_where_and_a_look_or_a_refusal_is_not(
    house: House,
) -> None:
    with house.database.write() as tx:
        key = add(tx, a_scene(tx).flow)
        run = tx.runs.by_key(key)
    operator, viewer = house.guest(Role.OPERATOR, "lee"), house.guest(Role.VIEWER, "kim")
    before = len(house.asked.audit.list(AuditFilter(limit=500)))

    operator.get(f"/runs/{run.id}")
    viewer.post(f"/runs/{run.id}/cancel", data={"reason": "canary"})
    operator.post("/runs/nothing/cancel", data={"reason": "canary"})
    done = operator.post(f"/runs/{run.id}/cancel", data={"reason": "canary"})

    assert done.status_code == 303, done.text
    entries = house.asked.audit.list(AuditFilter(limit=500))
    assert len(entries) - before == 1
    assert (entries[0].who, entries[0].address, entries[0].means.value) == ("lee", "192.0.2.1", "link")
    assert (entries[0].change.what, entries[0].change.target) == ("runs.cancel", run.selector)


def test_the_audit_has_what_was_and_what_is_where_a_route_tells_and_little_of_what_is_long(
    house: House,
) -> None:
    operator, path = house.guest(Role.OPERATOR, "lee"), "/api/v1/variables/region"
    made = operator.put(path, json={"value": "kr"}, headers={"If-None-Match": "*"})
    again = operator.put(path, json={"value": "x" * 5_000}, headers={"If-Match": made.headers["etag"]})
    operator.delete(path, headers={"If-Match": again.headers["etag"]})

    gone, changed, new = [one.change for one in house.asked.audit.list(AuditFilter(limit=3))]
    assert [one.what for one in (new, changed, gone)] == [
        "variables.set",
        "variables.set",
        "variables.delete",
    ]
    assert {one.target for one in (new, changed, gone)} == {"region"}
    assert (new.before, new.after and new.after["value"]) == (None, "kr")
    assert changed.before == new.after
    assert changed.after is not None
    assert changed.after["characters"] > 5_000
    assert len(str(changed.after)) < 400
    assert (gone.before, gone.after) == (changed.after, None)


def test_no_cookie_code_or_token_is_in_a_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    code = house.asked.sign_in.make_code("root", Role.ADMIN, by=ROOT)
    token = house.asked.api_tokens.create("ci", by=ROOT, scopes=list(scopes_of(Role.VIEWER))).text
    stranger = house.stranger()

    stranger.get(f"/enter/{code}")
    cookie = stranger.post(f"/enter/{code}").cookies[COOKIE]
    stranger.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    stranger.get(f"/api/v1/me?token={token}")
    stranger.get("/runs/7")

    for canary in (code, cookie, token):
        ours = [one for one in caplog.records if not one.name.startswith(("httpx", "httpcore"))]
        assert all(canary not in one.getMessage() for one in ours)


def test_every_scope_has_a_role_that_a_token_of_it_acts_in(house: House) -> None:
    for scope in Scope:
        made = house.asked.api_tokens.create("ci", by=ROOT, scopes=[scope])
        known = house.asked.sign_in.by_token(made.text)
        assert known is not None
        assert known.role is ROLE_OF[scope]
