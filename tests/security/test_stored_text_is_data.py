"""Stored text is data: never a template, never markup, never a header; on every page, of every kind, also where it went wrong."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest
from fastapi.routing import iter_route_contexts

from tests.migrated import new_database
from tests.security.hostile import ENDING, EVIL, FLOW, SCHEDULE, WORD, HostileScene, Trespass

PARTS: Final = {"flow": FLOW, "schedule": SCHEDULE, "number": "1"}  # all others are called evil
NO_PAGES: Final = (
    "/api/v1",
    "/events",
    "/healthz",
    "/readyz",
    "/metrics",
    "/static",
    "/runs/{run}/logs/error",
)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileScene]:
    folder = tmp_path_factory.mktemp("hostile")
    database = new_database(folder)
    with HostileScene(database, folder) as made:
        yield made
    database.close()


def addresses(scene: HostileScene) -> Iterator[str]:
    """Every page, of what is evil; and with an evil query."""
    evil = quote(EVIL, safe="")
    for route in iter_route_contexts(scene.app.routes):
        path = route.path_format or ""
        if "GET" not in (route.methods or ()) or path.startswith(NO_PAGES):
            continue
        for run in (scene.failed, scene.waiting) if "{run}" in path else (scene.failed,):
            parts = {name: quote(part, safe="") for name, part in PARTS.items()} | {"run": str(run.id)}
            address = re.sub(r"\{(\w+)\}", partial(_part, parts), path)
            yield address
            yield f"{address}?q={evil}&show={evil}&next={evil}&who={evil}&unfold={evil}&flow={evil}&kind={evil}&task={evil}"


def _part(parts: Mapping[str, str], found: re.Match[str]) -> str:
    return parts.get(found[1], quote(EVIL, safe=""))


def test_stored_text_is_never_markup_and_never_a_template_on_any_page(scene: HostileScene) -> None:
    trespasses, shown = {}, 0
    for address in addresses(scene):
        answer = scene.client.get(address)
        assert answer.status_code < 500, address
        found = Trespass(answer.text).found
        shown += WORD in answer.text
        if found:
            trespasses[address] = found

    assert trespasses == {}
    assert shown > 50  # the text was there to be seen


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("POST", "/login", {"name": ENDING, "password": ENDING, "next": ENDING}),
        ("POST", f"/flows/{quote(FLOW, safe='')}/run", {"p.evil": ENDING, "p.days": EVIL, "key": ENDING}),
        ("POST", "/schedules/new", {"name": ENDING, "flow": ENDING, "cron": ENDING, "kind": "cron"}),
        ("POST", "/flows/new/crontab", {"crontab": f"0 1 * * * echo {EVIL}\n{ENDING}", "prefix": EVIL}),
        ("POST", "/flows/new/file", {"name": ENDING, "text": ENDING, "etag": ENDING}),
        ("POST", f"/enter/{quote(EVIL, safe='')}", {}),
        ("POST", f"/runs/{quote(EVIL, safe='')}/cancel", {"reason": ENDING}),
        ("GET", f"/{quote(EVIL, safe='')}", {}),
    ],
)
def test_what_was_typed_is_text_on_the_page_that_refuses_it(
    scene: HostileScene, method: str, path: str, data: dict[str, str]
) -> None:
    answer = scene.client.request(method, path, data=data or None)

    assert 400 <= answer.status_code < 500, answer.text
    assert Trespass(answer.text).found == []


def test_documents_of_problems_are_json_and_never_read_as_a_page(scene: HostileScene) -> None:
    evil = quote(EVIL, safe="")
    answers = [
        scene.client.get(f"/api/v1/runs/{evil}"),
        scene.client.get(f"/api/v1/flows/{evil}x"),
        scene.client.get(f"/api/v1/runs?q={evil}"),
        scene.client.get(f"/api/v1/runs?{evil}=1"),
        scene.client.post("/api/v1/schedules", json={EVIL: ENDING}),
    ]

    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert json.loads(answer.text)["status"] == answer.status_code


@pytest.mark.parametrize("accept", ["text/plain", "text/html", "application/json"])
def test_a_raw_log_is_text_that_no_browser_takes_for_a_page(scene: HostileScene, accept: str) -> None:
    answer = scene.client.get(f"/api/v1/runs/{scene.failed.id}/logs", headers={"Accept": accept})

    assert answer.headers["content-type"].partition(";")[0] in ("text/plain", "application/x-ndjson")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert WORD in answer.text


def test_templates_are_files_of_ours_and_no_text_is_made_one() -> None:
    code = [path.read_text() for path in Path("schedulerd").rglob("*.py")]

    assert not any("from_string(" in text or "Template(" in text for text in code)
    assert not any(
        "|safe" in path.read_text().replace(" ", "") for path in Path("schedulerd").rglob("*.html")
    )
