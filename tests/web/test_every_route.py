"""Every route of the application by every method: for a stranger, a viewer and an operator.

A route that is new is judged by the rule; whoever wants it to be an exception has to write it into a table here.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from fastapi.routing import iter_route_contexts

from schedulerd.domain.access import Role
from schedulerd.store.database import Database
from schedulerd.web.gatekeeper import OPEN
from tests.web.entering import House

METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")

# What a viewer may do though it is no look. A new route that changes something needs an operator, and no line here.
OF_VIEWERS: Final = {
    ("POST", "/logout"),
    ("PUT", "/api/v1/me/password"),
    ("DELETE", "/api/v1/session"),
    ("DELETE", "/api/v1/sessions/{key}"),
    ("POST", "/api/v1/tokens"),
    ("DELETE", "/api/v1/tokens/{token}"),
    ("POST", "/settings/tokens"),
    ("POST", "/settings/tokens/{token}/revoke"),
    ("POST", "/settings/sessions/{session}/end"),
    ("POST", "/api/v1/schedules/preview"),
    ("POST", "/api/v1/cron/explain"),
}
# Pages that ask before something is changed: whoever may not change it is not asked.
OF_OPERATORS: Final = {
    ("GET", "/flows/new"),
    ("GET", "/flows/{flow}/run"),
    ("GET", "/schedules/new"),
    ("GET", "/schedules/{schedule}/edit"),
    ("GET", "/schedules/{schedule}/delete"),
    ("GET", "/runs/bulk/cancel"),
    ("GET", "/runs/bulk/retry"),
    *(("GET", f"/runs/{{run}}/{deed}") for deed in ("rerun", "cancel", "kill", "retry", "approve")),
    ("GET", "/agents/{agent}/drain"),
}
# What only an admin may. All else is for operators where it changes something, and for viewers where it does not.
OF_ADMINS: Final = {
    ("GET", "/api/v1/users"),
    ("POST", "/api/v1/users"),
    ("GET", "/api/v1/users/{name}"),
    ("PATCH", "/api/v1/users/{name}"),
    ("PUT", "/api/v1/users/{name}/password"),
    ("DELETE", "/api/v1/users/{name}"),
    ("GET", "/settings/users"),
    ("POST", "/settings/users"),
    ("GET", "/settings/users/{user}"),
    *(
        ("POST", f"/settings/users/{{user}}/{deed}")
        for deed in ("role", "password", "lock", "unlock", "delete")
    ),
    ("GET", "/api/v1/audit"),
    ("GET", "/activity"),
    ("GET", "/flows/new/crontab"),
    ("GET", "/flows/new/file"),
    ("PUT", "/api/v1/secrets/{name}"),
    ("DELETE", "/api/v1/secrets/{name}"),
}
# What needs nobody: exactly this. Whoever adds a line here opens a door.
OPEN_TO_ALL: Final = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/enter/{code}"),
    ("POST", "/enter/{code}"),
    ("POST", "/api/v1/session"),
    ("POST", "/api/v1/hooks/{hook}"),
    ("POST", "/appearance"),
    ("GET", "/static/{version}/{name}"),
}


@pytest.fixture
def house(sqlite_database: Database, tmp_path: Path) -> Iterator[House]:
    with House(sqlite_database, tmp_path) as made:
        yield made


def routes(house: House) -> list[tuple[str, str]]:
    """Every route of the application, by method and path."""
    found = []
    for route in iter_route_contexts(house.app.routes):
        assert route.path_format is not None, f"{route} is no route that the gate can judge"
        assert route.methods, f"{route.path_format} has no methods"
        found += [(method, route.path_format) for method in sorted(route.methods)]
    assert len(found) > 20
    return found


def a_path(path: str) -> str:
    """A path of this form; numbers fit every kind of parameter."""
    return re.sub(r"\{\w+\}", "7", path)


def test_deny_by_default_every_route_and_method_asks_a_stranger_who_it_is(house: House) -> None:
    stranger, wrong = house.stranger(), []
    for _, path in routes(house):
        for method in METHODS:
            if (method, path) in OPEN_TO_ALL:
                continue
            answer = stranger.request(method, a_path(path))
            is_page = not path.startswith("/api/") or path == "/api/docs"
            expected = 303 if is_page else 401
            if answer.status_code != expected:
                wrong.append((method, path, answer.status_code))

    assert wrong == []


def test_what_is_open_is_what_this_table_says(house: House) -> None:
    assert OPEN == OPEN_TO_ALL
    assert set(routes(house)) >= OPEN_TO_ALL
    answers = {
        (method, path): house.stranger(f"192.0.2.{number}").request(method, a_path(path)).status_code
        for number, (method, path) in enumerate(sorted(OPEN_TO_ALL))
    }
    assert answers == {
        ("GET", "/healthz"): 200,
        ("GET", "/readyz"): 503,
        ("GET", "/login"): 200,
        ("POST", "/login"): 401,
        ("GET", "/enter/{code}"): 200,
        ("POST", "/enter/{code}"): 403,
        ("POST", "/api/v1/session"): 422,
        ("POST", "/api/v1/hooks/{hook}"): 401,
        ("POST", "/appearance"): 303,
        ("GET", "/static/{version}/{name}"): 404,
    }


def test_each_role_may_what_the_tables_say_and_no_more(house: House) -> None:
    assert set(routes(house)) >= OF_VIEWERS | OF_OPERATORS | OF_ADMINS
    guests = {role: house.guest(role) for role in (Role.VIEWER, Role.OPERATOR)}
    wrong = []
    for method, path in routes(house):
        if (method, path) in OPEN_TO_ALL or path in ("/events", "/logout", "/api/v1/session"):
            continue  # a stream has no end, and whoever has gone is a stranger
        looks = method == "GET" and (method, path) not in OF_OPERATORS
        least = Role.VIEWER if looks or (method, path) in OF_VIEWERS else Role.OPERATOR
        least = Role.ADMIN if (method, path) in OF_ADMINS else least
        for role, guest in guests.items():
            answer = guest.request(method, a_path(path))
            refused = answer.status_code == 403 and f"needs the role {least}" in answer.text
            if refused is role.includes(least):
                wrong.append((method, path, role, answer.status_code))

    assert wrong == []
